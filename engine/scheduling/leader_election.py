"""A post: what one process at a time does, such as polling. Whoever has it renews its lease, and
leaves it before the lease runs out; the others ask for it now and then.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from engine.clock import Clock
from engine.storage import availability
from engine.storage.coordination import leader_leases
from engine.storage.database import Database

POLLER, PORTER = "poller", "porter"
TTL = timedelta(seconds=30)
# A process that ended in order left its post: that is noticed so much later at the latest.
ASK_EVERY = timedelta(seconds=1)
_BEAT = timedelta(seconds=1)

logger = logging.getLogger(__name__)


class LeaderElection:
    """*owner* is this process's name in the leases."""

    def __init__(
        self,
        name: str,
        *,
        database: Database,
        clock: Clock,
        owner: str,
        ttl: timedelta = TTL,
        ask_every: timedelta = ASK_EVERY,
    ) -> None:
        self._name = name
        self._database = database
        self._clock = clock
        self._owner = owner
        self._ttl = ttl
        self._ask_every = ask_every
        self._held_until: datetime | None = None
        self._others = False
        self._database_away = False

    @property
    def is_held(self) -> bool:
        """By this process."""
        return self._is_ours()

    @property
    def is_held_elsewhere(self) -> bool:
        """As the database last said."""
        return self._others

    async def serve(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do *work* while the post is ours, and again whenever it is, until it is done.

        It is cancelled where the post is lost. What it raises ends this too, in a group.
        """
        while True:
            await self._ask()
            if self._held_until is not None:
                logger.info("post taken", extra={"post": self._name})
                if await self._hold(work):
                    await self.leave()
                    return
                logger.warning("post lost", extra={"post": self._name})
            await self._clock.sleep(self._ask_every)

    async def leave(self) -> None:
        """For the next process, which need not wait for the lease to run out then."""
        try:
            async with self._database.writing() as session:
                await leader_leases.leave(session, self._name, owner=self._owner)
        except availability.AWAY as e:
            logger.warning("a post is left to run out: %s", type(e).__name__)

    async def _hold(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Whether the work is done. A renewal that hangs does not keep it going."""
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(_run(work))
            renewing = tasks.create_task(self._renew())
            while self._is_ours() and not working.done():
                await self._clock.sleep(_BEAT)
            self._held_until = None
            is_done = working.done()
            working.cancel()
            renewing.cancel()
        return is_done

    def _is_ours(self) -> bool:
        return self._held_until is not None and self._clock.steady() < self._held_until

    async def _renew(self) -> None:
        while self._held_until is not None:
            await self._clock.sleep(self._ttl / 3)
            await self._ask()

    async def _ask(self) -> None:
        """Whether the post is ours, and for how long. Nothing changes where nobody answers."""
        asked_at = self._clock.steady()
        try:
            async with self._database.writing() as session:
                is_ours = await leader_leases.hold(
                    session,
                    self._name,
                    owner=self._owner,
                    now=self._database.now(),
                    ttl=self._ttl,
                )
        except availability.AWAY as e:
            if not self._database_away:
                about = {"post": self._name, "error": type(e).__name__}
                logger.warning("post unknown, the database is away", extra=about)
            self._database_away = True
            return
        self._database_away = False
        self._others = not is_ours
        # Done with it well before others may begin.
        self._held_until = asked_at + self._ttl * 5 / 6 if is_ours else None


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()
