"""When a target is traded: set times in the chat's zone, the rest after a trade, two looks."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market.pairs import USDT
from engine.domain.targets.bands import Threshold
from engine.domain.targets.goals import TargetSettings
from engine.domain.targets.outside import Beyond, is_far_outside
from engine.domain.targets.target import UsdtShare
from engine.domain.targets.timing import (
    Due,
    Schedule,
    Sighting,
    SlotStep,
    When,
    due,
    due_slot,
    latest_slot,
    next_slot,
    rests_until,
    slot_of,
)
from tests.builders import MNTL
from tests.fakes.clock import START

_VECTORS = {
    vector["id"]: vector
    for vector in json.loads(Path(__file__).with_name("target_vectors.json").read_text("utf-8"))
}
BERLIN = ZoneInfo("Europe/Berlin")
DAILY = Schedule((150,))
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("name", ["A33a", "A33b", "A33c"])
def test_a_time_that_is_left_out_or_comes_twice_is_that_of_the_vector(name: str):
    given, expect = _VECTORS[name]["given"], _VECTORS[name]["expect"]
    year, month, day = map(int, given["day"].split("-"))
    slot = slot_of(date(year, month, day), 150, zone=ZoneInfo(given["zone"]))

    assert slot.at.isoformat() == expect["utc"]
    assert slot.at.astimezone(BERLIN).replace(tzinfo=None).isoformat() == expect["wall"]
    assert slot.name == f"{expect['slot']} 02:30"


@given(
    start=st.datetimes(datetime(2027, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    zone=st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
    ),
    minute=st.integers(0, 1439),
    every=st.integers(20, 50),
)
def test_each_day_has_its_slot_once_whatever_the_clocks_do(start, zone, minute, every):
    schedule, there, done, days = Schedule((minute,)), ZoneInfo(zone), None, []
    for number in range(60 * 24 * 5 // every):
        now = start + number * timedelta(minutes=every)
        step = due_slot(schedule, zone=there, now=now, since=start, done=done)
        if step is not None:
            assert step.slot.at <= now
            assert not step.missed
            days.append(step.slot.day)
            done = step.slot.at

    assert days == [days[0] + timedelta(days=n) for n in range(len(days))]
    assert 4 <= len(days) <= 6


def test_a_time_that_is_left_out_runs_beside_the_one_that_it_falls_behind():
    both = Schedule((150, 180))
    start, done, names = datetime(2027, 3, 28, tzinfo=UTC), None, []
    for minutes in range(0, 180, 5):
        now = start + timedelta(minutes=minutes)
        step = due_slot(both, zone=BERLIN, now=now, since=start, done=done)
        if step is not None:
            done = step.slot.at
            names.append(step.slot.name)

    assert names == ["2027-03-28 03:00", "2027-03-28 02:30"]


def test_a_slot_that_was_dealt_with_is_not_due_again_after_a_restart():
    now = datetime(2027, 7, 1, 0, 40, tzinfo=UTC)
    step = due_slot(DAILY, zone=BERLIN, now=now, since=START, done=None)

    assert step is not None
    assert due_slot(DAILY, zone=BERLIN, now=now, since=START, done=step.slot.at) is None


@pytest.mark.parametrize(("late", "missed"), [(HOUR, False), (HOUR + timedelta(seconds=1), True)])
def test_a_slot_missed_by_more_than_an_hour_is_told_and_not_traded(late, missed):
    slot = slot_of(date(2027, 7, 1), 150, zone=BERLIN)

    found = due_slot(DAILY, zone=BERLIN, now=slot.at + late, since=START, done=slot.at - 24 * HOUR)

    assert found == SlotStep(slot, missed=missed)


def test_what_was_before_the_schedule_was_set_does_not_count():
    now = datetime(2027, 7, 1, 0, 40, tzinfo=UTC)

    since = now - timedelta(minutes=5)
    assert due_slot(DAILY, zone=BERLIN, now=now, since=since, done=None) is None


def test_the_next_and_the_latest_slot_keep_to_the_days():
    mondays = Schedule((9 * 60, 21 * 60), weekdays=(0,))
    friday = datetime(2027, 7, 2, 12, tzinfo=UTC)
    latest = latest_slot(mondays, zone=BERLIN, now=friday)

    assert next_slot(mondays, zone=BERLIN, after=friday).name == "2027-07-05 09:00"
    assert latest is not None
    assert latest.name == "2027-06-28 21:00"


@pytest.mark.parametrize(
    ("when", "outside", "outside_at_slot", "inside_at_slot"),
    [
        (When.THRESHOLD, Due.OUTSIDE, Due.OUTSIDE, Due.NOTHING),
        (When.SCHEDULE, Due.NOTHING, Due.ALL, Due.ALL),
        (When.BOTH, Due.NOTHING, Due.OUTSIDE, Due.NOTHING),
        (When.EITHER, Due.OUTSIDE, Due.ALL, Due.ALL),
    ],
)
def test_what_is_due(when, outside, outside_at_slot, inside_at_slot):
    assert due(when, is_outside=True, is_slot=False) is outside
    assert due(when, is_outside=True, is_slot=True) is outside_at_slot
    assert due(when, is_outside=False, is_slot=True) is inside_at_slot
    assert due(when, is_outside=False, is_slot=False) is Due.NOTHING


def test_an_account_rests_after_a_filled_trade_unless_it_is_far_outside():
    rest = timedelta(minutes=30)
    soon = START + timedelta(minutes=18)

    assert rests_until(rest, filled_at=START, now=soon, is_far=False) == START + rest
    assert rests_until(rest, filled_at=START, now=soon, is_far=True) is None
    assert rests_until(rest, filled_at=START, now=START + rest, is_far=False) is None
    assert rests_until(rest, filled_at=None, now=soon, is_far=False) is None
    assert rests_until(None, filled_at=START, now=soon, is_far=False) is None


@pytest.mark.parametrize(
    ("cash", "far"), [(250, False), (270, False), (287, False), (288, True), (212, True)]
)
def test_three_times_the_band_is_far_outside(cash, far):
    goals = TargetSettings(
        target=UsdtShare(Decimal(25)), threshold=Threshold(relative=Decimal("0.05")), token=MNTL
    ).goals

    assert is_far_outside(goals, {USDT: Decimal(cash), MNTL: Decimal(1000 - cash)}) is far


def test_outside_is_confirmed_by_a_second_look_at_the_same_edge_and_at_other_prices():
    later = START + timedelta(seconds=1)
    first = Sighting(outside={USDT: Beyond.HIGH}, read_at=START, version=1)
    again = replace(first, read_at=later)

    assert first.is_confirmed_by(again)
    assert first.is_confirmed_by(replace(again, outside={MNTL: Beyond.LOW, USDT: Beyond.HIGH}))
    assert not first.is_confirmed_by(first)
    assert not first.is_confirmed_by(replace(again, outside={USDT: Beyond.LOW}))
    assert not first.is_confirmed_by(replace(again, outside={MNTL: Beyond.HIGH}))
    assert not first.is_confirmed_by(replace(again, version=2))


@pytest.mark.parametrize("minutes", [(), (1440,), (5, 5), (-1,), (7, 3)])
def test_a_schedule_has_times_of_the_day_in_order(minutes):
    with pytest.raises(ValueError, match="times"):
        Schedule(minutes)
