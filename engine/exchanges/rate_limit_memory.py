"""Stores the exchange's rate-limit pause of an address across restarts.

Each request during the pause makes the ban longer, up to three days.
"""

import hashlib
from datetime import datetime, timedelta

from engine.clock import Clock, from_millis, to_millis
from engine.exchanges.rate_limiter import RateLimiter
from engine.storage.coordination import key_values
from engine.storage.database import Database

_NAME = "silence:{}"
_LONGEST = timedelta(days=3)


class RateLimitMemory:
    """Memory for one address; *proxy* is its proxy, or None."""

    def __init__(
        self, *, database: Database, clock: Clock, budget: RateLimiter, proxy: str | None
    ) -> None:
        self._database = database
        self._clock = clock
        self._budget = budget
        way = "direct" if proxy is None else hashlib.sha256(proxy.encode()).hexdigest()[:16]
        self._name = _NAME.format(way)
        self._kept: datetime | None = None

    async def restore(self) -> None:
        """At the start, before anything is asked."""
        async with self._database.reading() as session:
            text = await key_values.get(session, self._name)
        if text is not None and (left := _left(text, now=self._clock.now())) > timedelta():
            self._kept = self._clock.steady() + left
            self._budget.block_until(self._kept)

    async def round(self) -> None:
        """Writes only where there is a new silence."""
        until = self._budget.usage().blocked_until
        if until is None or until == self._kept:
            return
        now = self._clock.now()
        left = until - self._clock.steady()
        async with self._database.writing() as session:
            await key_values.put(session, self._name, f"{to_millis(now)} {to_millis(now + left)}")
        self._kept = until


def _left(text: str, *, now: datetime) -> timedelta:
    """No longer than it was when it was written down, wherever the clock was set since."""
    try:
        since, until = (from_millis(int(part)) for part in text.split())
    except (ValueError, OverflowError):
        return timedelta()
    return min(until - now, until - since, _LONGEST)
