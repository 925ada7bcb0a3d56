"""Telegram's clock, so that a message's age does not depend on the host's clock.
Every answer of Telegram's has a `Date` header. If a server sends none, an update that arrived
during a waiting poll is used: it was sent just now.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from engine.clock import Clock

# An update that arrives sooner may have waited at Telegram for hours.
_WAITED = timedelta(seconds=1)

Hook = Callable[[httpx.Response], Awaitable[None]]


class TelegramClock:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead: timedelta | None = None  # on the `steady` clock

    def now(self) -> datetime:
        """Return Telegram's time, or the host's if Telegram's is unknown."""
        if self._ahead is None:
            return self._clock.now()
        return self._clock.steady() + self._ahead

    @property
    def hooks(self) -> Mapping[str, list[Hook]]:
        """Return the `event_hooks` for each client that connects to Telegram."""
        return {"response": [self._answered]}

    def brought(self, updates: Sequence[Mapping[str, Any]], *, after: timedelta) -> None:
        """Record the updates of a poll that took *after*."""
        dates = [date for update in updates if (date := _date_of(update)) is not None]
        if dates and after >= _WAITED:
            self._set(max(dates))

    async def _answered(self, response: httpx.Response) -> None:
        if response.is_success and (date := _parsed(response.headers.get("date"))) is not None:
            self._set(date)

    def _set(self, now: datetime) -> None:
        self._ahead = now - self._clock.steady()


def _parsed(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def _date_of(update: Mapping[str, Any]) -> datetime | None:
    """Return when the update's content was written, if the update includes it."""
    message = update.get("message")
    date = message.get("date") if isinstance(message, dict) else None
    if not isinstance(date, int):
        return None
    try:
        return datetime.fromtimestamp(date, UTC)
    except (ValueError, OverflowError, OSError):
        return None
