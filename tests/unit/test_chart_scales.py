"""The round values and dates of a picture's axes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.views.charts.scales import TimeScale, ValueScale, axis_label
from bot.views.charts.series import Sample, decimated, runs, value_at
from bot.views.components.times import times_in

UNTIL = datetime(2026, 11, 30, 12, 7, tzinfo=UTC)
amounts = st.decimals(min_value=0, max_value=10**15, places=8)


def scale(span: timedelta) -> TimeScale:
    return TimeScale(UNTIL - span, UNTIL, 16, 310)


def line(*values: str) -> list[Sample]:
    begin = UNTIL - timedelta(hours=len(values) - 1)
    return [Sample(begin + timedelta(hours=i), Decimal(v)) for i, v in enumerate(values)]


@given(st.lists(amounts, min_size=1, max_size=5))
def test_an_axis_holds_all_values_and_at_most_three_round_ones(values):
    axis = ValueScale.over(values, top=80, bottom=220)

    assert all(80 <= axis.y(value) <= 220 for value in values)
    assert len(axis.ticks()) <= 3
    assert all(axis.low <= value <= axis.high for value, _ in axis.ticks())
    assert axis.low >= 0


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        ("960", "1620", ["1,000", "1,250", "1,500"]),
        ("240.82", "240.82", ["240", "245"]),
        ("0.0021", "0.0034", ["0.0025", "0.0030"]),
        ("10200000", "16100000", ["10.0M", "12.5M", "15.0M"]),
        ("0", "0", ["0", "0.5", "1.0"]),
    ],
)
def test_the_values_beside_the_axis_are_round(low, high, labels):
    axis = ValueScale.over([Decimal(low), Decimal(high)], top=80, bottom=220)

    assert [text for _, text in axis.ticks()] == labels


def test_a_long_value_is_short_beside_the_axis():
    assert axis_label(Decimal(1_250_000), Decimal(250_000)) == "1.25M"
    assert axis_label(Decimal(-99_000), Decimal(1000)) == "-99,000"


@pytest.mark.parametrize(
    ("days", "names"),
    [
        (90, ["1 Oct", "1 Nov"]),
        (365, ["1 Jan", "1 Apr", "1 Jul", "1 Oct"]),
        (1500, ["2023", "2024", "2025", "2026"]),
        (30, ["2 Nov", "9 Nov", "16 Nov", "23 Nov", "30 Nov"][::2]),
        (7, ["24 Nov", "26 Nov", "28 Nov", "30 Nov"]),
    ],
)
def test_the_dates_below_are_firsts_mondays_or_days(days, names):
    assert [name for _, name in scale(timedelta(days=days)).ticks()] == names


@given(st.integers(min_value=0, max_value=40 * 365 * 24 * 60))
def test_there_are_at_most_four_dates_and_one_at_least(minutes):
    time = scale(timedelta(minutes=minutes))
    ticks = time.ticks()

    assert 1 <= len(ticks) <= 4
    assert all(16 <= time.x(moment) <= 310 for moment, _ in ticks)


def test_hours_and_days_begin_when_the_readers_clock_says_so():
    with times_in("Asia/Kolkata"):
        hours = scale(timedelta(days=1)).ticks()
        days = scale(timedelta(days=3)).ticks()

    assert [name for _, name in hours] == ["18:00", "00:00", "06:00", "12:00"]
    assert hours[1][0].astimezone(UTC) == datetime(2026, 11, 29, 18, 30, tzinfo=UTC)
    assert days[0][0].astimezone(UTC) == datetime(2026, 11, 27, 18, 30, tzinfo=UTC)


def test_a_spike_survives_in_a_long_line():
    samples = line(*(["100"] * 3000), "7", *(["100"] * 1999))
    samples[100] = Sample(samples[100].at, Decimal(900))
    shown = decimated(samples, TimeScale(samples[0].at, samples[-1].at, 16, 310))

    assert {Decimal(7), Decimal(900)} <= {sample.value for sample in shown}
    assert len(shown) <= 4 * 91
    assert [sample.at for sample in shown] == sorted({sample.at for sample in shown})
    assert (shown[0], shown[-1]) == (samples[0], samples[-1])


def test_a_line_ends_where_nothing_is_known_for_long():
    samples = line(*"123456")
    gap = timedelta(hours=3)
    del samples[2:5]

    assert [len(run) for run in runs(samples, gap=gap)] == [2, 1]
    assert [len(run) for run in runs(samples, gap=gap * 2)] == [3]
    assert runs([], gap=gap) == []


def test_between_two_samples_the_value_lies_on_the_line():
    samples = line("10", "20", "40")

    assert value_at(samples[0].at + timedelta(minutes=30), samples) == 15
    assert value_at(samples[1].at, samples) == 20
    assert value_at(UNTIL + timedelta(days=1), samples) == 40
    assert value_at(UNTIL - timedelta(days=1), samples) == 10
