"""When an account may trade: by the clock, by its last trade, and by how far it is outside."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.domain.targets.pacing import (
    AwaitsSlot,
    Pacing,
    RestsUntil,
    next_moment,
    pace,
    slot_step,
)
from engine.domain.targets.timing import Due, Schedule, When

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
AT_NINE = Schedule((9 * 60,))
MINUTE = timedelta(minutes=1)
NEXT = datetime(2026, 11, 23, 9, tzinfo=UTC)


def paced(pacing: Pacing, *, now: datetime = NOON, **how: Any):
    facts: dict[str, Any] = {"filled_at": None, "is_outside": True, "is_far": False}
    dealt_with = how.pop("dealt_with", NOON - timedelta(hours=5))
    step = slot_step(pacing, zone=UTC, now=now, dealt_with=dealt_with)
    return pace(pacing, step, zone=UTC, now=now, **facts | how)


@pytest.mark.parametrize("is_outside", [True, False])
def test_without_a_pace_what_is_outside_is_traded_at_every_check(is_outside: bool):
    found = paced(Pacing(), is_outside=is_outside)

    assert found.due is (Due.OUTSIDE if is_outside else Due.NOTHING)
    assert found.waits is found.slot is None


@pytest.mark.parametrize(
    ("when", "at_slot", "outside_slot", "between"),
    [
        (When.BOTH, Due.NOTHING, Due.OUTSIDE, Due.NOTHING),
        (When.SCHEDULE, Due.ALL, Due.ALL, Due.NOTHING),
        (When.EITHER, Due.ALL, Due.ALL, Due.OUTSIDE),
    ],
)
def test_a_set_time_is_traded_as_it_is_meant(
    when: When, at_slot: Due, outside_slot: Due, between: Due
):
    pacing, slot = Pacing(schedule=AT_NINE, when=when), NOON - timedelta(hours=3)

    inside = paced(pacing, now=slot + MINUTE, is_outside=False)
    outside = paced(pacing, now=slot + MINUTE)
    after = paced(pacing, dealt_with=slot)

    assert (inside.due, outside.due, after.due) == (at_slot, outside_slot, between)
    assert inside.slot is not None
    assert inside.slot.slot.at == slot
    assert after.slot is None
    assert after.waits == (None if between is Due.OUTSIDE else AwaitsSlot(NEXT))


def test_a_set_time_from_before_the_schedule_or_missed_by_an_hour_is_not_traded():
    pacing, slot = Pacing(schedule=AT_NINE, when=When.SCHEDULE), NOON - timedelta(hours=3)
    missed = paced(pacing, now=slot + timedelta(hours=1, seconds=1))

    assert missed.due is Due.NOTHING
    assert missed.slot is not None
    assert missed.slot.missed
    assert paced(pacing, now=slot + timedelta(hours=1)).due is Due.ALL
    assert paced(pacing, dealt_with=None).slot is None


def test_an_account_rests_after_a_trade_unless_it_is_far_outside():
    pacing = Pacing(cooldown=30 * MINUTE)

    resting = paced(pacing, filled_at=NOON - 29 * MINUTE)
    assert (resting.due, resting.waits) == (Due.NOTHING, RestsUntil(NOON + MINUTE))
    assert paced(pacing, filled_at=NOON - 29 * MINUTE, is_far=True).due is Due.OUTSIDE
    assert paced(pacing, filled_at=NOON - 30 * MINUTE).due is Due.OUTSIDE
    assert paced(pacing, filled_at=NOON - 29 * MINUTE, is_outside=False).waits is None


def test_a_set_time_that_comes_during_the_rest_is_kept_for_its_end():
    pacing = Pacing(schedule=AT_NINE, when=When.BOTH, cooldown=30 * MINUTE)
    slot = NOON - timedelta(hours=3)

    resting = paced(pacing, now=slot + MINUTE, filled_at=slot - 20 * MINUTE)
    rested = paced(pacing, now=slot + 10 * MINUTE, filled_at=slot - 20 * MINUTE)

    assert resting.waits == RestsUntil(slot + 10 * MINUTE)
    assert resting.slot is None
    assert rested.due is Due.OUTSIDE
    assert rested.slot is not None


def test_the_next_check_is_not_after_the_next_set_time_or_the_end_of_the_rest():
    pacing = Pacing(schedule=AT_NINE, when=When.BOTH, cooldown=30 * MINUTE)

    def moment(pacing: Pacing, filled_at: datetime | None) -> datetime | None:
        return next_moment(pacing, zone=UTC, now=NOON, filled_at=filled_at)

    assert moment(Pacing(), NOON) is None
    assert moment(pacing, None) == NEXT
    assert moment(pacing, NOON - MINUTE) == NOON + 29 * MINUTE
    assert moment(pacing, NOON - timedelta(hours=1)) == NEXT


def test_a_schedule_has_a_meaning_and_a_meaning_has_a_schedule():
    with pytest.raises(ValueError, match="schedule"):
        Pacing(schedule=AT_NINE)
    with pytest.raises(ValueError, match="schedule"):
        Pacing(when=When.BOTH)
