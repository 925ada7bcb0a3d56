"""A time of the day stays that time on the wall, whatever summer time does."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.alerts.local_time import local, minute_of_day, next_at, zone

ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"),
    *("Pacific/Apia", "America/Sao_Paulo", "Africa/Casablanca", "Asia/Kathmandu"),
)
moments = st.datetimes(
    min_value=datetime(2010, 1, 1),  # noqa: DTZ001 - the zone is added by Hypothesis
    max_value=datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
minutes = st.integers(0, 24 * 60 - 1)
zones = st.sampled_from(ZONES)


def at(text: str, time_zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


@given(minute=minutes, time_zone=zones, after=moments)
def test_the_next_time_is_ahead_and_within_a_day_or_two(
    minute: int, time_zone: str, after: datetime
):
    due = next_at(minute, time_zone=time_zone, after=after)

    # 25 hours where the clock is put back; two days where a zone skips one (Apia, December 2011).
    assert timedelta() < due - after <= timedelta(hours=48)


@given(minute=minutes, time_zone=zones, after=moments)
def test_the_clock_on_the_wall_shows_the_wanted_time_unless_it_was_put_over_it(
    minute: int, time_zone: str, after: datetime
):
    due = next_at(minute, time_zone=time_zone, after=after)
    shown = minute_of_day(due, time_zone)

    if shown != minute:
        before, behind = (local(due + shift, time_zone) for shift in (-DAY_PART, DAY_PART))
        assert before.utcoffset() != behind.utcoffset()


DAY_PART = timedelta(hours=26)


@given(minute=minutes, time_zone=zones, after=moments)
def test_asked_again_at_that_moment_it_is_another_day(
    minute: int, time_zone: str, after: datetime
):
    first = next_at(minute, time_zone=time_zone, after=after)
    second = next_at(minute, time_zone=time_zone, after=first)

    assert timedelta(hours=22) < second - first <= timedelta(hours=48)


@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("2026-03-28T08:00", "2026-03-29T08:00"),  # a day of 23 hours
        ("2026-10-24T08:00", "2026-10-25T08:00"),  # and one of 25
        ("2026-06-01T07:59", "2026-06-01T08:00"),
    ],
)
def test_eight_in_berlin_stays_eight_in_berlin(after: str, due: str):
    found = next_at(480, time_zone="Europe/Berlin", after=at(after, "Europe/Berlin"))

    assert found == at(due, "Europe/Berlin")


def test_a_time_that_the_clock_skips_comes_an_hour_later_and_once():
    night = next_at(150, time_zone="Europe/Berlin", after=at("2026-03-29T00:00", "Europe/Berlin"))

    assert local(night, "Europe/Berlin").strftime("%d %H:%M") == "29 03:30"
    assert next_at(150, time_zone="Europe/Berlin", after=night).day == 30


def test_a_time_that_comes_twice_counts_once():
    first = next_at(150, time_zone="Europe/Berlin", after=at("2026-10-25T00:00", "Europe/Berlin"))
    second = next_at(150, time_zone="Europe/Berlin", after=first)

    assert (first.hour, second - first) == (0, timedelta(hours=25))


@given(minute=minutes, time_zone=zones, after=moments, weekday=st.integers(0, 6))
def test_a_time_on_a_weekday_is_the_next_of_the_daily_ones_on_that_day(
    minute: int, time_zone: str, after: datetime, weekday: int
):
    due = next_at(minute, time_zone=time_zone, after=after, weekday=weekday)
    daily = next_at(minute, time_zone=time_zone, after=due - timedelta(seconds=1))

    # Up to an hour and a day off where a zone skips a day or moves its clock (Apia, 2011).
    assert due == daily
    assert timedelta() < due - after <= timedelta(days=9)
    assert local(due - timedelta(hours=1), time_zone).weekday() in {
        weekday,
        (weekday - 1) % 7,
        (weekday + 1) % 7,
    }


@pytest.mark.parametrize(
    ("minute", "after", "due"),
    [
        (480, "2026-03-22T08:00", "2026-03-29T08:00"),  # the week that ends with 23 hours
        (480, "2026-10-18T08:00", "2026-10-25T08:00"),  # and with 25
        (150, "2026-03-22T02:30", "2026-03-29T03:30"),  # left out by the clock
        (150, "2026-10-25T01:59", "2026-10-25T02:30"),  # the first of two, and not the second
        (150, "2026-10-25T02:30", "2026-11-01T02:30"),
    ],
)
def test_a_sunday_in_berlin_comes_once_whatever_the_clock_does(minute: int, after: str, due: str):
    found = next_at(minute, time_zone="Europe/Berlin", after=at(after, "Europe/Berlin"), weekday=6)

    assert found == at(due, "Europe/Berlin")


def test_a_zone_this_machine_does_not_know_is_utc():
    assert zone("Mars/Olympus") is UTC
    assert zone("../../etc/passwd") is UTC
    assert zone("UTC") is UTC
    assert zone("") is UTC


def test_a_day_has_1440_minutes():
    with pytest.raises(ValueError, match="1440"):
        next_at(1440, time_zone="UTC", after=datetime(2026, 1, 1, tzinfo=UTC))
