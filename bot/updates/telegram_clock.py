"""What Telegram's own clock shows, so that a message's age does not hang on the host's.

Every answer of Telegram's has its time in its `Date` header. Where a server has none, an update that
a waiting poll brought tells it: that one was sent just now.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from engine.clock import Clock

# What a poll brings sooner may have waited at Telegram for hours.
_WAITED = timedelta(seconds=1)

Hook = Callable[[httpx.Response], Awaitable[None]]


class TelegramClock:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead: timedelta | None = None  # of the clock's `steady`

    def now(self) -> datetime:
        """The host's time where nothing was heard of Telegram's."""
        if self._ahead is None:
            return self._clock.now()
        return self._clock.steady() + self._ahead

    @property
    def hooks(self) -> Mapping[str, list[Hook]]:
        """For the `event_hooks` of each client that speaks with Telegram."""
        return {"response": [self._answered]}

    def brought(self, updates: Sequence[Mapping[str, Any]], *, after: timedelta) -> None:
        """A poll brought these *after* so long."""
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
    """When what the update tells of was written, as far as that is said."""
    message = update.get("message")
    date = message.get("date") if isinstance(message, dict) else None
    if not isinstance(date, int):
        return None
    try:
        return datetime.fromtimestamp(date, UTC)
    except (ValueError, OverflowError, OSError):
        return None
