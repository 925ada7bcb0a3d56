"""Counts of what the work came to: every series is there from the start, verdicts have one name each."""

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
from engine.monitoring.counters import CheckOutcome, CheckTally, outcome_of
from tests.builders import settings
from tests.fakes.clock import START
from tests.fakes.metrics import by_label, value_of

SECOND = timedelta(seconds=1)
ORDER = ClientOrderId("bl1")
ONE = Decimal(1)


def look(verdict: Decision) -> CheckResult:
    return CheckResult.of(
        settings(), at=START, trigger=Trigger.INTERVAL, funds=None, verdict=verdict
    )


def test_every_member_has_a_series_before_anything_happened():
    [family] = CheckTally().outcomes.collect()
    read = {s.labels["outcome"]: s.value for s in family.samples if s.name.endswith("_total")}

    assert read == {outcome.value: 0 for outcome in CheckOutcome}


def test_the_lateness_of_checks_is_added_up_in_seconds():
    tally = CheckTally()
    for seconds in (0, 1, 29):
        tally.began(seconds * SECOND)

    assert value_of(tally.late, part="_count") == 3
    assert value_of(tally.late, part="_sum") == 30
    assert value_of(tally.late, "1.0", part="_bucket") == 2


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
    assert by_label(tally.outcomes) == {outcome.value: 1}
    assert sum(by_label(tally.failures).values()) == (outcome is CheckOutcome.FAILED)


def test_a_check_without_a_look_was_cut_off():
    tally = CheckTally()
    tally.done(None)
    tally.broke()

    assert by_label(tally.outcomes) == {CheckOutcome.CUT_OFF.value: 1}
    assert by_label(tally.failures) == {IncidentKind.INTERNAL.value: 1}


def test_the_first_claim_of_an_account_is_no_takeover():
    tally = CheckTally()
    tally.claimed([1, 1, 2, 17])
    tally.lost()

    assert by_label(tally.takings) == {"new": 2, "taken_over": 2, "lost": 1}
