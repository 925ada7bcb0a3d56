"""Writes a target, and what is set around it, as a user may type it. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import assert_never

from engine.domain.market.decimals import CENT, ZERO, floor_to_step, plain
from engine.domain.market.pairs import USDT, Asset
from engine.domain.targets.bands import ShareBand, Threshold
from engine.domain.targets.crash_guard import CrashGuard, GuardAction
from engine.domain.targets.target import (
    PERCENT,
    Basket,
    FixedUsdt,
    Target,
    TokenWorth,
    UsdtRange,
    UsdtShare,
)
from engine.domain.targets.timing import DAYS_A_WEEK, Schedule, When

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_NAMES: Mapping[str, tuple[int, ...]] = {
    **{name: (number,) for number, name in enumerate(_WEEKDAYS)},
    "daily": tuple(range(DAYS_A_WEEK)),
    "weekdays": tuple(range(5)),
    "weekend": (5, 6),
}
# Behind the times: also outside of them, only if something is outside, or whatever the drift.
WHEN_WORDS: Mapping[str, When] = {
    "always": When.SCHEDULE,
    "outside": When.BOTH,
    "too": When.EITHER,
}

# An asset and its number.
_NAMED = 2


def target_text(target: Target) -> str:
    """Write *target* as a user may type it; what is read back is the same."""
    match target:
        case FixedUsdt(amount):
            return f"{plain(amount)} USDT"
        case UsdtRange():
            return _range_text(target)
        case UsdtShare(percent):
            return f"{plain(percent)}%"
        case TokenWorth(asset, amount):
            return f"{asset} {plain(amount)}"
        case Basket():
            return _basket_text(target)
        case _:
            assert_never(target)


def tokens_in(text: str) -> tuple[Asset, ...]:
    """Returns the tokens that *text* names, which is one of `target_text` or of an older version."""
    _, is_rest, rest = text.partition(", rest ")
    words = (rest or text).split()
    if not is_rest and (len(words) < _NAMED or words[1] in {USDT, "in"}):
        return ()
    names = [Asset(name) for word in words[::2] for name in word.split(":")]
    return tuple(name for name in names if name != USDT)


def threshold_text(threshold: Threshold) -> str:
    if threshold.quote_amount is not None:
        return f"{plain(threshold.quote_amount)} USDT"
    points, relative = threshold.points, threshold.relative
    parts = [] if points is None else [f"{plain(points * PERCENT)}pp"]
    return " ".join(parts if relative is None else [*parts, f"{plain(relative * PERCENT)}%"])


def bands_text(bands: Mapping[Asset, ShareBand]) -> str:
    """Returns "BTC 45..60, ETH 20..35", in percent of the whole; "none" without bands."""
    return (
        ", ".join(
            f"{asset} {plain(band.low * PERCENT)}..{plain(band.high * PERCENT)}"
            for asset, band in bands.items()
        )
        or "none"
    )


def protected_text(protected: Mapping[Asset, Decimal]) -> str:
    """Returns "MNTL 50000, USDT 20", in units; "none" where nothing is protected."""
    return ", ".join(f"{asset} {plain(units)}" for asset, units in protected.items()) or "none"


def span_text(span: timedelta) -> str:
    """Write whole minutes: "2d 1h 30m"."""
    minutes = span // timedelta(minutes=1)
    parts = (minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "m")
    return " ".join(f"{count}{unit}" for count, unit in parts if count)


def schedule_text(schedule: Schedule, when: When) -> str:
    names = {days: name for name, days in DAY_NAMES.items()}
    days = schedule.weekdays
    named = names.get(days) or " ".join(_WEEKDAYS[day] for day in days)
    times = " ".join(f"{minute // 60:02}:{minute % 60:02}" for minute in schedule.minutes)
    how = next(word for word, meant in WHEN_WORDS.items() if meant is when)
    return f"{named} {times} {how}"


def crash_guard_text(guard: CrashGuard) -> str:
    pause = " pause" if guard.action is GuardAction.PAUSE else ""
    lifts = "" if guard.lifts_after is None else f" for {span_text(guard.lifts_after)}"
    return f"{plain(guard.fall * PERCENT)}%{pause}{lifts}"


def _range_text(target: UsdtRange) -> str:
    low, high, centre = target.low, target.high, target.centre
    if low is not None and high is not None:
        both = f"{plain(low)}..{plain(high)}"
        return both if centre is None else f"{plain(centre)} in {both}"
    return f">={plain(low)}" if low is not None else f"<={plain(high or ZERO)}"


def _basket_text(target: Basket) -> str:
    names = ":".join(asset for asset, _ in target.parts)
    counts = ":".join(str(count) for _, count in target.parts)
    parts = f"{names} {counts}"
    if target.fixed_quote is not None:
        return (
            f"{plain(target.fixed_quote)} USDT, rest {names if len(target.parts) == 1 else parts}"
        )
    percents = [(asset, Decimal(count) * PERCENT / target.total) for asset, count in target.parts]
    if all(percent == floor_to_step(percent, CENT) for _, percent in percents):
        return " ".join(f"{asset} {plain(percent)}%" for asset, percent in percents)
    return parts
