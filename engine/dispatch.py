"""Who is due, and who owns it: leases, due times in memory, and a bounded pool of checks.

One heartbeat hands due accounts to the pool. (One scheduler job per chat would silently drop
the checks of a busy second.)
"""

import asyncio
import heapq
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from engine import incidents
from engine.check import Checked, Checker
from engine.clock import Clock
from engine.domain.accounts import Duty
from engine.domain.looks import Look
from engine.domain.orders import AccountId
from engine.domain.schedule import first_check, next_check
from engine.domain.troubles import TroubleKind
from engine.storage import accounts, leases, orders
from engine.storage.database import Database
from engine.timing import Timing

logger = logging.getLogger(__name__)

# Eight requests in flight are the exchange's budget many times over (3 account reads a second).
POOL = 8
_CLAIM_AT_ONCE = 500
_IDLE_POLL = timedelta(milliseconds=50)
# After a restart the checks start no faster than one address may read accounts.
_STARTS_PER_SECOND = 3
_DATABASE_AWAY = (SQLAlchemyError, OSError)


def new_owner() -> str:
    """A name no other process, living or dead, has."""
    return secrets.token_hex(8)


@dataclass(slots=True)
class _Seat:
    """An account this process owns. *due_at* is None while nothing is due until a wake-up."""

    fence: int
    due_at: datetime | None
    busy: bool = False
    again: bool = False
    look: Look | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the process knows of an account it owns: the last look, and when the next is due."""

    look: Look | None
    due_at: datetime | None


class Dispatcher:
    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        timing: Timing,
        checker: Checker,
        owner: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._timing = timing
        self._checker = checker
        self._owner = owner
        self._seats: dict[AccountId, _Seat] = {}
        self._due: list[tuple[datetime, AccountId]] = []
        self._queue: asyncio.Queue[tuple[Duty, int]] = asyncio.Queue()
        self._renewed_at: datetime | None = None
        self._stopping = False

    def standing(self, account_id: AccountId) -> Standing | None:
        """None where another process owns the account."""
        seat = self._seats.get(account_id)
        return None if seat is None else Standing(seat.look, seat.due_at)

    async def tick(self) -> None:
        """One heartbeat: keep the leases, hear wake-ups, hand out what is due. Never waits for
        the exchange.
        """
        if self._stopping:
            return
        try:
            await self._renew()
            await self._hear()
            await self._hand_out()
        except _DATABASE_AWAY as e:
            logger.warning("no heartbeat, the database is away: %s", type(e).__name__)

    async def run(self) -> None:
        """The pool; runs until cancelled."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(POOL):
                workers.create_task(self._work())

    def stop_claiming(self) -> None:
        """No new checks from now on, not even those already handed out; those under way go on."""
        self._stopping = True
        while not self._queue.empty():
            duty, fence = self._queue.get_nowait()
            if (seat := self._seats.get(duty.account.id)) is not None and seat.fence == fence:
                seat.busy = False

    async def until_idle(self) -> None:
        """Return when no check is waiting or under way."""
        while not self._queue.empty() or any(seat.busy for seat in self._seats.values()):
            await self._clock.sleep(_IDLE_POLL)

    async def release(self) -> None:
        """Let go of every account, so that another process can go on at once."""
        self._seats.clear()
        try:
            async with self._database.writing() as session:
                await leases.release(session, owner=self._owner)
        except _DATABASE_AWAY as e:
            logger.warning("leases are left to run out: %s", type(e).__name__)

    async def _renew(self) -> None:
        now = self._clock.now()
        if self._renewed_at is not None and now - self._renewed_at < self._timing.renew_every:
            return
        async with self._database.writing() as session:
            held = await leases.renew(
                session, owner=self._owner, now=self._database.now(), ttl=self._timing.lease
            )
        self._renewed_at = now
        self._forget_lost(held)
        # Claimed, but the answer to the commit was lost: nobody else would ever check them.
        self._take_seats({a: fence for a, fence in held.items() if a not in self._seats})

    async def _hear(self) -> None:
        async with self._database.reading() as session:
            calls = await leases.calls(session, owner=self._owner, now=self._database.now())
        if calls.any_free:
            await self._claim()
        if not calls.woken:
            return
        async with self._database.writing() as session:
            await leases.lull(session, calls.woken)
        for account_id in calls.woken:
            if (seat := self._seats.get(account_id)) is not None:
                seat.again = seat.busy
                self._schedule(account_id, self._clock.now())

    async def _claim(self) -> None:
        async with self._database.writing() as session:
            claimed = await leases.claim(
                session,
                owner=self._owner,
                now=self._database.now(),
                ttl=self._timing.lease,
                most=_CLAIM_AT_ONCE,
            )
            for account_id in claimed:
                await orders.drop_planned(session, account_id, now=self._clock.now())
        self._take_seats(claimed)

    def _take_seats(self, claimed: Mapping[AccountId, int]) -> None:
        now = self._clock.now()
        spread = timedelta(seconds=len(claimed)) / _STARTS_PER_SECOND
        for position, (account_id, fence) in enumerate(sorted(claimed.items())):
            due_at = first_check(now=now, position=position, crowd=len(claimed), interval=spread)
            self._seats[account_id] = _Seat(fence=fence, due_at=None)
            self._schedule(account_id, due_at)

    def _forget_lost(self, held: Mapping[AccountId, int]) -> None:
        for account_id, seat in tuple(self._seats.items()):
            if held.get(account_id) != seat.fence:
                logger.warning("lease lost", extra={"account": account_id})
                del self._seats[account_id]

    def _schedule(self, account_id: AccountId, due_at: datetime) -> None:
        self._seats[account_id].due_at = due_at
        heapq.heappush(self._due, (due_at, account_id))

    async def _hand_out(self) -> None:
        now = self._clock.now()
        due: dict[AccountId, _Seat] = {}
        while self._due and self._due[0][0] <= now:
            due_at, account_id = heapq.heappop(self._due)
            seat = self._seats.get(account_id)
            # An entry that is not the seat's present due time was overtaken by a newer one.
            if seat is not None and not seat.busy and seat.due_at == due_at:
                due[account_id] = seat
        if not due:
            return
        try:
            async with self._database.reading() as session:
                duties = await accounts.duties(session, list(due))
        except _DATABASE_AWAY:
            for account_id in due:
                self._schedule(account_id, now)
            raise
        except (ValueError, LookupError):
            duties = await self._one_by_one(due)
        if self._stopping:
            return
        for duty in duties:
            seat = due[duty.account.id]
            if is_idle_duty(duty):
                seat.due_at = None
            else:
                seat.busy = True
                self._queue.put_nowait((duty, seat.fence))

    async def _one_by_one(self, due: Mapping[AccountId, _Seat]) -> list[Duty]:
        """One of them has a row that we cannot read; the others must not wait for it."""
        readable: list[Duty] = []
        for account_id in due:
            try:
                async with self._database.reading() as session:
                    readable += await accounts.duties(session, [account_id])
            except (ValueError, LookupError) as e:
                logger.error("account unreadable", extra={"account": account_id, "error": str(e)})  # noqa: TRY400 - the value says it all
                self._schedule(account_id, self._clock.now() + self._timing.error_backoff)
        return readable

    async def _work(self) -> None:
        while True:
            duty, fence = await self._queue.get()
            checked = await self._check(duty, fence)
            self._after(duty, fence, checked)

    async def _check(self, duty: Duty, fence: int) -> Checked | None:
        try:
            return await self._checker.check(duty, fence=fence)
        except Exception:
            # The supervisor's net: one account's bug must not stop the others.
            logger.exception("check broke", extra={"account": duty.account.id})
        try:
            async with self._database.writing() as session:
                await incidents.note(
                    session,
                    duty.account,
                    kind=TroubleKind.INTERNAL,
                    detail="",
                    now=self._clock.now(),
                )
        except _DATABASE_AWAY:
            logger.warning("trouble not recorded", extra={"account": duty.account.id})
        return None

    def _after(self, duty: Duty, fence: int, checked: Checked | None) -> None:
        seat = self._seats.get(duty.account.id)
        if seat is None or seat.fence != fence:
            return
        now = self._clock.now()
        seat.busy = False
        if checked is not None:
            seat.look = checked.look
        if seat.again:
            seat.again = False
            self._schedule(duty.account.id, now)
            return
        again_in = checked.again_in if checked else self._timing.error_backoff
        self._schedule(
            duty.account.id,
            next_check(
                due_at=seat.due_at or now,
                now=now,
                interval=duty.account.settings.interval,
                failed_for=again_in,
            ),
        )


def is_idle_duty(duty: Duty) -> bool:
    """Nothing to do before the person changes something."""
    if duty.unresolved is not None:
        return False
    # A tap that a pause has overtaken gets its answer all the same: the gate lets no order out.
    paused = duty.account.settings.paused and duty.request is None
    return paused or not duty.account.can_trade
