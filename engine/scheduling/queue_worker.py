"""Working off a queue: the oldest row of each chat, several chats at a time."""

import asyncio
import logging
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, assert_never

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from engine.backoff import delay
from engine.storage.database import InTransaction
from engine.storage.models import queues
from engine.storage.models.queues import QueueColumns
from engine.storage.queues import claims, queue
from engine.storage.queues.claims import ClaimLost, Work
from engine.storage.queues.queue import Claim, Row
from engine.storage.service import Service

HOLD = timedelta(seconds=60)  # of a claim; a live process renews it well before
_RENEW_EVERY = HOLD / 3
_POLL_S = 1.0  # poll interval of the queue without a nudge, in real seconds
_LONGEST_PAUSE = timedelta(seconds=10)
_LONGEST_AFTER_AN_OUTAGE = timedelta(seconds=5)
_PLENTY = 1_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """The row is dealt with; *failure* says why it was given up, *also* sets more columns."""

    failure: str | None = None
    also: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Later:
    """The row stays first in its chat until *until*; a higher *rank* lets later rows pass it."""

    until: datetime
    failure: str
    rank: int | None = None


Outcome = Done | Later


@dataclass(frozen=True, slots=True)
class Lanes:
    """Limits of rows at a time.
    *width* in all, of which *last* of the rank LAST; *first* are added for the rank FIRST.
    *suspects* limits rows during which a process died: one that kills it would otherwise count as
    a death of the innocent rows beside it.
    """

    width: int
    first: int = 0
    last: int = _PLENTY
    suspects: int = _PLENTY


@dataclass(frozen=True, slots=True)
class Together:
    """Outcomes are recorded when there are *rows* of them, or the first is *within_s* old, or no
    other row is worked on. Those not recorded when the process dies are repeated.
    """

    rows: int = 1
    within_s: float = 0.0


@dataclass(eq=False, kw_only=True, repr=False)
class QueueWorkers(Service, Generic[Row]):
    """Calls *work* with each row of *table* until it is done, in order within a chat.

    At least once: a row is repeated if the process died or was cancelled during it. *work* may
    raise SQLAlchemyError (retried later) and ClaimLost (claimed elsewhere, or done); any other
    exception ends `run`. Nothing is claimed before *ready* is set. *owner* is this process's name,
    by which other processes free its claims when it died. A chat whose row has a *pause_of* is left
    for so long, except for the rank FIRST.
    """

    table: type[Row]
    work: Callable[[Row], Awaitable[Outcome]]
    lanes: Lanes
    together: Together = Together()
    pause_of: Callable[[Row], timedelta] = lambda _: timedelta()
    owner: str | None = None
    ready: asyncio.Event | None = None

    def __post_init__(self) -> None:
        self._in_hand: dict[Claim, Work] = {}
        self._ended: list[tuple[Claim, Outcome]] = []  # of those in hand: not recorded yet
        self._record_by_s = 0.0  # by the loop's time
        self._look = True
        self._left: dict[int, datetime] = {}  # chats that were left, until when
        self._waker: asyncio.Task[None] | None = None
        self._renew_at = self.clock.steady()
        self._last_from = self.clock.steady()
        self._awake = asyncio.Event()
        self._stopping = False
        self._turn = asyncio.Lock()  # to claim: two at once would both count the same room
        self._tasks: asyncio.TaskGroup | None = None

    def hold_last(self, duration: timedelta) -> None:
        """Begin nothing of the rank LAST for so long."""
        self._last_from = self.clock.steady() + duration

    def nudge(self) -> None:
        """Read the queue now instead of within a second."""
        self._look = True
        self._awake.set()

    def stop(self) -> None:
        """Take nothing new; `run` returns when what is being worked on is done."""
        self._stopping = True
        self.nudge()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await self._keep_claiming()
            finally:
                self._tasks = None
                if self._waker is not None:
                    self._waker.cancel()

    async def _keep_claiming(self) -> None:
        failures = 0
        while not await self._is_over():
            self._awake.clear()
            look, self._look = self._look, False
            ended = self._to_record(look=look, alone=failures > 0)
            try:
                if ended:
                    await self._write(ended)
                elif look and self._may_claim():
                    async with self.claiming() as claim, self.database.writing() as session:
                        await claim(session)
                failures = 0
            except SQLAlchemyError as e:
                failures += 1
                what = "outcome not recorded" if ended else "queue unreadable"
                logger.warning(what, extra=self._about(e))
                self._ended = [*self._ended[len(ended) :], *ended]
                self._look = True
                await self.clock.sleep(delay(failures, most=_LONGEST_PAUSE))
                continue
            await self._rest()

    async def _is_over(self) -> bool:
        if not self._stopping:
            return False
        async with self._turn:  # a claim in progress begins its rows, which are finished first
            return not self._in_hand

    def _to_record(self, *, look: bool, alone: bool) -> Sequence[tuple[Claim, Outcome]]:
        """*alone*: after a failure, so that one that cannot be recorded keeps no other waiting."""
        if alone:
            return self._ended[:1]
        is_time = look or self._stopping or len(self._ended) >= self.together.rows
        return self._ended[:] if is_time or len(self._ended) == len(self._in_hand) else ()

    async def _rest(self) -> None:
        if self._stopping and not self._in_hand:
            return
        rest_s = _POLL_S
        if self._ended:
            rest_s = min(rest_s, self._record_by_s - asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(rest_s):
                await self._awake.wait()
        except TimeoutError:
            self._look = True

    @asynccontextmanager
    async def claiming(
        self, *, instead_of: Collection[Claim] = ()
    ) -> AsyncGenerator[InTransaction]:
        """Wrap a transaction: yields a step that claims rows, which begin after the commit.
        *instead_of* are rows whose slots are free by then.
        """
        async with self._turn:
            rows: list[Row] = []

            async def claim(session: AsyncSession) -> None:
                rows.extend(await self._claimed(session, instead_of))

            yield claim
            for row in rows:
                self._begin(row)

    def _may_begin(self) -> bool:
        is_running = self._tasks is not None and not self._stopping
        return is_running and (self.ready is None or self.ready.is_set())

    def _may_claim(self) -> bool:
        """True if there is something to do for it: claims to renew, or room for others."""
        is_due = bool(self._in_hand) and self.clock.steady() >= self._renew_at
        return self._may_begin() and (is_due or self._room().most > 0)

    def _room(self, instead_of: Collection[Claim] = ()) -> "_Room":
        lanes = self.lanes
        if self.clock.steady() < self._last_from:
            lanes = replace(lanes, last=0)
        return _Room(lanes, [w for held, w in self._in_hand.items() if held not in instead_of])

    def _begin(self, row: Row) -> None:
        begun = Work(
            table=self.table,
            held=Claim.of(row),
            rank=row.rank,
            is_suspect=row.deaths > 0,
            on_aside=self.nudge,
        )
        if self._tasks is not None:
            self._in_hand[begun.held] = begun
            self._tasks.create_task(self._settle(row, begun))

    async def _claimed(
        self, session: AsyncSession, instead_of: Collection[Claim]
    ) -> Sequence[Row]:
        if not self._may_begin():
            return ()
        now, steady = self.clock.now(), self.clock.steady()
        busy = self._in_hand.keys() - instead_of
        # Renewed in the transaction of the claim: rows being worked on cannot be claimed again
        # here.
        if busy and steady >= self._renew_at:
            await queue.renew(session, self.table, busy, until=now + HOLD)
            self._renew_at = steady + _RENEW_EVERY
        room = self._room(instead_of)
        if not (most := room.most):
            return ()
        self._left = {chat: until for chat, until in self._left.items() if until > steady}
        known = len(self._left)
        rows = await queue.claim(
            session,
            self.table,
            now=now,
            hold=HOLD,
            most=most,
            lowest=room.lowest,
            suspects=room.suspects,
            fits=partial(self._fits, room),
            without=self._left,
            owner=self.owner,
        )
        is_awaited = self._waker is not None and not self._waker.done()
        if self._left and (len(self._left) > known or not is_awaited):
            self._wake_at(min(self._left.values()))
        if len(rows) < room.asked_for == most:
            self.nudge()  # there may be more rows than were read
        return rows

    def _fits(self, room: "_Room", row: Row) -> bool:
        if row.rank > queues.FIRST and (pause := self.pause_of(row)) > timedelta():
            room.asked_for += 1
            self._left[row.chat_id] = self.clock.steady() + pause
            return False
        return room.take(row)

    def _wake_at(self, moment: datetime) -> None:
        async def wake() -> None:
            await self.clock.sleep(moment - self.clock.steady())
            self.nudge()

        if self._waker is not None:
            self._waker.cancel()
        if self._tasks is not None:
            self._waker = self._tasks.create_task(wake())

    async def _settle(self, row: Row, begun: Work) -> None:
        try:
            with claims.working_on(begun):
                outcome = await self.work(row)
        except ClaimLost:
            self._log_lost(begun.held)
            del self._in_hand[begun.held]
            self.nudge()
            return
        except SQLAlchemyError as e:
            logger.warning("work interrupted", extra=self._about(e))
            later = self.clock.now() + delay(row.attempts, most=_LONGEST_AFTER_AN_OUTAGE)
            outcome = Later(later, "database")
        if not self._ended:
            self._wait_for_others()
        self._ended.append((begun.held, outcome))
        self._awake.set()

    def _wait_for_others(self) -> None:
        self._record_by_s = asyncio.get_running_loop().time() + self.together.within_s

    async def _write(self, ended: Sequence[tuple[Claim, Outcome]]) -> None:
        """Store outcomes, and claim what comes next in the same transaction. Where that fails it is
        tried again until it succeeds: without them the work would be repeated.
        """
        over = {held for held, _ in ended}
        now = self.clock.now()
        async with self.claiming(instead_of=over) as claim, self.database.writing() as session:
            outcomes = [(held, _stored(outcome, now=now)) for held, outcome in ended]
            lost = await queue.give_back(session, self.table, outcomes)
            await claim(session)
        del self._ended[: len(ended)]
        self._wait_for_others()
        for held in over:
            del self._in_hand[held]
        for held in lost:
            self._log_lost(held)

    def _log_lost(self, held: Claim) -> None:
        """Another process has the row, or a newer message has cancelled it."""
        logger.warning("claim lost", extra={"queue": self.table.__name__, "row": held.row_id})

    def _about(self, error: SQLAlchemyError) -> dict[str, str]:
        return {"queue": self.table.__name__, "error": type(error).__name__}


def _stored(outcome: Outcome, *, now: datetime) -> Mapping[str, Any]:
    match outcome:
        case Done(failure=failure, also=also):
            return queue.done(now=now, failure=failure, **also)
        case Later(until=until, failure=failure, rank=rank):
            return queue.postponed(until=until, failure=failure, rank=rank)
        case other:
            assert_never(other)


class _Room:
    """The room for claims beside *in_hand*."""

    def __init__(self, lanes: Lanes, in_hand: Iterable[Work]) -> None:
        busy = [work for work in in_hand if not work.aside]
        first = min(sum(work.rank == queues.FIRST for work in busy), lanes.first)
        self._first = lanes.first - first
        self._width = max(lanes.width - (len(busy) - first), 0)
        self._last = lanes.last - sum(work.rank == queues.LAST for work in busy)
        self._suspects = lanes.suspects - sum(work.is_suspect for work in busy)
        self.asked_for = 0

    @property
    def most(self) -> int:
        return self._first + self._width

    @property
    def lowest(self) -> int:
        if not self._width:
            return queues.FIRST
        return queues.ASIDE if self._last > 0 else queues.LAST - 1

    @property
    def suspects(self) -> bool:
        return self._suspects > 0

    def take(self, row: QueueColumns) -> bool:
        """Take room for *row*; False if there is none."""
        self.asked_for += 1
        is_suspect = row.deaths > 0 or row.claimed_until is not None
        if is_suspect and self._suspects <= 0:
            return False
        if row.rank == queues.FIRST and self._first:
            self._first -= 1
        elif self._width and (row.rank != queues.LAST or self._last > 0):
            self._width -= 1
            self._last -= row.rank == queues.LAST
        else:
            return False
        self._suspects -= is_suspect
        return True
