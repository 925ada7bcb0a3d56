"""Leader election by a lease row: one process at a time runs a job such as polling.
The leader renews the lease and stops before it expires; followers retry periodically.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.storage import availability
from engine.storage.coordination import leader_leases
from engine.storage.service import Service

POLLING, PAIRING = "poller", "porter"
TTL = timedelta(seconds=30)
# Upper limit of the gap after a leader that stopped in an orderly way.
ASK_EVERY = timedelta(seconds=1)
_BEAT = timedelta(seconds=1)

logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True, repr=False)
class LeaderElection(Service):
    """*owner* is this process's name in the leases.
    *is_held_elsewhere*: another process led when the database was last read.
    """

    name: str
    owner: str
    ttl: timedelta = TTL

    def __post_init__(self) -> None:
        self._held_until: datetime | None = None
        self.is_held_elsewhere = False
        self._database_away = False

    @property
    def is_held(self) -> bool:
        """True if this process leads."""
        return self._held_until is not None and self.clock.steady() < self._held_until

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run *work* while this process leads, again after each election, until it is done.

        It is cancelled when leadership is lost. What it raises is raised here, in a group.
        """
        while True:
            await self._ask()
            if self._held_until is not None:
                logger.info("leadership acquired", extra={"post": self.name})
                if await self._hold(work):
                    await self.leave()
                    return
                logger.warning("leadership lost", extra={"post": self.name})
            await self.clock.sleep(ASK_EVERY)

    async def leave(self) -> None:
        """Release the lease, so that the next leader need not wait for it to expire."""
        try:
            async with self.database.writing() as session:
                await leader_leases.leave(session, self.name, owner=self.owner)
        except availability.AWAY as e:
            logger.warning("leadership not released: %s", type(e).__name__)

    async def _hold(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Returns True if the work is done. A renewal that hangs does not prolong it."""
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(_run(work))
            renewing = tasks.create_task(self._renew())
            while self.is_held and not working.done():
                await self.clock.sleep(_BEAT)
            self._held_until = None
            is_done = working.done()
            working.cancel()
            renewing.cancel()
        return is_done

    async def _renew(self) -> None:
        while self._held_until is not None:
            await self.clock.sleep(self.ttl / 3)
            await self._ask()

    async def _ask(self) -> None:
        """Claim or renew the lease; no change where the database does not answer."""
        asked_at = self.clock.steady()
        try:
            async with self.database.writing() as session:
                is_ours = await leader_leases.hold(
                    session,
                    self.name,
                    owner=self.owner,
                    now=self.database.now(),
                    ttl=self.ttl,
                )
        except availability.AWAY as e:
            if not self._database_away:
                about = {"post": self.name, "error": type(e).__name__}
                logger.warning("leadership unknown: database unavailable", extra=about)
            self._database_away = True
            return
        self._database_away = False
        self.is_held_elsewhere = not is_ours
        # The leader stops well before a follower may start.
        self._held_until = asked_at + self.ttl * 5 / 6 if is_ours else None


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()
