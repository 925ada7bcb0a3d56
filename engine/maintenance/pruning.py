"""Forgets what is over, once a day, a little at a time; one process does it for all."""

import logging
from collections import Counter
from datetime import datetime, timedelta

from engine.clock import Clock
from engine.storage.database import Database
from engine.storage.maintenance import pruning

_EVERY = timedelta(days=1)
# Should we die before the end, another process goes on within the hour.
_AGAIN_WITHIN = timedelta(hours=1)
_LOOK_EVERY = timedelta(minutes=10)
_BATCH = 500

logger = logging.getLogger(__name__)


class Pruning:
    """*keep* is how long what is over is kept."""

    def __init__(self, *, database: Database, clock: Clock, keep: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._keep = keep
        # Not at the start, when there is enough to do.
        self._look_at = clock.steady() + _LOOK_EVERY
        self._is_ours = False
        self._deleted: Counter[str] = Counter()

    async def everything(self) -> Counter[str]:
        """All there is, now and whoever's turn it is; how much of what was deleted."""
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
            logger.info("pruned", extra={"rows": self._deleted.total()})
            self._deleted.clear()

    async def _some(self) -> Counter[str]:
        """A transaction each: none keeps the others waiting for long."""
        now = self._clock.now()
        deleted: Counter[str] = Counter()
        for kind in pruning.KINDS:
            async with self._database.writing() as session:
                deleted[kind] = await pruning.prune(
                    session, kind, before=now - self._keep, now=now, most=_BATCH
                )
        return +deleted
