"""`/alerts ...` and `/warn ...` are understood exactly, asked about, or refused."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.parsing.alerts import LowWish, UnknownZone, parse_alerts, parse_warn
from bot.parsing.settings import Ambiguous, NotUnderstood, Topic
from engine.domain.alerts.preferences import (
    AlertLevel,
    AlertPreferences,
    QuietHours,
    WeeklyTime,
)
from engine.domain.alerts.traits import AlertKind
from engine.domain.market.pairs import Asset

D = Decimal


def wished(text: str, settings: AlertPreferences | None = None) -> AlertPreferences:
    parsed = parse_alerts(text)

    assert not isinstance(parsed, Ambiguous)
    return parsed[1](settings or AlertPreferences())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("trade silent", {"levels": {AlertKind.TRADE: AlertLevel.SILENT}}),
        ("Errors OFF", {"levels": {AlertKind.ERROR: AlertLevel.OFF}}),
        ("smallest 5", {"smallest": D(5)}),
        ("smallest $2.50", {"smallest": D("2.50")}),
        ("smallest 5 USDT", {"smallest": D(5)}),
        ("smallest 5usdt", {"smallest": D(5)}),
        ("smallest off", {}),
        ("quiet 23:00-07:00", {"quiet": QuietHours(1380, 420)}),
        ("quiet 2300-0700", {"quiet": QuietHours(1380, 420)}),
        ("quiet 9:00 - 17:30", {"quiet": QuietHours(540, 1050)}),
        ("quiet 23:00–07:00", {"quiet": QuietHours(1380, 420)}),
        ("quiet off", {}),
        ("zone europe/berlin", {"time_zone": "Europe/Berlin"}),
        ("zone America/New York", {"time_zone": "America/New_York"}),
        ("zone utc", {"time_zone": "UTC"}),
        ("digest 08:00", {"digest_minute": 480}),
        ("digest 0800", {"digest_minute": 480}),
        ("digest off", {}),
        ("digest silent", {"levels": {AlertKind.DIGEST: AlertLevel.SILENT}}),
        ("digest picture", {"digest_picture": True}),
        ("weekly mon 08:00", {"weekly": WeeklyTime(0, 480)}),
        ("weekly Thursdays at 8:05", {"weekly": WeeklyTime(3, 485)}),
        ("weekly Sun.2000", {"weekly": WeeklyTime(6, 1200)}),
        ("weekly off", {}),
        ("weekly text", {"weekly_picture": False}),
        ("through no", {"errors_break_through": False}),
        ("deposits no", {"ask_deposits": False}),
        ("pictures light", {"light_pictures": True}),
    ],
)
def test_what_is_understood(text: str, expected: dict[str, Any]):
    assert wished(text) == AlertPreferences(**expected)


def test_a_time_for_the_digest_wakes_one_that_was_off_and_leaves_one_silent():
    off = AlertPreferences().with_level(AlertKind.DIGEST, AlertLevel.OFF)
    silent = AlertPreferences().with_level(AlertKind.DIGEST, AlertLevel.SILENT)

    assert wished("digest 08:00", off).level(AlertKind.DIGEST) is AlertLevel.ON
    assert wished("weekly mon 08:00", off).level(AlertKind.DIGEST) is AlertLevel.ON
    assert wished("digest 08:00", silent).level(AlertKind.DIGEST) is AlertLevel.SILENT


@pytest.mark.parametrize(
    "text",
    [
        *("x", "trade", "trade loud", "smallest", "smallest -5", "smallest NaN", "smallest ５"),
        *("smallest 9999999", "quiet", "quiet 23:00", "quiet 24:00-07:00", "quiet 07:00-07:00"),
        *("quiet 7-8", "digest 25:00", "digest 8", "through maybe", "deposits", "x" * 41),
        *("smallest 1e5", "quiet ٢٣:٠٠-٠٧:٠٠", "weekly", "weekly mon", "weekly s 08:00"),
    ],
)
def test_what_is_not_understood(text: str):
    with pytest.raises(NotUnderstood) as refused:
        parse_alerts(text)

    assert refused.value.topic is Topic.ALERTS


def test_an_amount_with_two_meanings_is_asked_about():
    question = parse_alerts("smallest 1,000")

    assert question == Ambiguous(Topic.ALERTS, ("smallest 1000", "smallest 1"))
    assert wished(question.options[0]).smallest == D(1000)


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("zone berlin", "Europe/Berlin"),
        ("zone Europe/Berln", "Europe/Berlin"),
        ("zone New York", "America/New_York"),
        ("zone tokio", "Asia/Tokyo"),
    ],
)
def test_an_unknown_zone_is_answered_with_those_that_may_be_meant(typed: str, suggested: str):
    with pytest.raises(UnknownZone) as unknown:
        parse_alerts(typed)

    assert suggested in unknown.value.suggestions
    assert len(unknown.value.suggestions) <= 4


@pytest.mark.parametrize("name", ["", "qqqqqq", "../etc/passwd", "/", "EST", "Factory"])
def test_what_is_like_no_zone_is_refused_and_never_opened(name: str):
    with pytest.raises((UnknownZone, NotUnderstood)):
        parse_alerts(f"zone {name}")


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("MNTL 100000", LowWish(Asset("MNTL"), D(100000))),
        ("mntl 100000 MNTL", LowWish(Asset("MNTL"), D(100000))),
        ("MNTL/USDT 5", LowWish(Asset("MNTL"), D(5))),
        ("usdt 10.50", LowWish(Asset("USDT"), D("10.50"))),
        ("BTC 0.005", LowWish(Asset("BTC"), D("0.005"))),
        ("MNTL off", LowWish(Asset("MNTL"), None)),
        ("MNTL 1,000,000", LowWish(Asset("MNTL"), D(1000000))),
        ("币安人生 10", LowWish(Asset("币安人生"), D(10))),
        ("币安人生 10 币安人生", LowWish(Asset("币安人生"), D(10))),
        ("币安人生 off", LowWish(Asset("币安人生"), None)),
    ],
)
def test_a_warning_is_understood(text: str, wish: LowWish):
    assert parse_warn(text) == wish


def test_a_warning_with_two_meanings_is_asked_about():
    assert parse_warn("MNTL 100,000") == Ambiguous(Topic.WARN, ("MNTL 100000", "MNTL 100"))


@pytest.mark.parametrize(
    "text",
    ["", "MNTL", "MNTL 0", "MNTL -5", "MNTL many", "5 MNTL x", "<b> 5", "MNTL NaN", "é;é 5"],
)
def test_a_warning_that_is_none(text: str):
    with pytest.raises(NotUnderstood) as refused:
        parse_warn(text)

    assert refused.value.topic is Topic.WARN


@given(
    text=st.text(max_size=45),
    part=st.sampled_from(["", "zone ", "quiet ", "smallest ", "digest ", "weekly "]),
)
def test_any_text_is_understood_or_refused(text: str, part: str):
    try:
        wished_for = parse_alerts(part + text)
    except (NotUnderstood, UnknownZone):
        return
    if not isinstance(wished_for, Ambiguous):
        wished_for[1](AlertPreferences())
