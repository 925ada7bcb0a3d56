"""What waits for a moment, in the database, by a wall clock that was set back since.

The moments that are still to come were written by the clock as it was. They are brought forward by
as much, so that nothing waits, and no button stays good, for longer than it was meant to.
"""

import logging
from datetime import timedelta

from engine.clock import Clock
from engine.storage.coordination import wall_clock_moments
from engine.storage.database import Database

# Less is nothing that anybody notices, and processes may differ by as much.
_UNNOTICED = timedelta(minutes=1)

logger = logging.getLogger(__name__)


class ClockChanges:
    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def clock_was_set(self, by: timedelta) -> None:
        """Set ahead, everything is due early, which needs no help."""
        if by < timedelta():
            await self._bring_forward(-by)

    async def begin(self) -> None:
        """At the start of a process: the clock may have been set since the one before."""
        now = self._clock.now()
        async with self._database.reading() as session:
            newest = await wall_clock_moments.newest(session)
        if newest is not None and (ahead := newest - now) > _UNNOTICED:
            logger.warning("the clock was set back", extra={"by_s": ahead.total_seconds()})
            await self._bring_forward(ahead)

    async def _bring_forward(self, by: timedelta) -> None:
        async with self._database.writing() as session:
            await wall_clock_moments.bring_forward(session, by, now=self._clock.now())
