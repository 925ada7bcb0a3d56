"""Hands due accounts to a bounded pool of checks, once per heartbeat.

Not one scheduler job per chat: that would silently drop the checks of a busy second.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.domain.accounts.incidents import IncidentKind
from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.check_result import (
    AwaitingSettlement,
    CheckFailed,
    CheckResult,
    NoTrade,
    OrderPending,
)
from engine.domain.rebalancing.planner import InsideBand
from engine.domain.rebalancing.schedule import longest_silence, next_check, own_interval
from engine.exchanges.rate_limiter import hurried
from engine.monitoring.counters import CheckTally
from engine.monitoring.lateness import Lateness, LatenessTracker
from engine.monitoring.stall_detector import EngineProgress, WorkProgress
from engine.notifications import incidents
from engine.rebalancing.checked import Checked
from engine.rebalancing.checker import Checker
from engine.scheduling.account_queue import AccountQueue, AccountShare, Line, QueuedAccount
from engine.scheduling.alarm import Alarm
from engine.scheduling.handed_out import HandedOut
from engine.scheduling.lease_manager import LeaseManager
from engine.scheduling.process_presence import ProcessPresence
from engine.scheduling.wakeups import WakeUps
from engine.storage import availability
from engine.storage.accounts import check_inputs
from engine.storage.service import Service
from engine.storage.trading import check_results, order_types
from engine.streaming.following import Nobody, Watching
from engine.timeouts import Timing

logger = logging.getLogger(__name__)

# 8 in flight is several times the exchange's rate limit (3 account reads a second).
POOL = 8
# Accounts are read when queued: the shorter the queue, the fresher what was read.
_AHEAD = 2 * POOL
_MOST_AHEAD = 500
_IDLE_POLL = timedelta(milliseconds=50)


def new_owner() -> str:
    """Returns a process name that was never used before."""
    return secrets.token_hex(8)


@dataclass(eq=False, kw_only=True, repr=False)
class Dispatcher(Service):
    """*poll_interval* returns how long an account is left alone after a check that found all inside
    its band, given the interval that its user chose. Set times, rests, orders and errors have waits
    of their own, which it does not change.
    """

    timing: Timing
    checker: Checker
    owner: str
    poll_interval: Callable[[AccountId, timedelta], timedelta] = own_interval
    streams: Watching = field(default_factory=Nobody)

    def __post_init__(self) -> None:
        self.tally = CheckTally()
        self._account_queue = AccountQueue(error_backoff=self.timing.error_backoff)
        self._handed_out = HandedOut()
        self._begun = 0  # since the last beat
        self._turn = asyncio.Lock()  # of a beat, or of a hand-out between two
        self._alarm = Alarm(self.clock)
        self._lateness = LatenessTracker()
        self._presence = ProcessPresence(
            database=self.database, clock=self.clock, timing=self.timing, owner=self.owner
        )
        self._lease_manager = LeaseManager(
            account_queue=self._account_queue,
            tally=self.tally,
            database=self.database,
            clock=self.clock,
            timing=self.timing,
            owner=self.owner,
            presence=self._presence,
            on_gone=self.streams.unwanted,
        )
        self._wakeups = WakeUps(
            account_queue=self._account_queue,
            lease_manager=self._lease_manager,
            database=self.database,
            clock=self.clock,
            timing=self.timing,
            owner=self.owner,
        )
        self._stopping = False
        self._beats = 0
        self._beat_at: datetime | None = None
        self._database_away = False

    def standing(self, account_id: AccountId) -> AccountShare | None:
        """None where another process owns the account."""
        queued = self._account_queue.get(account_id)
        if queued is None:
            return None
        return queued.standing(now=self.clock.now(), steady=self.clock.steady())

    @property
    def owned(self) -> int:
        """How many accounts this process owns."""
        return len(self._account_queue)

    def pulse(self) -> EngineProgress:
        """Returns the progress of this process's work."""
        allowance = self._lateness.most(self.clock.steady())
        return EngineProgress(
            beats=WorkProgress(self._beats, longest_silence(waits=[self.timing.error_backoff])),
            database_away=self._database_away,
            checks=self._account_queue.progress(allowance=allowance),
        )

    def lateness(self) -> Lateness:
        """Returns how late this process's checks are."""
        now = self.clock.steady()
        return self._lateness.facts(now=now, overdue_since=self._account_queue.overdue(now=now))

    def beaten(self) -> timedelta | None:
        """Returns the time since the last heartbeat that missed no database; None before one."""
        return None if self._beat_at is None else self.clock.steady() - self._beat_at

    async def tick(self) -> None:
        """One heartbeat: renew leases, read wake-ups, hand out due accounts.
        Never waits for the exchange.
        """
        if self._stopping:
            return
        try:
            async with self._turn:
                await self._presence.keep()
                if await self._lease_manager.keep():
                    self.nudge()
                await self._wakeups.read(at_once=self._database_away)
                # Twice what the pool began since the last beat, so that it does not run empty.
                most = min(max(_AHEAD, 2 * self._begun), _MOST_AHEAD) - self._handed_out.polled
                self._begun = 0
                await self._enqueue_due(most)
        except availability.AWAY as e:
            self._database_away = True
            logger.warning("heartbeat skipped: database %s", availability.why(e))
        else:
            self._beats += 1
            self._database_away = False
            self._beat_at = self.clock.steady()

    def nudge(self) -> None:
        """Somebody was woken, or is free: read it with the next heartbeat."""
        self._wakeups.nudge()

    def wake(
        self, account_id: AccountId, *, at: datetime | None = None, line: Line = Line.WOKEN
    ) -> None:
        """Something happened to the account: check it at *at* (steady clock), or now.
        Handed out at once, after the same questions to lease and database; in the line POLLED with
        those whose interval is over. Many calls are one check, at the earliest of their moments;
        during a check they are one more. An account that is due earlier stays so, another
        process's is ignored, and the back-off after an error is kept.
        """
        now = self.clock.steady()
        due_at = self._account_queue.wake(account_id, max(at or now, now), line=line)
        if due_at is not None and line is Line.WOKEN:
            self._alarm.set(due_at)

    async def run(self) -> None:
        """Run the pool until cancelled."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(POOL):
                workers.create_task(self._work())
                workers.create_task(self._work_ahead())
            workers.create_task(self._serve_woken())

    def stop_claiming(self) -> None:
        """Start no new check, not even one already handed out; running checks continue."""
        self._stopping = True
        for duty, fence in self._handed_out.take_all():
            if (queued := self._account_queue.held(duty.account.id, fence=fence)) is not None:
                queued.busy = False

    async def until_idle(self) -> None:
        """Return when no check is waiting or under way."""
        while any(queued.busy for queued in self._account_queue.values()):
            await self.clock.sleep(_IDLE_POLL)

    async def cancel_resting(self) -> None:
        """Cancel this process's orders that rest: none may be filled while nobody looks."""
        try:
            async with self.database.reading() as session:
                resting = await order_types.resting_of(session, self.owner)
                duties = await check_inputs.duties(session, resting) if resting else []
        except availability.AWAY as e:
            logger.warning("orders left resting: database %s", availability.why(e))
            return
        async with asyncio.TaskGroup() as cancelling:
            for duty in duties:
                cancelling.create_task(self._cancel_resting(duty))

    async def _cancel_resting(self, duty: CheckInput) -> None:
        try:
            await self.checker.cancel_resting(duty)
        except Exception:
            # The stop goes on; the next start looks the order up.
            logger.exception("order left resting", extra={"account": duty.account.id})

    async def release(self) -> None:
        """Release every lease, so that another process can claim the accounts at once."""
        await self._lease_manager.release()

    async def _serve_woken(self) -> None:
        """Hand out those whom `wake` made due as soon as they are."""
        while True:
            await self._alarm.wait()
            try:
                async with self._turn:
                    if not self._stopping:
                        await self._enqueue_due(0)
            except availability.AWAY:
                pass  # they are due still; the heartbeat says so, and tries again
            except Exception:
                logger.exception("hand-out failed")  # the next heartbeat may succeed

    async def _enqueue_due(self, most: int) -> None:
        """Hand out up to *most* due accounts; those for whom something happened go ahead of all."""
        now = self.clock.steady()
        if not self._lease_manager.is_certain():
            return  # suspended since the renewal: the next heartbeat reads who owns what
        ahead = _AHEAD - self._handed_out.ahead
        due = self._account_queue.pop_due(now=now, most=most, ahead=ahead)
        if (later := self._account_queue.next_woken()) is not None and later > now:
            self._alarm.set(later)
        if not due:
            return
        duties = await self._duties(due)
        if self._stopping:
            return
        if not self._lease_manager.is_certain():  # or suspended while reading
            self._account_queue.put_back(due)
            return
        read = {duty.account.id: duty for duty in duties}
        for account_id, queued in due.items():  # in their order, which is not the database's
            duty = read.get(account_id)
            if duty is None:
                continue
            if is_idle_duty(duty):
                queued.due_at = None
                self.streams.unwanted(account_id)
            else:
                queued.busy = True
                self._handed_out.put(queued.line, duty, queued.fence)

    async def _duties(self, due: Mapping[AccountId, QueuedAccount]) -> list[CheckInput]:
        try:
            async with self.database.reading() as session:
                return await check_inputs.duties(session, list(due))
        except availability.AWAY:
            self._account_queue.put_back(due)
            raise
        except (ValueError, LookupError):
            return await self._one_by_one(due)

    async def _one_by_one(self, due: Mapping[AccountId, QueuedAccount]) -> list[CheckInput]:
        """Read each account alone, so that an unreadable row does not delay the rest."""
        readable: list[CheckInput] = []
        for account_id in due:
            try:
                async with self.database.reading() as session:
                    readable += await check_inputs.duties(session, [account_id])
            except (ValueError, LookupError) as e:
                logger.error("account unreadable", extra={"account": account_id, "error": str(e)})  # noqa: TRY400 - the value says it all
                self._account_queue.schedule(
                    account_id, self.clock.steady() + self.timing.error_backoff
                )
        return readable

    async def _work(self) -> None:
        while True:
            await self._check_one(*await self._handed_out.next_polled())

    async def _work_ahead(self) -> None:
        while True:
            with hurried():
                await self._check_one(*await self._handed_out.next_ahead())

    async def _check_one(self, duty: CheckInput, fence: int) -> None:
        self._begin(duty, fence)
        checked = await self._check(duty, fence)
        self._after(duty, fence, checked)

    def _begin(self, duty: CheckInput, fence: int) -> None:
        self._begun += 1
        queued = self._account_queue.held(duty.account.id, fence=fence)
        if queued is not None and queued.due_at is not None:
            now = self.clock.steady()
            self._lateness.began(due_at=queued.due_at, now=now)
            self.tally.began(max(now - queued.due_at, timedelta()))

    async def _check(self, duty: CheckInput, fence: int) -> Checked | None:
        about = {"account": duty.account.id}
        try:
            checked = await self.checker.check(duty, fence=fence)
            await self._keep_seen(duty, fence, checked.look)
        except availability.AWAY as e:
            # An order that was begun is in the database, and is resumed from there.
            logger.warning("check interrupted: database %s", availability.why(e), extra=about)
            return None
        except Exception:
            # Last resort: a bug in one account's check must not stop the other checks.
            self.tally.broke()
            logger.exception("check crashed", extra=about)
        else:
            return checked
        try:
            async with self.database.writing() as session:
                now, kind = self.clock.now(), IncidentKind.INTERNAL
                await incidents.record(session, duty.account, kind=kind, now=now)
        except availability.AWAY:
            logger.warning("incident not recorded", extra=about)
        return None

    async def _keep_seen(self, duty: CheckInput, fence: int, look: CheckResult) -> None:
        """Store the last balances once they cannot be read any more: they survive a restart."""
        queued = self._account_queue.held(duty.account.id, fence=fence)
        if queued is None or queued.seen is None or queued.seen_kept:
            return
        if isinstance(look.verdict, CheckFailed):
            queued.seen_kept = True
            async with self.database.writing() as session:
                await check_results.see(session, duty.account.id, queued.seen)

    def _after(self, duty: CheckInput, fence: int, checked: Checked | None) -> None:
        account_id = duty.account.id
        queued = self._account_queue.held(account_id, fence=fence)
        if queued is None:
            return
        now = self.clock.steady()
        self.tally.done(checked.look if checked else None)
        if checked is not None:
            self.streams.checked(duty.account, checked.look, fence=fence)
        interval = self._interval_after(duty, checked)
        again_in = checked.again_in if checked else self.timing.error_backoff
        self._account_queue.finished(account_id, interval=interval, again_in=again_in or interval)
        queued.busy = False
        queued.held_until = None
        if again_in is not None and (checked is None or checked.backs_off):
            queued.held_until = now + again_in
        if checked is not None:
            queued.look = checked.look
            if checked.look.seen is not None:
                queued.seen, queued.seen_kept = checked.look, False
        woken_at, queued.woken_at = queued.woken_at, None
        if queued.again:
            queued.again = False
            self._account_queue.schedule(account_id, now, urgently=True)
            return
        was_due, own = queued.due_at or now, duty.account.settings.interval
        due_at = next_check(due_at=was_due, now=now, interval=interval, failed_for=again_in)
        queued.next_at = next_check(due_at=was_due, now=now, interval=own, failed_for=again_in)
        if checked is not None and checked.by is not None:
            due_at = min(due_at, now + checked.by)
        self._account_queue.schedule(
            account_id,
            due_at,
            urgently=checked is not None
            and isinstance(checked.look.verdict, OrderPending | AwaitingSettlement),
        )
        if woken_at is not None:
            self.wake(account_id, at=woken_at)

    def _interval_after(self, duty: CheckInput, checked: Checked | None) -> timedelta:
        interval = duty.account.settings.interval
        verdict = checked.look.verdict if checked is not None else None
        if isinstance(verdict, NoTrade) and isinstance(verdict.reason, InsideBand):
            return self.poll_interval(duty.account.id, interval)
        return interval


def is_idle_duty(duty: CheckInput) -> bool:
    """True if there is nothing to do before the user changes a setting."""
    if duty.unresolved is not None:
        return False
    if duty.sliced is not None:
        return False  # in a pause too: a user wants it, or must be told that it is over
    # A tap before a pause is still answered; `start_sending` refuses its order.
    stopped = duty.account.stopped and duty.request is None
    return stopped or not duty.account.can_trade
