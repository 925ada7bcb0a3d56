"""Claims, renews, shares and releases the account leases of this process."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.orders.order import AccountId
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
# What a last owner may ask for: the database's clock may have been set back since.
_LONGEST_WAIT = timedelta(hours=1)


@dataclass(eq=False, kw_only=True, repr=False)
class LeaseManager(Service):
    """Keeps *account_queue* in step with the leases in the database, under the name *owner*.
    *on_gone* is told each account that is lost or given up.
    """

    account_queue: AccountQueue
    tally: CheckTally
    timing: Timing
    owner: str
    presence: ProcessPresence
    on_gone: Callable[[AccountId], None]

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

    async def keep(self) -> bool:
        """Renew the leases when due, and hold no more than a fair share.
        Leases that another process has claimed are lost; True if any are.
        """
        now = self.clock.steady()
        if self._renewed_at is not None and now - self._renewed_at < self.timing.renew_every:
            return False
        async with self._turn:
            return not self._over and await self._renew(now)

    async def _renew(self, now: datetime) -> bool:
        db_now, ttl = self.database.now(), self.timing.lease
        async with self.database.writing() as session:
            held = await leases.renew(session, owner=self.owner, now=db_now, ttl=ttl)
            share = await self._share(session)
        self._renewed_at = now
        lost = self.account_queue.keep_up(held, now=now)
        for account_id in lost:
            self.tally.lost()
            logger.warning("lease lost", extra={"account": account_id})
            self.on_gone(account_id)
        await self._give_up(len(self.account_queue) - share)
        return bool(lost)

    async def claim(self) -> bool:
        """Claim unowned accounts, up to a fair share. True if there were any: there may be more."""
        async with self._turn:
            if self._over:
                return False
            async with self.database.writing() as session:
                room = await self._share(session) - len(self.account_queue)
                if room <= 0:
                    return False
                most = min(room, _AT_ONCE)
                due_in = await self._handed_over(session, most)
                claimed = await leases.claim(
                    session,
                    owner=self.owner,
                    now=self.database.now(),
                    ttl=self.timing.lease,
                    most=most,
                )
                await orders.drop_planned(session, list(claimed), now=self.clock.now())
                await runs.end_left_open(session, list(claimed), now=self.clock.now())
            self.tally.claimed(claimed.values())
            self.account_queue.take(claimed, now=self.clock.steady(), due_in=due_in)
            return bool(claimed)

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

    async def _handed_over(self, session: AsyncSession, most: int) -> dict[AccountId, timedelta]:
        """Returns in what time free accounts are due whose last owner gave them up. An order that
        is open is looked up at once.
        """
        found = await leases.handed_over(session, now=self.database.now(), most=most)
        is_open = await orders.unresolved_of(session, list(found)) if found else {}
        return {a: min(left, _LONGEST_WAIT) for a, left in found.items() if a not in is_open}

    async def _give_up(self, surplus: int) -> None:
        """Release the surplus to newer processes. A failure is undone by the next renewal."""
        given = self.account_queue.give_up(min(surplus, _AT_ONCE))
        for account_id in given:
            self.on_gone(account_id)
        if given:
            now = self.clock.steady()
            due_in = {account_id: queued.due_in(now) for account_id, queued in given.items()}
            async with self.database.writing() as session:
                await leases.release(session, due_in, owner=self.owner, now=self.database.now())
            logger.info("accounts released", extra={"count": len(given)})
