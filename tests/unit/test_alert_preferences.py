"""How loud an alert may be: what the person wants, when it is quiet, and what is never left out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from engine.domain.accounts.incidents import PAUSING, IncidentKind
from engine.domain.alerts.alerts import (
    Alert,
    Halted,
    IncidentAlert,
    OrderNeedsPerson,
    RunDeclined,
    TradeSettled,
)
from engine.domain.alerts.preferences import (
    AlertLevel,
    AlertPreferences,
    DeliveryMode,
    QuietHours,
    delivery_mode,
)
from engine.domain.alerts.shared_alerts import AccountChanged
from engine.domain.alerts.traits import AlertKind, AlertTraits
from engine.domain.market.pairs import Side
from engine.domain.orders.order import Trigger
from tests.builders import MNTLUSDT
from tests.fakes.clock import START

D = Decimal
NIGHT = QuietHours(23 * 60, 7 * 60)
BERLIN = AlertPreferences(quiet=NIGHT, time_zone="Europe/Berlin")
minutes = st.integers(0, 24 * 60 - 1)
hours = st.tuples(minutes, minutes).filter(lambda m: m[0] != m[1]).map(lambda m: QuietHours(*m))
natures = st.builds(
    AlertTraits,
    st.sampled_from(AlertKind),
    st.booleans(),
    st.none() | st.decimals(0, 1000, places=2),
)
some_settings = st.builds(
    AlertPreferences,
    levels=st.dictionaries(st.sampled_from(AlertKind), st.sampled_from(AlertLevel)),
    smallest=st.decimals(0, 1000, places=2),
    time_zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "Nowhere/Known"]),
    quiet=st.none() | hours,
    errors_break_through=st.booleans(),
)
moments = st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1))  # noqa: DTZ001


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_trade(**changes: Any) -> TradeSettled:
    values: dict[str, Any] = {
        "dry_run": False,
        "symbol": MNTLUSDT,
        "side": Side.BUY,
        "trigger": Trigger.INTERVAL,
        "base_quantity": D(8142),
        "quote_amount": D("16.30"),
        "asked_quote": D("17.10"),
        "fees": None,
        "quote_before": D("57.10"),
        "quote_after": None,
        "target": D(40),
    }
    return TradeSettled(**values | changes)


def a_trouble(kind: IncidentKind, *, paused: bool = False) -> IncidentAlert:
    return IncidentAlert(
        dry_run=False,
        kind=kind,
        detail="",
        count=1,
        since=START,
        at=START,
        symbol=MNTLUSDT,
        paused=paused,
    )


@given(told=natures, now=moments)
def test_without_settings_everything_rings(told: AlertTraits, now: datetime):
    assert delivery_mode(told, AlertPreferences(), now=now) is DeliveryMode.LOUD


@given(told=natures, settings=some_settings, now=moments)
def test_quiet_hours_never_leave_anything_out(
    told: AlertTraits, settings: AlertPreferences, now: datetime
):
    awake = delivery_mode(told, replace(settings, quiet=None), now=now)
    quiet = delivery_mode(told, settings, now=now)

    assert (awake is DeliveryMode.OFF) == (quiet is DeliveryMode.OFF)
    assert quiet is not DeliveryMode.LOUD or awake is DeliveryMode.LOUD


@given(told=natures, settings=some_settings, now=moments)
def test_what_is_needed_is_never_left_out(
    told: AlertTraits, settings: AlertPreferences, now: datetime
):
    assert delivery_mode(replace(told, needed=True), settings, now=now) is not DeliveryMode.OFF


@given(told=natures, settings=some_settings, now=moments)
def test_nothing_rings_that_a_person_wants_silent(
    told: AlertTraits, settings: AlertPreferences, now: datetime
):
    settings = settings.with_level(told.kind, AlertLevel.SILENT)

    assert delivery_mode(told, settings, now=now) is not DeliveryMode.LOUD


@given(quiet=hours, minute=minutes)
def test_a_minute_is_in_the_hours_or_in_those_that_complete_the_day(
    quiet: QuietHours, minute: int
):
    others = QuietHours(quiet.end, quiet.start)

    assert quiet.cover(minute) != others.cover(minute)


@given(quiet=hours)
def test_quiet_hours_begin_with_their_first_minute_and_end_before_their_last(quiet: QuietHours):
    assert quiet.cover(quiet.start)
    assert not quiet.cover(quiet.end)


@pytest.mark.parametrize(
    ("now", "is_quiet"),
    [
        ("2026-01-10T21:59", False),  # 22:59 in Berlin's winter
        ("2026-01-10T22:00", True),
        ("2026-01-11T05:59", True),
        ("2026-01-11T06:00", False),
        ("2026-07-10T20:59", False),  # in summer all that is an hour earlier
        ("2026-07-10T21:00", True),
        ("2026-07-11T05:00", False),
        ("2026-03-29T04:59", True),  # the night in which the clock is put forward
        ("2026-03-29T05:00", False),
        ("2026-10-25T05:59", True),  # and the one in which it is put back
        ("2026-10-25T06:00", False),
    ],
)
def test_quiet_hours_cross_midnight_and_follow_summer_time(now: str, is_quiet: bool):
    told = AlertTraits(AlertKind.TRADE)

    assert BERLIN.is_quiet(utc(now)) is is_quiet
    assert (delivery_mode(told, BERLIN, now=utc(now)) is DeliveryMode.SILENT) is is_quiet


def test_errors_break_through_quiet_hours_if_they_may():
    night = utc("2026-01-11T01:00")
    silent = replace(BERLIN, errors_break_through=False)
    error, key = AlertTraits(AlertKind.ERROR), AlertTraits(AlertKind.KEY, needed=True)

    assert [delivery_mode(told, BERLIN, now=night) for told in (error, key)] == [
        DeliveryMode.LOUD
    ] * 2
    assert [delivery_mode(told, silent, now=night) for told in (error, key)] == [
        DeliveryMode.SILENT
    ] * 2
    assert delivery_mode(AlertTraits(AlertKind.KEY), BERLIN, now=night) is DeliveryMode.SILENT


def test_an_error_that_is_wanted_silent_breaks_through_nothing():
    settings = BERLIN.with_level(AlertKind.ERROR, AlertLevel.SILENT)

    assert (
        delivery_mode(AlertTraits(AlertKind.ERROR), settings, now=utc("2026-01-11T01:00"))
        is DeliveryMode.SILENT
    )


def test_a_small_trade_is_left_to_the_digest():
    settings = AlertPreferences(smallest=D("16.31"))
    exact = AlertPreferences(smallest=D("16.30"))

    assert delivery_mode(a_trade().traits, settings, now=START) is DeliveryMode.OFF
    assert delivery_mode(a_trade().traits, exact, now=START) is DeliveryMode.LOUD


@pytest.mark.parametrize("change", [{"trigger": Trigger.PERSON}, {"late": True}])
def test_a_small_trade_that_somebody_waits_for_is_told(change: dict[str, Any]):
    settings = AlertPreferences(smallest=D(100)).with_level(AlertKind.TRADE, AlertLevel.OFF)

    assert delivery_mode(a_trade(**change).traits, settings, now=START) is DeliveryMode.SILENT


def test_an_order_that_found_nobody_is_as_large_as_it_was_to_be():
    nothing = a_trade(base_quantity=D(0), quote_amount=D(0))

    assert nothing.traits.worth == D("17.10")


@pytest.mark.parametrize("kind", [kind for kind in IncidentKind if kind in PAUSING])
def test_a_trouble_that_stopped_trading_cannot_be_off(kind: IncidentKind):
    settings = AlertPreferences(levels=dict.fromkeys(AlertKind, AlertLevel.OFF))

    assert (
        delivery_mode(a_trouble(kind, paused=True).traits, settings, now=START)
        is DeliveryMode.SILENT
    )
    assert delivery_mode(a_trouble(kind).traits, settings, now=START) is DeliveryMode.OFF


def test_a_halt_and_an_order_that_needs_a_person_cannot_be_off():
    settings = AlertPreferences(levels=dict.fromkeys(AlertKind, AlertLevel.OFF))
    needs = OrderNeedsPerson(
        dry_run=False,
        symbol=MNTLUSDT,
        side=Side.BUY,
        expected_quote=D(1),
        client_order_id="bl1",
    )
    declined = RunDeclined(dry_run=False, symbol=MNTLUSDT, held=D(1), target=D(2), reason=None)

    for alert in (needs, declined, Halted(dry_run=False)):
        assert delivery_mode(alert.traits, settings, now=START) is DeliveryMode.SILENT


def _alerts(kind: type[Alert]) -> st.SearchStrategy[Alert]:
    """Any of a *kind*; a target that is none cannot be made at random."""
    if kind is AccountChanged:
        return st.builds(AccountChanged, threshold=st.none(), aim=st.none())
    return st.from_type(kind)


@given(data=st.data())
def test_every_alert_has_a_nature(data: st.DataObject):
    alert = data.draw(_alerts(data.draw(st.sampled_from(get_args(Alert)))))

    try:
        assert alert.traits.kind in AlertKind
    except InvalidOperation:  # of infinite amounts, which no alert has
        reject()


def test_levels_that_are_on_are_not_kept():
    settings = AlertPreferences().with_level(AlertKind.TRADE, AlertLevel.OFF)

    assert settings.levels == {AlertKind.TRADE: AlertLevel.OFF}
    assert settings.with_level(AlertKind.TRADE, AlertLevel.ON) == AlertPreferences()


def test_three_taps_lead_back():
    level = AlertLevel.ON
    seen = [level := level.following for _ in range(3)]

    assert seen == [AlertLevel.SILENT, AlertLevel.OFF, AlertLevel.ON]


def test_the_next_digest_is_due_unless_it_is_off():
    settings = AlertPreferences(digest_minute=8 * 60, time_zone="Europe/Berlin")

    assert settings.next_digest(START) == START.replace(hour=7) + timedelta(days=1)
    assert settings.with_level(AlertKind.DIGEST, AlertLevel.OFF).next_digest(START) is None
    assert AlertPreferences().next_digest(START) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: QuietHours(60, 60),
        lambda: QuietHours(-1, 60),
        lambda: QuietHours(0, 1440),
        lambda: AlertPreferences(smallest=D(-1)),
        lambda: AlertPreferences(smallest=D("NaN")),
        lambda: AlertPreferences(digest_minute=1440),
    ],
    ids=["empty", "before", "after", "negative", "nan", "digest"],
)
def test_settings_that_make_no_sense_do_not_exist(make: Any):
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
        make()
