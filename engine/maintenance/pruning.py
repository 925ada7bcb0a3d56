"""Deletes expired rows once a day in small batches; one process does it for all."""

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.storage.maintenance import price_pruning, pruning
from engine.storage.service import Service

_EVERY = timedelta(days=1)
# If this process dies before the end, another one continues within the hour.
_AGAIN_WITHIN = timedelta(hours=1)
_LOOK_EVERY = timedelta(minutes=10)
_BATCH = 500

logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True, repr=False)
class Pruning(Service):
    """Deletes expired rows; *keep* is how long they are kept."""

    keep: timedelta

    def __post_init__(self) -> None:
        # Not at the start, which has load enough.
        self._look_at = self.clock.steady() + _LOOK_EVERY
        self._is_ours = False
        self._deleted: Counter[str] = Counter()

    async def everything(self) -> Counter[str]:
        """Delete all expired rows now, without election; returns the counts by table."""
        deleted: Counter[str] = Counter()
        while batch := await self._some():
            deleted += batch
        return deleted

    async def round(self) -> None:
        """One batch of each kind, if it is the time and ours to do."""
        if not self._is_ours:
            now = self.clock.steady()
            if now < self._look_at:
                return
            self._look_at = now + _LOOK_EVERY
            self._is_ours = await self._claimed(self.clock.now())
            if not self._is_ours:
                return
        batch = await self._some()
        self._deleted += batch
        if not batch:
            await self._finish()

    async def _claimed(self, now: datetime) -> bool:
        async with self.database.reading() as session:
            last = await pruning.last(session)
        if last is not None and last > now - _EVERY:
            return False
        async with self.database.writing() as session:
            return await pruning.claim(
                session, counts_as=now - _EVERY + _AGAIN_WITHIN, unless_after=now - _EVERY
            )

    async def _finish(self) -> None:
        async with self.database.writing() as session:
            await pruning.done(session, at=self.clock.now())
        self._is_ours = False
        if self._deleted:
            logger.info("rows pruned", extra={"rows": self._deleted.total()})
            self._deleted.clear()

    async def _some(self) -> Counter[str]:
        """Delete a batch of each kind, in a transaction each: none delays writers for long."""
        now = self.clock.now()
        deleted: Counter[str] = Counter()
        for kind in pruning.KINDS:
            async with self.database.writing() as session:
                deleted[kind] = await pruning.prune(
                    session, kind, before=now - self.keep, now=now, most=_BATCH
                )
        return +deleted or await self._prices(now)

    async def _prices(self, now: datetime) -> Counter[str]:
        """Last, because to know what is needed takes a look at every order."""
        async with self.database.reading() as session:
            ends = await price_pruning.unneeded(session, before=now - self.keep)
        deleted: Counter[str] = Counter()
        for symbol, end in ends.items():
            if deleted.total() >= _BATCH:
                break
            async with self.database.writing() as session:
                deleted["old prices"] += await price_pruning.prune(
                    session, symbol, end=end, now=now, most=_BATCH
                )
        return +deleted
