"""Counts of what the work came to: durations fall where they belong, verdicts have one name each."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.incidents import TroubleKind
from engine.domain.accounts.settings import Autonomy
from engine.domain.market.pairs import Side
from engine.domain.orders.order import ClientOrderId, Trigger
from engine.domain.rebalancing.check_result import (
    Declined,
    Failed,
    LeftToPerson,
    Look,
    MovedAway,
    Ordered,
    Unsettled,
    Verdict,
    Waiting,
)
from engine.domain.rebalancing.planner import EmptyBook, InsideBand
from engine.monitoring.counters import CheckTally, Outcome, Spread, Taking, in_millis, outcome_of
from tests.builders import settings
from tests.fakes.clock import START

SECOND = timedelta(seconds=1)
ORDER = ClientOrderId("bl1")
ONE = Decimal(1)


def look(verdict: Verdict) -> Look:
    return Look.of(settings(), at=START, trigger=Trigger.INTERVAL, funds=None, verdict=verdict)


def test_a_duration_is_counted_up_to_the_bound_it_does_not_pass():
    spread = Spread([SECOND, 2 * SECOND])
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
        (Declined(InsideBand()), Outcome.ON_TARGET),
        (Declined(EmptyBook(Side.BUY)), Outcome.DECLINED),
        (Ordered(ORDER, Side.BUY, ONE), Outcome.ORDERED),
        (LeftToPerson(Side.BUY, ONE, Autonomy.AUTO), Outcome.LEFT_TO_PERSON),
        (MovedAway(Side.BUY, ONE), Outcome.MOVED_AWAY),
        (Waiting(ORDER), Outcome.WAITING),
        (Unsettled(), Outcome.UNSETTLED),
        (Failed(TroubleKind.INTERNAL, "changed"), Outcome.OVERTAKEN),
        (Failed(TroubleKind.UNREACHABLE, ""), Outcome.FAILED),
    ],
)
def test_each_verdict_has_its_outcome(verdict: Verdict, outcome: Outcome):
    tally = CheckTally()
    tally.done(look(verdict))

    assert outcome_of(verdict) is outcome
    assert [o for o, count in tally.outcomes.items() if count] == [outcome]
    assert sum(tally.failures.values()) == (outcome is Outcome.FAILED)


def test_a_check_without_a_look_was_cut_off():
    tally = CheckTally()
    tally.done(None)
    tally.broke()

    assert tally.outcomes[Outcome.CUT_OFF] == 1
    assert tally.failures[TroubleKind.INTERNAL] == 1


def test_the_first_claim_of_an_account_is_no_takeover():
    tally = CheckTally()
    tally.claimed([1, 1, 2, 17])
    tally.lost()

    assert tally.takings == {Taking.NEW: 2, Taking.TAKEN_OVER: 2, Taking.LOST: 1}
