"""Collects row counts and ages from the database for the metrics, with a bounded cost."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from engine.storage import availability
from engine.storage.maintenance import statistics
from engine.storage.maintenance.statistics import DatabaseStatistics
from engine.storage.service import Service

_KEPT_FOR = timedelta(seconds=15)
# The next collection waits 50 times as long as the last one took: at most 2 % of database time.
_PATIENCE = 50
_TIME_LIMIT_S = 5.0

logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True, repr=False)
class DatabaseStats(Service):
    """Collects once for all callers who ask at the same time."""

    def __post_init__(self) -> None:
        self._lock = asyncio.Lock()
        self._latest: DatabaseStatistics | None = None
        self._good_until = self.clock.steady()

    async def latest(self) -> DatabaseStatistics | None:
        """Return the latest numbers; None if the database is away or takes longer than 5 s."""
        async with self._lock:
            if self.clock.steady() >= self._good_until:
                await self._take()
        return self._latest

    async def _take(self) -> None:
        began, kept_for = self.clock.steady(), _KEPT_FOR
        try:
            async with asyncio.timeout(_TIME_LIMIT_S), self.database.reading() as session:
                self._latest = await statistics.take(session, now=self.clock.now())
            kept_for = max(kept_for, (self.clock.steady() - began) * _PATIENCE)
        except availability.AWAY as e:
            self._latest = None
            logger.warning("statistics skipped, the database is away: %s", type(e).__name__)
        self._good_until = self.clock.steady() + kept_for
