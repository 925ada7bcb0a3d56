"""Deletes expired rows once a day in small batches; one process does it for all."""

import logging
from collections import Counter
from datetime import datetime, timedelta

from engine.clock import Clock
from engine.storage.database import Database
from engine.storage.maintenance import pruning

_EVERY = timedelta(days=1)
# If this process dies before the end, another one continues within the hour.
_AGAIN_WITHIN = timedelta(hours=1)
_LOOK_EVERY = timedelta(minutes=10)
_BATCH = 500

logger = logging.getLogger(__name__)


class Pruning:
    """Deletes expired rows; *keep* is how long they are kept."""

    def __init__(self, *, database: Database, clock: Clock, keep: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._keep = keep
        # Not at the start, which has load enough.
        self._look_at = clock.steady() + _LOOK_EVERY
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
            now = self._clock.steady()
            if now < self._look_at:
                return
            self._look_at = now + _LOOK_EVERY
            self._is_ours = await self._claimed(self._clock.now())
            if not self._is_ours:
                return
        batch = await self._some()
        self._deleted += batch
        if not batch:
            await self._finish()

    async def _claimed(self, now: datetime) -> bool:
        async with self._database.reading() as session:
            last = await pruning.last(session)
        if last is not None and last > now - _EVERY:
            return False
        async with self._database.writing() as session:
            return await pruning.claim(
                session, counts_as=now - _EVERY + _AGAIN_WITHIN, unless_after=now - _EVERY
            )

    async def _finish(self) -> None:
        async with self._database.writing() as session:
            await pruning.done(session, at=self._clock.now())
        self._is_ours = False
        if self._deleted:
            logger.info("rows pruned", extra={"rows": self._deleted.total()})
            self._deleted.clear()

    async def _some(self) -> Counter[str]:
        """Delete a batch of each kind, in a transaction each: none delays writers for long."""
        now = self._clock.now()
        deleted: Counter[str] = Counter()
        for kind in pruning.KINDS:
            async with self._database.writing() as session:
                deleted[kind] = await pruning.prune(
                    session, kind, before=now - self._keep, now=now, most=_BATCH
                )
        return +deleted
