"""Plain words that count as commands in a private chat, and how long a pause is to last."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from bot.parsing.settings import Ambiguous, NotUnderstood, Topic, parse_target, parse_threshold
from engine.domain.accounts.timed_pause import LEAST, MOST

_SPAN = (
    r"(?:(?P<days>[0-9]{1,3}) ?(?:d|days?))? ?"
    r"(?:(?P<hours>[0-9]{1,4}) ?(?:h|hrs?|hours?))? ?"
    r"(?:(?P<minutes>[0-9]{1,5}) ?(?:m|mins?|minutes?))?"
)
_TIME = re.compile(_SPAN, re.ASCII | re.IGNORECASE)
_COMMAND = re.compile(
    r"(?P<name>pause|stop|status)[.!]*|(?P<timed>pause|stop) (?:for )?(?P<time>[0-9][0-9a-z ]{0,20})",
    re.ASCII | re.IGNORECASE,
)


def plain_command(text: str) -> tuple[str, str] | None:
    """Return the command, and its argument, that *text* is: it stops trading, or only looks."""
    found = _COMMAND.fullmatch(" ".join(text.split()))
    if found is None:
        return None
    if found["name"]:
        return found["name"].lower(), ""
    return (found["timed"].lower(), found["time"]) if pause_time(found["time"]) else None


def pause_time(text: str) -> timedelta | None:
    """Parse "1h", "1h 30m", "2 days"; None for what is no time, too short or too long."""
    length = time_span(" ".join(text.split()).lower().removeprefix("for "))
    return length if length is not None and LEAST <= length <= MOST else None


def time_span(text: str) -> timedelta | None:
    """Parse days, hours and minutes in this order; None for anything else, zero for nothing."""
    span = _TIME.fullmatch(" ".join(text.split()))
    if span is None:
        return None
    return timedelta(**{unit: int(n) for unit, n in span.groupdict(default="0").items()})


def is_plain_resume(text: str) -> bool:
    return text.strip(" .!").lower() == "resume"


def plain_value(text: str) -> Ambiguous | None:
    """Return the setting that a bare value may be meant for, to be asked about; None for others."""
    parsers: Sequence[Callable[[str], Any]] = (parse_target, parse_threshold)
    for topic, parser in zip((Topic.TARGET, Topic.THRESHOLD), parsers, strict=True):
        try:
            value = parser(text)
        except NotUnderstood:
            continue
        if isinstance(value, Ambiguous):
            return value
        return Ambiguous(topic, (" ".join(text.split()),))
    return None
