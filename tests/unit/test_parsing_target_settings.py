"""What is typed around a target, and its way back to text."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.parsing.settings import Ambiguous
from bot.parsing.target_settings import (
    ProtectWish,
    ScheduleWish,
    parse_any_threshold,
    parse_band_switch,
    parse_bands,
    parse_cooldown,
    parse_crash_guard,
    parse_destination,
    parse_protect,
    parse_schedule,
)
from engine.domain.market.pairs import USDT, Asset
from engine.domain.targets.bands import ShareBand, Threshold
from engine.domain.targets.crash_guard import CrashGuard, GuardAction
from engine.domain.targets.destination import Destination
from engine.domain.targets.notation import (
    bands_text,
    crash_guard_text,
    protected_text,
    schedule_text,
    span_text,
    threshold_text,
)
from engine.domain.targets.timing import Schedule, When
from tests.builders import MNTL

BTC, ETH = Asset("BTC"), Asset("ETH")
DAILY, WEEKDAYS = tuple(range(7)), tuple(range(5))


@pytest.mark.parametrize(
    ("texts", "drift"),
    [
        (["5%", "5 %"], Threshold(relative=Decimal("0.05"))),
        (["5pp", "5 PP", "5 points"], Threshold(points=Decimal("0.05"))),
        (
            ["5pp 25%", "25% 5pp", "5pp or 25%", "5 points, 25 %"],
            Threshold(points=Decimal("0.05"), relative=Decimal("0.25")),
        ),
        (["2 USDT", "$2"], Threshold(quote_amount=Decimal(2))),
    ],
)
def test_a_drift_is_a_part_of_the_weight_points_or_an_amount(texts: list[str], drift: Threshold):
    assert [parse_any_threshold(text) for text in texts] == [drift] * len(texts)


@pytest.mark.parametrize(
    ("text", "options"), [("5", ("5%", "5 USDT")), ("2,5pp", ("2.5pp",)), ("2,5%", ("2.5%",))]
)
def test_a_drift_that_may_mean_something_else_is_asked_about(text: str, options: tuple[str, ...]):
    asked = parse_any_threshold(text)

    assert isinstance(asked, Ambiguous)
    assert asked.options == options


def test_bands_name_their_asset_and_are_percentages():
    assert parse_bands("BTC 45..60") == {BTC: ShareBand(Decimal("0.45"), Decimal("0.6"))}
    assert parse_bands("btc 45%..60%, ETH: 20 … 30; usdt off") == {
        BTC: ShareBand(Decimal("0.45"), Decimal("0.6")),
        ETH: ShareBand(Decimal("0.2"), Decimal("0.3")),
        USDT: None,
    }


def test_what_is_about_all_bands_is_switched_by_two_words():
    assert parse_band_switch("twice on") == {"twice": True}
    assert parse_band_switch(" Scale  OFF") == {"scaled": False}
    assert [parse_band_switch(text) for text in ("twice", "BTC off", "off")] == [None] * 3


@pytest.mark.parametrize(
    ("text", "destination"),
    [
        ("centre", Destination.CENTRE),
        ("Center", Destination.CENTRE),
        ("half way", Destination.HALF),
        ("edge", Destination.EDGE),
    ],
)
def test_a_destination_is_one_of_three_words(text: str, destination: Destination):
    assert parse_destination(text) is destination


def test_an_amount_to_protect_names_its_asset():
    assert parse_protect("MNTL 50000") == ProtectWish(MNTL, Decimal(50000))
    assert parse_protect("mntl off") == ProtectWish(MNTL, None)
    assert parse_protect("USDT 20") == ProtectWish(USDT, Decimal(20))
    asked = parse_protect("MNTL 50,000")
    assert isinstance(asked, Ambiguous)
    assert asked.options == ("MNTL 50000", "MNTL 50")


@pytest.mark.parametrize(
    ("text", "minutes"), [("30m", 30), ("1h 30m", 90), ("2d", 2880), ("off", None)]
)
def test_a_rest_after_a_trade_is_whole_minutes(text: str, minutes: int | None):
    assert parse_cooldown(text) == (None if minutes is None else timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("text", "minutes", "days", "when"),
    [
        ("09:00", (540,), DAILY, When.BOTH),
        ("daily 9:00 always", (540,), DAILY, When.SCHEDULE),
        ("mon, fri 21:00 09:00", (540, 1260), (0, 4), When.BOTH),
        ("weekdays 00:00 23:59 too", (0, 1439), WEEKDAYS, When.EITHER),
        ("weekend 02:30 outside", (150,), (5, 6), When.BOTH),
    ],
)
def test_a_schedule_has_times_days_and_how(text, minutes, days, when):
    assert parse_schedule(text) == ScheduleWish(Schedule(minutes, days), when)


def test_a_schedule_can_be_taken_off():
    assert parse_schedule("off") is None
    assert parse_crash_guard("off") is None


@pytest.mark.parametrize(
    ("text", "action", "lifts"),
    [
        ("20%", GuardAction.STOP_BUYING, None),
        ("20% pause", GuardAction.PAUSE, None),
        ("20% for 1d", GuardAction.STOP_BUYING, timedelta(days=1)),
        ("20 % pause 12h", GuardAction.PAUSE, timedelta(hours=12)),
    ],
)
def test_a_crash_guard_says_what_it_stops_and_when_it_lifts(text, action, lifts):
    assert parse_crash_guard(text) == CrashGuard(Decimal("0.2"), action, lifts)


def test_a_bare_fall_is_asked_about():
    asked = parse_crash_guard("20 pause")

    assert isinstance(asked, Ambiguous)
    assert asked.options == ("20% pause",)


def hundredths(least: int = 1, most: int = 9999) -> st.SearchStrategy[Decimal]:
    return st.integers(least, most).map(lambda number: Decimal(number).scaleb(-4))


_SPANS = st.integers(1, 7 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
_DRIFTS = (
    st.builds(Threshold, relative=hundredths())
    | st.builds(Threshold, points=hundredths())
    | st.builds(Threshold, points=hundredths(), relative=hundredths())
    | st.builds(Threshold, quote_amount=hundredths().map(lambda amount: amount * 100))
)
_BANDS = st.lists(hundredths(0, 10_000), min_size=2, max_size=2, unique=True).map(
    lambda edges: ShareBand(*sorted(edges))
)
_SCHEDULES = st.builds(
    Schedule,
    st.lists(st.integers(0, 1439), min_size=1, max_size=24, unique=True).map(
        lambda minutes: tuple(sorted(minutes))
    ),
    st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True).map(
        lambda days: tuple(sorted(days))
    ),
)


@given(
    drift=_DRIFTS,
    bands=st.dictionaries(st.sampled_from([BTC, ETH, MNTL, USDT]), _BANDS, min_size=1),
    wish=st.builds(
        ScheduleWish, _SCHEDULES, st.sampled_from([When.BOTH, When.SCHEDULE, When.EITHER])
    ),
    protect=st.builds(
        ProtectWish, st.sampled_from([MNTL, USDT]), st.integers(1, 10**9).map(Decimal)
    ),
    guard=st.builds(CrashGuard, hundredths(), st.sampled_from(GuardAction), st.none() | _SPANS),
    rest=_SPANS,
)
def test_each_text_means_exactly_what_it_was_written_from(
    drift, bands, wish, protect, guard, rest
):
    assert parse_any_threshold(threshold_text(drift)) == drift
    assert parse_bands(bands_text(bands)) == bands
    assert parse_schedule(schedule_text(wish.schedule, wish.when)) == wish
    assert parse_protect(protected_text({protect.asset: protect.units})) == protect
    assert parse_crash_guard(crash_guard_text(guard)) == guard
    assert parse_cooldown(span_text(rest)) == rest
