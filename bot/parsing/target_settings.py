"""Parses what is set around a target: drift, bands, destination, protection, times, crash guard.

Each has its way back to text, which means exactly the same.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.parsing.alerts import parse_warn
from bot.parsing.input_rules import InputRule, percent_rule
from bot.parsing.plain_words import pause_time
from bot.parsing.settings import (
    PARSERS,
    Ambiguous,
    NotUnderstood,
    Topic,
    is_certain,
    normalized,
    numbers_in,
    one_of,
    parse_symbol,
    parse_threshold,
    percents_in,
    value_of,
)
from bot.parsing.targets import LONGEST_TARGET
from engine.domain.market.pairs import USDT, Asset, base_of
from engine.domain.targets.bands import ShareBand, Threshold
from engine.domain.targets.crash_guard import CrashGuard, GuardAction
from engine.domain.targets.destination import Destination
from engine.domain.targets.notation import DAY_NAMES, WHEN_WORDS
from engine.domain.targets.timing import (
    MAX_COOLDOWN,
    MIN_COOLDOWN,
    MOST_TIMES,
    Schedule,
    When,
)

OFF = "off"
USUAL = "usual"
_PERCENT = Decimal(100)
_POINTS = re.compile(r"([0-9.,]+) ?(?:pp|points?|pts?)", re.ASCII | re.IGNORECASE)
_BOTH = re.compile(r"(?P<one>[0-9.,]+ ?\S+?),? (?:or )?(?P<other>[0-9.,]+ ?\S+)", re.IGNORECASE)
_BAND = re.compile(
    r"(?P<name>[^\s:=]+)[ :=]+(?:(?P<low>[0-9.,]+?) ?%? ?(?:\.{2,3}|…) ?(?P<high>[0-9.,]+) ?%?|(?P<off>off))",
    re.IGNORECASE,
)
_SWITCH = re.compile(r"(twice|scale) (on|off)")
_SWITCHES = {"twice": "twice", "scale": "scaled"}
_DESTINATIONS = {
    **{destination.value: destination for destination in Destination},
    "center": Destination.CENTRE,
    "half way": Destination.HALF,
}
_TIME = re.compile(r"(?P<hour>[01]?[0-9]|2[0-3]):?(?P<minute>[0-5][0-9])", re.ASCII)
_GUARD = re.compile(
    r"(?P<fall>[0-9.,]+ ?%?)(?: (?P<pause>pause))?(?: (?:for )?(?P<time>[0-9][0-9a-z ]*))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ProtectWish:
    """Protect *units* of *asset*; None for nothing."""

    asset: Asset
    units: Decimal | None


@dataclass(frozen=True, slots=True)
class ScheduleWish:
    """Trade at *schedule*, as *when* says."""

    schedule: Schedule
    when: When


def parse_any_threshold(text: str) -> Threshold | Ambiguous:
    """Parse "5%" of each weight, "5pp" of the whole, "5pp 25%" for the narrower, or "2 USDT"."""
    tidy = normalized(text, Topic.THRESHOLD)
    if points := _POINTS.fullmatch(tidy):
        options, certain = percents_in(
            points[1],
            Topic.THRESHOLD,
            rule=percent_rule,
            too_large=InputRule.UNDER_100_PERCENT,
        )
        if certain:
            return Threshold(points=value_of(options[0]))
        return Ambiguous(Topic.THRESHOLD, tuple(f"{o.removesuffix('%')}pp" for o in options))
    if both := _BOTH.fullmatch(tidy):
        drifts = [parse_any_threshold(both["one"]), parse_any_threshold(both["other"])]
        points_of = [d.points for d in drifts if isinstance(d, Threshold) and d.points is not None]
        parts = [d.relative for d in drifts if isinstance(d, Threshold) and d.relative is not None]
        if len(points_of) == len(parts) == 1:
            return Threshold(points=points_of[0], relative=parts[0])
        raise NotUnderstood(Topic.THRESHOLD, InputRule.POINTS_AND_PERCENT)
    return parse_threshold(tidy)


SETTING_PARSERS: Mapping[Topic, Callable[[str], Any]] = {
    **PARSERS,
    Topic.THRESHOLD: parse_any_threshold,
}
"""Of each setting that a chat has, as a command or in the panel."""


def parse_bands(text: str) -> Mapping[Asset, ShareBand | None]:
    """Parse "BTC 45..60", several of them with commas, or "BTC off"; edges are percentages. Empty
    for "off": no asset has a band of its own.
    """
    tidy = _tidy(text, Topic.BANDS)
    if tidy.lower() == OFF:
        return {}
    found: dict[Asset, ShareBand | None] = {}
    for entry in re.split(r"[,;] ", tidy):
        band = _BAND.fullmatch(entry)
        if band is None:
            raise NotUnderstood(Topic.BANDS, InputRule.BAND)
        asset = _asset(band["name"], Topic.BANDS)
        if asset in found:
            raise NotUnderstood(Topic.BANDS, InputRule.NAMED_TWICE)
        if band["off"]:
            found[asset] = None
            continue
        if not is_certain(band["low"]) or not is_certain(band["high"]):
            raise NotUnderstood(Topic.BANDS, InputRule.NUMBER)
        found[asset] = _band(*(numbers_in(band[edge])[0] for edge in ("low", "high")))
    return found


def parse_band_switch(text: str) -> Mapping[str, bool] | None:
    """Parse "twice on", whether two checks must find something outside, and "scale on", whether
    bands follow volatility, or "off". Returns the field of the settings; None for what is about bands.
    """
    switch = _SWITCH.fullmatch(" ".join(text.split()).lower())
    return None if switch is None else {_SWITCHES[switch[1]]: switch[2] == "on"}


def _band(low: Decimal, high: Decimal) -> ShareBand:
    if low >= high:
        raise NotUnderstood(Topic.BANDS, InputRule.LOW_UNDER_HIGH)
    if high > _PERCENT:
        raise NotUnderstood(Topic.BANDS, InputRule.MOST_PERCENT)
    if any(edge != round(edge, 2) for edge in (low, high)):
        raise NotUnderstood(Topic.BANDS, InputRule.TWO_DECIMALS)
    return ShareBand(low / _PERCENT, high / _PERCENT)


def parse_destination(text: str) -> Destination | None:
    """Parse the name of a destination; None for "usual", which follows from the target."""
    tidy = normalized(text, Topic.DESTINATION)
    if tidy.lower() == USUAL:
        return None
    return one_of(_DESTINATIONS, tidy, Topic.DESTINATION, InputRule.DESTINATION)


def parse_protect(text: str) -> ProtectWish | Ambiguous | None:
    """Parse "MNTL 50000", "USDT 20" or "MNTL off"; "MNTL 50,000" is asked about. None for "off":
    nothing is protected.
    """
    if text.strip().lower() == OFF:
        return None
    try:
        wish = parse_warn(text)
    except NotUnderstood as e:
        raise NotUnderstood(Topic.PROTECT, e.rule) from e
    if isinstance(wish, Ambiguous):
        return Ambiguous(Topic.PROTECT, wish.options)
    return ProtectWish(wish.asset, wish.below)


def parse_cooldown(text: str) -> timedelta | None:
    """Parse "30m", "1h 30m", "2d"; None for "off"."""
    tidy = normalized(text, Topic.COOLDOWN).lower()
    if tidy == OFF:
        return None
    if (span := pause_time(tidy)) is None or not MIN_COOLDOWN <= span <= MAX_COOLDOWN:
        raise NotUnderstood(Topic.COOLDOWN, InputRule.COOLDOWN)
    return span


def parse_schedule(text: str) -> ScheduleWish | None:
    """Parse "09:00", "mon 09:00", "mon fri 09:00 21:00"; None for "off". A last word says more:
    "outside" (the usual one) trades then if something is outside, "always" whatever the drift, and
    "too" does so without ending the trades in between.
    """
    words = _tidy(text, Topic.SCHEDULE).lower().replace(",", " ").split()
    if words == [OFF]:
        return None
    when = When.BOTH
    if words[-1] in WHEN_WORDS:
        when = WHEN_WORDS[words.pop()]
    days = {day for word in words if word in DAY_NAMES for day in DAY_NAMES[word]}
    times = [word for word in words if word not in DAY_NAMES]
    found = [time for word in times if (time := _TIME.fullmatch(word)) is not None]
    if not times or len(found) < len(times):
        raise NotUnderstood(Topic.SCHEDULE, InputRule.SCHEDULE)
    minutes = sorted({int(time["hour"]) * 60 + int(time["minute"]) for time in found})
    if len(minutes) > MOST_TIMES:
        raise NotUnderstood(Topic.SCHEDULE, InputRule.MOST_TIMES)
    weekdays = tuple(sorted(days)) or DAY_NAMES["daily"]
    return ScheduleWish(Schedule(tuple(minutes), weekdays), when)


def parse_crash_guard(text: str) -> CrashGuard | Ambiguous | None:
    """Parse "20%", "20% pause", "20% for 1d", "20% pause for 12h"; None for "off"."""
    tidy = normalized(text, Topic.CRASH_GUARD).lower()
    if tidy == OFF:
        return None
    found = _GUARD.fullmatch(tidy)
    if found is None:
        raise NotUnderstood(Topic.CRASH_GUARD, InputRule.CRASH_GUARD)
    number = found["fall"].removesuffix("%").strip()
    options, certain = percents_in(
        number, Topic.CRASH_GUARD, rule=percent_rule, too_large=InputRule.UNDER_100_PERCENT
    )
    if not certain or not found["fall"].endswith("%"):
        rest = tidy[len(found["fall"]) :]
        return Ambiguous(Topic.CRASH_GUARD, tuple(f"{option}{rest}" for option in options))
    lifts_after = None
    if found["time"] and (lifts_after := pause_time(found["time"])) is None:
        raise NotUnderstood(Topic.CRASH_GUARD, InputRule.CRASH_GUARD)
    action = GuardAction.PAUSE if found["pause"] else GuardAction.STOP_BUYING
    return CrashGuard(value_of(options[0]), action, lifts_after)


def _tidy(text: str, topic: Topic) -> str:
    """Return a text that may be long, on one line."""
    tidy = " ".join(text.split())
    if not tidy or len(tidy) > LONGEST_TARGET:
        raise NotUnderstood(topic, InputRule.TARGET_LENGTH if tidy else InputRule.FORM)
    return tidy


def _asset(name: str, topic: Topic) -> Asset:
    if name.upper() == USDT:
        return USDT
    try:
        return base_of(parse_symbol(name))
    except NotUnderstood as e:
        raise NotUnderstood(topic, e.rule) from e
