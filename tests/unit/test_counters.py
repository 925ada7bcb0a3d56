"""Counts of what the work came to: durations fall where they belong, verdicts have one name each."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.settings import TradingMode
from engine.domain.market.pairs import Side
from engine.domain.orders.order import ClientOrderId, Trigger
from engine.domain.rebalancing.check_result import (
    AwaitingApproval,
    AwaitingSettlement,
    CheckFailed,
    CheckResult,
    Decision,
    NoTrade,
    OrderPending,
    OrderPlaced,
    PlanChanged,
)
from engine.domain.rebalancing.planner import EmptyBook, InsideBand
from engine.monitoring.counters import (
    CheckOutcome,
    CheckTally,
    Histogram,
    LeaseEvent,
    in_millis,
    outcome_of,
)
from tests.builders import settings
from tests.fakes.clock import START

SECOND = timedelta(seconds=1)
ORDER = ClientOrderId("bl1")
ONE = Decimal(1)


def look(verdict: Decision) -> CheckResult:
    return CheckResult.of(
        settings(), at=START, trigger=Trigger.INTERVAL, funds=None, verdict=verdict
    )


def test_a_duration_is_counted_up_to_the_bound_it_does_not_pass():
    spread = Histogram([SECOND, 2 * SECOND])
    for tenths in (0, 10, 11, 20, 21, 9999):
        spread.add(SECOND * tenths / 10)

    assert spread.counts == [2, 2, 2]
    assert spread.total == SECOND * 10061 / 10


def test_a_clock_that_was_set_back_takes_nothing_away():
    spread = in_millis(1000)
    spread.add(-SECOND)

    assert spread.counts == [1, 0]
    assert spread.total == timedelta()


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (NoTrade(InsideBand()), CheckOutcome.ON_TARGET),
        (NoTrade(EmptyBook(Side.BUY)), CheckOutcome.DECLINED),
        (OrderPlaced(ORDER, Side.BUY, ONE), CheckOutcome.ORDERED),
        (AwaitingApproval(Side.BUY, ONE, TradingMode.AUTO), CheckOutcome.LEFT_TO_PERSON),
        (PlanChanged(Side.BUY, ONE), CheckOutcome.MOVED_AWAY),
        (OrderPending(ORDER), CheckOutcome.WAITING),
        (AwaitingSettlement(), CheckOutcome.UNSETTLED),
        (CheckFailed(IncidentKind.INTERNAL, "changed"), CheckOutcome.OVERTAKEN),
        (CheckFailed(IncidentKind.UNREACHABLE, ""), CheckOutcome.FAILED),
    ],
)
def test_each_verdict_has_its_outcome(verdict: Decision, outcome: CheckOutcome):
    tally = CheckTally()
    tally.done(look(verdict))

    assert outcome_of(verdict) is outcome
    assert [o for o, count in tally.outcomes.items() if count] == [outcome]
    assert sum(tally.failures.values()) == (outcome is CheckOutcome.FAILED)


def test_a_check_without_a_look_was_cut_off():
    tally = CheckTally()
    tally.done(None)
    tally.broke()

    assert tally.outcomes[CheckOutcome.CUT_OFF] == 1
    assert tally.failures[IncidentKind.INTERNAL] == 1


def test_the_first_claim_of_an_account_is_no_takeover():
    tally = CheckTally()
    tally.claimed([1, 1, 2, 17])
    tally.lost()

    assert tally.takings == {LeaseEvent.NEW: 2, LeaseEvent.TAKEN_OVER: 2, LeaseEvent.LOST: 1}
