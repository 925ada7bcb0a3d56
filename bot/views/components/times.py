"""Formats moments and durations."""

from datetime import datetime, timedelta

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = (
    (timedelta(days=1), "d", "day"),
    (timedelta(hours=1), "h", "h"),
    (timedelta(minutes=1), "m", "min"),
    (timedelta(seconds=1), "s", "s"),
)
_ROUGH_FROM = 2


def compact(duration: timedelta) -> str:
    """For the status message: the two largest units, 1m 12s."""
    parts = [f"{count}{short}" for count, short, _ in _split(duration)]
    return " ".join(parts[:2]) or "0s"


def ago(duration: timedelta) -> str:
    parts = [f"{count}{short}" for count, short, _ in _split(duration)]
    return f"{parts[0]} ago" if parts else "just now"


def exactly(duration: timedelta) -> str:
    """For a setting: 1 h 30 min."""
    return " ".join(_counted(count, unit) for count, _, unit in _split(duration)) or "0 s"


def roughly(duration: timedelta) -> str:
    """For a sentence: 14 min, 3 h, 2 days. One unit of two or more, rounded down."""
    for size, _, unit in _UNITS:
        if duration >= _ROUGH_FROM * size:
            return _counted(duration // size, unit)
    return "1 s"


def stamp(moment: datetime) -> str:
    """22 Nov 12:03, in UTC like everything that is stored."""
    return f"{moment.day:2d} {_MONTHS[moment.month - 1]} {moment:%H:%M}"


def utc(moment: datetime) -> str:
    """For a sentence: 22 Nov 12:03 UTC."""
    return f"{stamp(moment).lstrip()} UTC"


def to_the_second(moment: datetime) -> str:
    """22 Nov 12:03:04, in UTC."""
    return f"{stamp(moment).lstrip()}:{moment:%S}"


def days(count: int) -> str:
    return _counted(count, "day")


def _split(duration: timedelta) -> list[tuple[int, str, str]]:
    parts = []
    rest = max(duration, timedelta())
    for size, short, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append((count, short, unit))
    return parts


def _counted(count: int, unit: str) -> str:
    plural = "s" if unit == "day" and count != 1 else ""
    return f"{count} {unit}{plural}"
