"""The spans of a report: 24 hours, 7 or 30 days, all, or from a date on."""

from datetime import UTC, date, datetime, time, timedelta
from enum import Enum

from engine.domain.alerts.local_time import zone

# Days before it are not in reach of all time zones.
_FIRST_YEAR = 2000


class Span(Enum):
    """The value is how it is typed."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    ALL = "all"


def span_of(text: str) -> Span | date:
    """Returns the span that `text_of` wrote. Raises ValueError for any other text."""
    try:
        return Span(text)
    except ValueError:
        day = date.fromisoformat(text)
    if day.isoformat() != text or day.year < _FIRST_YEAR:
        raise ValueError(f"{text!r} is no span")
    return day


def text_of(span: Span | date) -> str:
    return span.value if isinstance(span, Span) else span.isoformat()


_LENGTHS = {
    Span.DAY: timedelta(hours=24),
    Span.WEEK: timedelta(days=7),
    Span.MONTH: timedelta(days=30),
}


def beginning(span: Span | date, *, now: datetime, time_zone: str) -> datetime | None:
    """Returns when *span* begins; a date at midnight in *time_zone*. None: with the first record."""
    if isinstance(span, date):
        return datetime.combine(span, time(), tzinfo=zone(time_zone)).astimezone(UTC)
    return None if span is Span.ALL else now - _LENGTHS[span]
