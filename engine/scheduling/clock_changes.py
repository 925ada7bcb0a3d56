"""Corrects stored moments after the wall clock was set back.

Moments to come were written by the old clock. They are brought forward by as much, so that nothing
waits, and no button stays valid, for longer than intended.
"""

import logging
from datetime import timedelta

from engine.storage.coordination import wall_clock_moments
from engine.storage.service import Service

# Users do not notice less, and the clocks of two processes may differ by as much.
_UNNOTICED = timedelta(minutes=1)

logger = logging.getLogger(__name__)


class ClockChanges(Service):
    async def clock_was_set(self, by: timedelta) -> None:
        """Correct stored moments after a step back; after one ahead all is merely due early."""
        if by < timedelta():
            await self._bring_forward(-by)

    async def begin(self) -> None:
        """Correct stored moments at start: the clock may have been set since the last process."""
        now = self.clock.now()
        async with self.database.reading() as session:
            newest = await wall_clock_moments.newest(session)
        if newest is not None and (ahead := newest - now) > _UNNOTICED:
            logger.warning("clock set back", extra={"by_s": ahead.total_seconds()})
            await self._bring_forward(ahead)

    async def _bring_forward(self, by: timedelta) -> None:
        async with self.database.writing() as session:
            await wall_clock_moments.bring_forward(session, by, now=self.clock.now())
