"""Announces that this process is alive, and frees the leases and claims of dead ones.

A process is dead without an announcement for `Timing.presence`, or for `Timing.silence` where the
database reports that its session has ended. Either is safe by the fence: a process taken for dead
by mistake sends no order for an account that it no longer owns.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import ProgrammingError

from engine.storage import availability
from engine.storage.coordination import database_sessions, processes, takeover
from engine.storage.service import Service
from engine.timeouts import Timing

logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True, repr=False)
class ProcessPresence(Service):
    """*owner* is this process's name in the leases."""

    timing: Timing
    owner: str

    def __post_init__(self) -> None:
        # On SQLite there is one process, so nothing waits for its announcements.
        shared = self.database.is_shared
        self._every = self.timing.announce_every if shared else self.timing.renew_every
        self._ttl = self.timing.presence if shared else self.timing.lease
        self._announced_at: datetime | None = None
        self._judges_from = self.clock.steady()
        self._lists_sessions = shared

    def is_certain(self) -> bool:
        """True if no other process can have declared this one dead."""
        since = self._announced_at
        return since is not None and self.clock.steady() - since < self._ttl

    async def keep(self) -> None:
        """Announce this process, and free what dead processes held."""
        now = self.clock.steady()
        since = self._announced_at
        if since is not None and now - since < self._every:
            return
        if since is not None and now - since > self._every + self.timing.silence:
            self._give_time(now)  # we were suspended, and the other processes may have been too
        try:
            async with self.database.writing() as session:
                name = await database_sessions.own(session) if self._lists_sessions else None
                await processes.announce(
                    session,
                    self.owner,
                    now=self.database.now(),
                    ttl=self._ttl,
                    database_session=name,
                )
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
        """Delay judging others: while this process could not announce, they could not either."""
        self._judges_from = now + self.timing.silence * 2

    async def _free(self) -> None:
        """Free what dead processes held; usually there are none, and only a read is made."""
        now, left = self.database.now(), self._ttl - self.timing.silence
        async with self.database.reading() as session:
            ended = await database_sessions.ended(session) if self._lists_sessions else set()
            dead = await processes.dead(session, now=now, left=left, disconnected=ended)
        if not dead:
            return
        async with self.database.writing() as session:
            await takeover.free_everything_of(session, dead)
        logger.warning("dead processes released", extra={"count": len(dead)})
