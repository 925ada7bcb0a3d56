"""Claims, renews, shares and releases the account leases of this process."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.monitoring.counters import CheckTally
from engine.notifications import runs
from engine.scheduling.account_queue import AccountQueue, fair_share
from engine.scheduling.process_presence import ProcessPresence
from engine.storage import availability
from engine.storage.coordination import leases, processes, takeover
from engine.storage.service import Service
from engine.storage.trading import orders
from engine.timeouts import Timing

logger = logging.getLogger(__name__)

_AT_ONCE = 500


@dataclass(eq=False, kw_only=True, repr=False)
class LeaseManager(Service):
    """Keeps *account_queue* in step with the leases in the database, under the name *owner*."""

    account_queue: AccountQueue
    tally: CheckTally
    timing: Timing
    owner: str
    presence: ProcessPresence

    def __post_init__(self) -> None:
        self._renewed_at: datetime | None = None
        # A heartbeat still running at shutdown must not claim what was just released.
        self._turn = asyncio.Lock()
        self._over = False

    def is_certain(self) -> bool:
        """True if the leases renewed last cannot have expired yet."""
        since = self._renewed_at
        return (
            self.presence.is_certain()
            and since is not None
            and self.clock.steady() - since < self.timing.lease
        )

    async def keep(self) -> None:
        """Renew the leases when due, and hold no more than a fair share.
        Leases that another process has claimed are lost.
        """
        now = self.clock.steady()
        if self._renewed_at is not None and now - self._renewed_at < self.timing.renew_every:
            return
        async with self._turn:
            if not self._over:
                await self._renew(now)

    async def _renew(self, now: datetime) -> None:
        db_now, ttl = self.database.now(), self.timing.lease
        async with self.database.writing() as session:
            held = await leases.renew(session, owner=self.owner, now=db_now, ttl=ttl)
            share = await self._share(session)
        self._renewed_at = now
        for account_id in self.account_queue.keep_up(held, now=now):
            self.tally.lost()
            logger.warning("lease lost", extra={"account": account_id})
        await self._give_up(len(self.account_queue) - share)

    async def claim(self) -> None:
        """Claim unowned accounts, up to a fair share."""
        async with self._turn:
            if self._over:
                return
            async with self.database.writing() as session:
                room = await self._share(session) - len(self.account_queue)
                if room <= 0:
                    return
                claimed = await leases.claim(
                    session,
                    owner=self.owner,
                    now=self.database.now(),
                    ttl=self.timing.lease,
                    most=min(room, _AT_ONCE),
                )
                await orders.drop_planned(session, list(claimed), now=self.clock.now())
                await runs.end_left_open(session, list(claimed), now=self.clock.now())
            self.tally.claimed(claimed.values())
            self.account_queue.take(claimed, now=self.clock.steady())

    async def release(self) -> None:
        """Release every lease for good, so that another process can claim them at once."""
        async with self._turn:
            self._over = True
            self.account_queue.clear()
            try:
                async with self.database.writing() as session:
                    await takeover.free_everything_of(session, [self.owner])
            except availability.AWAY as e:
                logger.warning("leases not released: %s", type(e).__name__)

    async def _share(self, session: AsyncSession) -> int:
        """Returns how many accounts this process may own beside the other live processes."""
        return fair_share(
            accounts=await leases.count(session),
            processes=await processes.count(session, now=self.database.now()),
        )

    async def _give_up(self, surplus: int) -> None:
        """Release the surplus to newer processes. A failure is undone by the next renewal."""
        given = self.account_queue.give_up(min(surplus, _AT_ONCE))
        if given:
            async with self.database.writing() as session:
                await leases.release(session, given, owner=self.owner)
            logger.info("accounts released", extra={"count": len(given)})
