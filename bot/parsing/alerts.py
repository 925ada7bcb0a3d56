"""Parses the arguments of `/alerts` and `/warn`; the panel's buttons use the same words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from zoneinfo import available_timezones

from bot.parsing.input_rules import InputRule, unreadable_rule
from bot.parsing.settings import (
    Ambiguous,
    NotUnderstood,
    Topic,
    is_certain,
    normalized,
    numbers_in,
    one_of,
    parse_symbol,
)
from bot.parsing.time_zones import is_by_offset, meant_by, named_by_offset, with_offset_in_a_season
from engine.accounts.alert_preferences import PreferenceRequest
from engine.domain.accounts.shares import SharedAlerts
from engine.domain.alerts.preferences import (
    MOST_SMALLEST,
    AlertLevel,
    AlertPreferences,
    QuietHours,
    WeeklyTime,
)
from engine.domain.alerts.traits import AlertKind
from engine.domain.market.decimals import ZERO, plain
from engine.domain.market.pairs import USDT, Asset, base_of

_MOST_SUGGESTIONS = 4
_ABBREVIATION = 4
_MINUTES_AN_HOUR = 60
_KINDS = {kind.value: kind for kind in AlertKind} | {
    "trades": AlertKind.TRADE,
    "errors": AlertKind.ERROR,
    "recoveries": AlertKind.RECOVERY,
    "keys": AlertKind.KEY,
    "plans": AlertKind.PLAN,
    "prices": AlertKind.PRICE,
}
_LEVELS = {level.value: level for level in AlertLevel}
_SWITCH = {"yes": True, "on": True, "no": False, "off": False}
_LIGHT = {"light": True, "dark": False}
_PICTURE = {"picture": True, "text": False}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LEAST_OF_A_DAY = 2
# A button has no blank in its value.
_WEEKLY = re.compile(r"(?P<day>[a-z]+)[ ,.]+(?:at )?(?P<time>[0-9:]{3,5})", re.ASCII)
_TIME = re.compile(r"(?P<hour>[01]?[0-9]|2[0-3]):?(?P<minute>[0-5][0-9])", re.ASCII)
_RANGE = re.compile(r"(?P<start>[0-9:]{3,5}) ?(?:-|–|to) ?(?P<end>[0-9:]{3,5})", re.ASCII)


class UnknownZone(Exception):
    """Raised if no time zone has this name; *suggestions* are similar ones."""

    def __init__(self, suggestions: tuple[str, ...]) -> None:
        super().__init__("no such time zone")
        self.suggestions = suggestions


@dataclass(frozen=True, slots=True)
class LowWish:
    """`/warn MNTL 100000`; *below* None is "off"."""

    asset: Asset
    below: Decimal | None


def parse_alerts(text: str) -> tuple[str, PreferenceRequest] | Ambiguous:  # noqa: PLR0911 - one return a part
    """Return the part to set and its value. Raises NotUnderstood, UnknownZone."""
    part, _, value = normalized(text, Topic.ALERTS).partition(" ")
    part, value = part.lower(), value.strip()
    match part:
        case "digest":
            return part, _digest(value.lower())
        case "weekly":
            return part, _weekly(value.lower())
        case _ if part in _KINDS:
            kind = _KINDS[part]
            level = one_of(_LEVELS, value, Topic.ALERTS, InputRule.ALERT_LEVEL)
            return kind.value, lambda settings: settings.with_level(kind, level)
        case "smallest":
            return _smallest(value)
        case "quiet":
            hours = None if value.lower() == "off" else _hours(value.lower())
            return part, lambda settings: replace(settings, quiet=hours)
        case "zone":
            name = _zone(value)
            return part, lambda settings: replace(settings, time_zone=name)
        case "through":
            through = one_of(_SWITCH, value, Topic.ALERTS, InputRule.YES_OR_NO)
            return part, lambda settings: replace(settings, errors_break_through=through)
        case "deposits":
            asked = one_of(_SWITCH, value, Topic.ALERTS, InputRule.YES_OR_NO)
            return part, lambda settings: replace(settings, ask_deposits=asked)
        case "pictures":
            light = one_of(_LIGHT, value, Topic.ALERTS, InputRule.LIGHT_OR_DARK)
            return part, lambda settings: replace(settings, light_pictures=light)
        case _:
            raise NotUnderstood(Topic.ALERTS, InputRule.ALERT_PART)


def parse_shared_alerts(text: str) -> SharedAlerts | str | None:
    """Parse "all", "troubles" or "off", or the name of a time zone behind "zone"; None for another
    word. Raises UnknownZone.
    """
    part, _, value = text.partition(" ")
    if part.lower() == "zone":
        return _zone(value.strip())
    return {level.value: level for level in SharedAlerts}.get(text.lower())


def parse_warn(text: str) -> LowWish | Ambiguous:
    """Parse "MNTL 100000", "USDT 10" or "MNTL off"; "MNTL 100,000" is ambiguous. The name may
    stand there twice: it was asked for the amount.
    """
    name, _, value = normalized(text, Topic.WARN).partition(" ")
    asset = USDT if name.upper() == USDT else _asset(name)
    if value.upper().startswith(f"{name.upper()} "):
        value = value[len(name) :].strip()
    if value.lower() == "off":
        return LowWish(asset, None)
    if value.upper().endswith(asset.upper()):
        value = value[: -len(asset)].strip()
    if not value:
        raise NotUnderstood(Topic.WARN, InputRule.WARNING_AMOUNT)
    below = _amount(value, Topic.WARN)
    if isinstance(below, Ambiguous):
        return Ambiguous(Topic.WARN, tuple(f"{asset} {option}" for option in below.options))
    return LowWish(asset, below)


def _digest(value: str) -> PreferenceRequest:
    """Setting a time turns the digest on; its level sets how loud it is, or turns it off."""
    if value == "off":
        return lambda settings: replace(settings, digest_minute=None)
    if value in _PICTURE:
        return lambda settings: replace(settings, digest_picture=_PICTURE[value])
    if value in _LEVELS:
        level = _LEVELS[value]
        return lambda settings: settings.with_level(AlertKind.DIGEST, level)
    minute = _minute(value)
    return lambda settings: replace(_awake(settings), digest_minute=minute)


def _weekly(value: str) -> PreferenceRequest:
    """Parse "mon 08:00", "monday at 8:00", or "mon.0800", as a button sends it."""
    if value == "off":
        return lambda settings: replace(settings, weekly=None)
    if value in _PICTURE:
        return lambda settings: replace(settings, weekly_picture=_PICTURE[value])
    parts = _WEEKLY.fullmatch(value)
    day = None if parts is None else _weekday(parts["day"])
    if parts is None or day is None:
        raise NotUnderstood(Topic.ALERTS, InputRule.WEEKDAY)
    weekly = WeeklyTime(day, _minute(parts["time"]))
    return lambda settings: replace(_awake(settings), weekly=weekly)


def _weekday(name: str) -> int | None:
    """0 is Monday; a day may be cut short where no other one begins so."""
    fitting = [day for day, whole in enumerate(_DAYS) if f"{whole}s".startswith(name)]
    return fitting[0] if len(fitting) == 1 and len(name) >= _LEAST_OF_A_DAY else None


def _awake(settings: AlertPreferences) -> AlertPreferences:
    """Who chooses a time for a report wants to get it."""
    is_off = settings.level(AlertKind.DIGEST) is AlertLevel.OFF
    return settings.with_level(AlertKind.DIGEST, AlertLevel.ON) if is_off else settings


def _smallest(value: str) -> tuple[str, PreferenceRequest] | Ambiguous:
    if value.lower() in {"0", "off"}:
        return "smallest", lambda settings: replace(settings, smallest=ZERO)
    tidy = value.upper().removeprefix("$").removesuffix("USDT").strip()
    amount = _amount(tidy, Topic.ALERTS)
    if isinstance(amount, Ambiguous):
        return Ambiguous(Topic.ALERTS, tuple(f"smallest {option}" for option in amount.options))
    if amount > MOST_SMALLEST:
        raise NotUnderstood(Topic.ALERTS, InputRule.MOST_SMALLEST)
    return "smallest", lambda settings: replace(settings, smallest=amount)


def _amount(value: str, topic: Topic) -> Decimal | Ambiguous:
    """Parse an amount above zero; in many countries 1,000 is one."""
    readings = numbers_in(value)
    amounts = [amount for amount in readings if amount > ZERO]
    if not amounts:
        most = InputRule.DIGITS if topic is Topic.WARN else InputRule.MOST_SMALLEST
        rule = InputRule.ABOVE_ZERO if readings else unreadable_rule(value, too_large=most)
        raise NotUnderstood(topic, rule)
    if not is_certain(value):
        return Ambiguous(topic, tuple(plain(amount) for amount in amounts))
    return amounts[0]


def _asset(name: str) -> Asset:
    try:
        return base_of(parse_symbol(name))
    except NotUnderstood as e:
        raise NotUnderstood(Topic.WARN, e.rule) from e


def _hours(value: str) -> QuietHours:
    hours = _RANGE.fullmatch(value)
    if hours is None:
        raise NotUnderstood(Topic.ALERTS, InputRule.TWO_TIMES)
    start, end = _minute(hours["start"]), _minute(hours["end"])
    if start == end:
        raise NotUnderstood(Topic.ALERTS, InputRule.TIMES_DIFFER)
    return QuietHours(start, end)


def _minute(value: str) -> int:
    """Parse "08:00", "8:00", or "0800", as a button sends it."""
    time = _TIME.fullmatch(value)
    if time is None:
        raise NotUnderstood(Topic.ALERTS, InputRule.TIME_OF_DAY)
    return int(time["hour"]) * _MINUTES_AN_HOUR + int(time["minute"])


def _zone(value: str) -> str:
    if (name := named_by_offset(value)) is not None:
        return name
    zones, wanted = _zones(), value.lower().replace(" ", "_")
    if wanted in zones:
        return zones[wanted]
    if is_by_offset(value):
        raise UnknownZone(with_offset_in_a_season(value))
    raise UnknownZone(meant_by(wanted) or _alike(wanted, zones))


def _alike(wanted: str, zones: Mapping[str, str]) -> tuple[str, ...]:
    """List zones of that city first, then those spelled similarly; never one with reversed sign.
    A few letters may be any abbreviation: a similar spelling would be another place.
    """
    cities = {name.rpartition("/")[2]: name for name in zones if not name.startswith("etc/")}
    places = list(cities.values())
    if len(wanted) <= _ABBREVIATION:
        found = dict.fromkeys(name for city, name in cities.items() if city.startswith(wanted))
        return tuple(zones[name] for name in found)[:_MOST_SUGGESTIONS]
    containing = [name for name in sorted(zones) if wanted in name and name[:4] != "etc/"]
    close = [cities[city] for city in get_close_matches(wanted, cities, n=_MOST_SUGGESTIONS)]
    close += get_close_matches(wanted, places, n=_MOST_SUGGESTIONS)
    found = dict.fromkeys([*containing, *close])
    return tuple(zones[name] for name in found)[:_MOST_SUGGESTIONS]


@cache
def _zones() -> Mapping[str, str]:
    """Map zones by lower-case name. Those without a region (EST, Factory) are left out."""
    places = {name for name in available_timezones() if "/" in name}
    return {name.lower(): name for name in (*sorted(places), "UTC")}
