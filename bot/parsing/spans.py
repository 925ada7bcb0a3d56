"""Parses the span of a report: 24h, 7d, 30d, all, or the date it begins with."""

import re
from datetime import date

from bot.parsing.input_rules import InputRule
from bot.parsing.settings import NotUnderstood, Topic
from engine.domain.profit.spans import Span

DEFAULT_SPAN = Span.WEEK
_WORDS = {
    **{span.value: span for span in Span},
    "1d": Span.DAY,
    "day": Span.DAY,
    "24 h": Span.DAY,
    "24 hours": Span.DAY,
    "1w": Span.WEEK,
    "week": Span.WEEK,
    "7 d": Span.WEEK,
    "7 days": Span.WEEK,
    "1m": Span.MONTH,
    "month": Span.MONTH,
    "30 d": Span.MONTH,
    "30 days": Span.MONTH,
}
_DATE = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", re.ASCII)


def parse_span(text: str) -> Span | date:
    """Parse a span; without one it is the last 7 days."""
    typed = " ".join(text.lower().split())
    if not typed:
        return DEFAULT_SPAN
    if (span := _WORDS.get(typed)) is not None:
        return span
    if _DATE.fullmatch(typed):
        try:
            return date.fromisoformat(typed)
        except ValueError:
            pass
    raise NotUnderstood(Topic.PROFIT, InputRule.SPAN)
