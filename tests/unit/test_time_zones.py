"""Time zones as people name them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.parsing.alerts import UnknownZone, parse_alerts
from bot.parsing.time_zones import cities_of, named_by_offset, shown
from bot.views.alert_preferences import alerts_changed_view
from engine.domain.alerts.preferences import AlertPreferences
from tests.builders import account

WINTER = datetime(2026, 1, 15, 12, tzinfo=UTC)


def zone(text: str) -> AlertPreferences:
    parsed = parse_alerts(f"zone {text}")
    assert isinstance(parsed, tuple)
    return parsed[1](AlertPreferences())


@pytest.mark.parametrize(
    ("typed", "hours", "said"),
    [
        ("GMT+3", 3, "UTC+3"),
        ("utc+3", 3, "UTC+3"),
        ("UTC +3", 3, "UTC+3"),
        ("+03:00", 3, "UTC+3"),
        ("+0300", 3, "UTC+3"),
        ("GMT-5", -5, "UTC-5"),
        ("UTC\u22125", -5, "UTC-5"),
        ("+5:30", 5.5, "Asia/Kolkata"),
        ("UTC+5:45", 5.75, "Asia/Kathmandu"),
        ("GMT", 0, "UTC"),
        ("UTC+0", 0, "UTC"),
        ("GMT+14", 14, "UTC+14"),
        ("(UTC+3)", 3, "UTC+3"),
        ("UTC+\uff13.", 3, "UTC+3"),
        ("UTC+5.5", 5.5, "Asia/Kolkata"),
        ("GMT+5,75", 5.75, "Asia/Kathmandu"),
        ("GMT0", 0, "UTC"),
    ],
)
def test_an_offset_is_what_people_mean_by_it(typed: str, hours: float, said: str):
    name = zone(typed).time_zone

    offset = WINTER.astimezone(ZoneInfo(name)).utcoffset()
    assert offset is not None
    assert offset.total_seconds() == hours * 3600
    assert shown(name) == said


@pytest.mark.parametrize("typed", ["GMT+15", "UTC-13", "+3:15", "GMT+99"])
def test_an_offset_that_no_place_has_is_no_zone(typed: str):
    assert named_by_offset(typed) is None
    with pytest.raises(UnknownZone) as refused:
        zone(typed)
    assert not any(name.startswith("Etc/") for name in refused.value.suggestions)


@pytest.mark.parametrize("typed", ["UTC+25", "GMT 3", "MSK+2", "utc3", "+3:15", "UTC+003"])
def test_what_is_meant_as_an_offset_is_no_zone_that_is_spelled_like_it(typed: str):
    with pytest.raises(UnknownZone) as refused:
        zone(typed)

    assert refused.value.suggestions == ()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("GMT-3:30", "America/St_Johns"),
        ("utc+12:45", "Pacific/Chatham"),
        ("EST5EDT", "America/New_York"),
        ("NPT", "Asia/Kathmandu"),
        ("IST", "Asia/Kolkata"),
        ("EST", "America/New_York"),
        ("CET", "Europe/Berlin"),
        ("PST", "America/Los_Angeles"),
        ("MSK", "Europe/Moscow"),
        ("berlin", "Europe/Berlin"),
        ("Rome", "Europe/Rome"),
    ],
)
def test_suggested_is_what_people_mean(typed: str, meant: str):
    with pytest.raises(UnknownZone) as refused:
        zone(typed)

    assert refused.value.suggestions[0] == meant


@pytest.mark.parametrize("typed", ["XYZT", "QQQ", "gmt", "etc", "GMT+20", "zulu time"])
def test_no_zone_that_counts_backwards_is_ever_suggested(typed: str):
    try:
        zone(typed)
    except UnknownZone as e:
        assert [name for name in e.suggestions if name.startswith("Etc/")] == []  # noqa: PT017


def test_cities_of_that_offset_are_offered_because_summer_time_matters():
    settings = zone("GMT+3")
    view = alerts_changed_view(
        account=account(), part="zone", before=AlertPreferences(), settings=settings, now=WINTER
    )
    assert view.keyboard is not None
    labels = [button.text for row in view.keyboard.inline_keyboard for button in row]

    assert "UTC+3" in view.text
    assert "Etc/" not in view.text
    assert "Europe/Istanbul" in labels
    assert "Europe/Istanbul" in cities_of("Etc/GMT-3", at=WINTER)
