"""That this process lives, which it says again and again; and what is done about those that do not.

A process is dead when nothing was heard of it for `Timing.presence`, or for `Timing.silence` where
the database itself says that its session has ended. The fence in the order's gate makes either
safe: whoever was called dead by mistake sends no order of what it no longer owns.
"""

import logging
from datetime import datetime

from sqlalchemy.exc import ProgrammingError

from engine.clock import Clock
from engine.storage import availability
from engine.storage.coordination import database_sessions, processes, takeover
from engine.storage.database import Database
from engine.timeouts import Timing

logger = logging.getLogger(__name__)


class ProcessPresence:
    """*owner* is this process's name in the leases."""

    def __init__(self, *, database: Database, clock: Clock, timing: Timing, owner: str) -> None:
        self._database = database
        self._clock = clock
        self._timing = timing
        self._owner = owner
        # Where nobody else can be, nobody has to notice soon.
        shared = database.is_shared
        self._every = timing.announce_every if shared else timing.renew_every
        self._ttl = timing.presence if shared else timing.lease
        self._announced_at: datetime | None = None
        self._judges_from = clock.steady()
        self._lists_sessions = shared

    def is_certain(self) -> bool:
        """Whether no other process can have called us dead since we spoke last."""
        since = self._announced_at
        return since is not None and self._clock.steady() - since < self._ttl

    async def keep(self) -> None:
        """Say that we live, and free what dead processes held."""
        now = self._clock.steady()
        since = self._announced_at
        if since is not None and now - since < self._every:
            return
        if since is not None and now - since > self._every + self._timing.silence:
            self._give_time(now)  # we stood still, maybe with everybody else
        try:
            await self._announce()
            self._announced_at = now
            if now >= self._judges_from:
                await self._free()
        except ProgrammingError:  # a database that has no such list, or does not show it
            self._lists_sessions = False
            raise
        except availability.AWAY:
            self._give_time(now)
            raise

    def _give_time(self, now: datetime) -> None:
        """Where we could not speak, the others could not either: they have to come back first."""
        self._judges_from = now + self._timing.silence * 2

    async def _announce(self) -> None:
        async with self._database.writing() as session:
            name = await database_sessions.own(session) if self._lists_sessions else None
            await processes.announce(
                session,
                self._owner,
                now=self._database.now(),
                ttl=self._ttl,
                database_session=name,
            )

    async def _free(self) -> None:
        """Usually a look that finds nobody dead."""
        now, left = self._database.now(), self._ttl - self._timing.silence
        async with self._database.reading() as session:
            ended = await database_sessions.ended(session) if self._lists_sessions else set()
            dead = await processes.dead(session, now=now, left=left, disconnected=ended)
        if not dead:
            return
        async with self._database.writing() as session:
            await takeover.free_everything_of(session, dead)
        logger.warning("freed what dead processes held", extra={"count": len(dead)})
