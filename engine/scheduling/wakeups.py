"""Reads which accounts were woken and which are free: when somebody said so, and now and then."""

from dataclasses import dataclass
from datetime import datetime

from engine.scheduling.account_queue import AccountQueue
from engine.scheduling.lease_manager import LeaseManager
from engine.storage.coordination import leases
from engine.storage.service import Service
from engine.timeouts import Timing


@dataclass(eq=False, kw_only=True, repr=False)
class WakeUps(Service):
    """Makes woken accounts due in *account_queue*, and claims free ones."""

    account_queue: AccountQueue
    lease_manager: LeaseManager
    timing: Timing
    owner: str

    def __post_init__(self) -> None:
        self._nudged = False
        self._read_at: datetime | None = None

    def nudge(self) -> None:
        """Somebody was woken, or is free: read it with the next heartbeat."""
        self._nudged = True

    async def read(self, *, at_once: bool = False) -> None:
        """Read what was written, if that is to be expected: what another process wrote is found
        after `Timing.ask_every`, what this one wrote, or lost, with the next heartbeat.
        """
        now, last = self.clock.steady(), self._read_at
        is_due = last is None or now - last >= self.timing.ask_every
        if not (at_once or is_due or self._nudged):
            return
        self._nudged = False
        async with self.database.reading() as session:
            calls = await leases.pending_events(session, owner=self.owner, now=self.database.now())
        self._read_at = now
        if calls.any_free and await self.lease_manager.claim():
            self.nudge()  # there may be more
        if not calls.woken:
            return
        for account_id in calls.woken:
            if (queued := self.account_queue.get(account_id)) is not None:
                queued.again = queued.busy
                self.account_queue.schedule(account_id, now, urgently=True)
        async with self.database.writing() as session:
            await leases.clear_wakeups(session, calls.woken)
