"""Working off a queue: the oldest row of each chat, several chats at a time."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Generic, assert_never

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from engine.backoff import delay, retry
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


@dataclass(eq=False, kw_only=True, repr=False)
class QueueWorkers(Service, Generic[Row]):
    """Calls *work* with each row of *table* until it is done, in order within a chat.

    At least once: a row is repeated if the process died or was cancelled during it. *work* may
    raise SQLAlchemyError (retried later) and ClaimLost (claimed elsewhere, or done); any other
    exception ends `run`. Nothing is claimed before *ready* is set. *owner* is this process's name,
    by which other processes free its claims when it died.
    """

    table: type[Row]
    work: Callable[[Row], Awaitable[Outcome]]
    lanes: Lanes
    owner: str | None = None
    ready: asyncio.Event | None = None

    def __post_init__(self) -> None:
        self._in_hand: dict[Claim, Work] = {}
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
                async with self._turn:
                    pass  # a claim in progress begins its rows, which are finished below
            finally:
                self._tasks = None

    async def _keep_claiming(self) -> None:
        failures = 0
        while not self._stopping:
            self._awake.clear()
            try:
                if self._may_begin():
                    async with self.claiming() as claim, self.database.writing() as session:
                        await claim(session)
                failures = 0
            except SQLAlchemyError as e:
                failures += 1
                logger.warning("queue unreadable", extra=self._about(e))
                await self.clock.sleep(delay(failures, most=_LONGEST_PAUSE))
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_S):
                    await self._awake.wait()

    @asynccontextmanager
    async def claiming(self, *, instead_of: Claim | None = None) -> AsyncGenerator[InTransaction]:
        """Wrap a transaction: yields a step that claims rows, which begin after the commit.
        *instead_of* is a row whose slot is free by then.
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

    async def _claimed(self, session: AsyncSession, instead_of: Claim | None) -> Sequence[Row]:
        if not self._may_begin():
            return ()
        now, steady = self.clock.now(), self.clock.steady()
        lanes = self.lanes if steady >= self._last_from else replace(self.lanes, last=0)
        busy = {held: work for held, work in self._in_hand.items() if held != instead_of}
        room = _Room(lanes, busy.values())
        # Renewed in the transaction of the claim: rows being worked on cannot be claimed again
        # here.
        if busy and steady >= self._renew_at:
            await queue.renew(session, self.table, busy, until=now + HOLD)
            self._renew_at = steady + _RENEW_EVERY
        most = room.most
        rows = await queue.claim(
            session,
            self.table,
            now=now,
            hold=HOLD,
            most=most,
            lowest=room.lowest,
            suspects=room.suspects,
            fits=room.take,
            owner=self.owner,
        )
        if rows and room.asked_for == most:
            self.nudge()  # there may be more rows than were read
        return rows

    async def _settle(self, row: Row, begun: Work) -> None:
        try:
            with claims.working_on(begun):
                outcome = await self.work(row)
        except ClaimLost:
            self._log_lost(begun.held)
            self.nudge()
        except SQLAlchemyError as e:
            logger.warning("work interrupted", extra=self._about(e))
            later = self.clock.now() + delay(row.attempts, most=_LONGEST_AFTER_AN_OUTAGE)
            await self._record(begun.held, Later(later, "database"))
        else:
            await self._record(begun.held, outcome)
        del self._in_hand[begun.held]

    async def _record(self, held: Claim, outcome: Outcome) -> None:
        """Store an outcome, retried until it succeeds: without it the work would be repeated."""
        await retry(
            lambda: self._write(held, outcome),
            on=SQLAlchemyError,
            clock=self.clock,
            failed=lambda e: logger.warning("outcome not recorded", extra=self._about(e)),
            most=_LONGEST_PAUSE,
        )

    async def _write(self, held: Claim, outcome: Outcome) -> None:
        """And what comes next is claimed in the same transaction."""
        async with self.claiming(instead_of=held) as claim, self.database.writing() as session:
            match outcome:
                case Done(failure=failure, also=also):
                    now = self.clock.now()
                    was_ours = await queue.finish(
                        session, self.table, held, now=now, failure=failure, **also
                    )
                case Later(until=until, failure=failure, rank=rank):
                    was_ours = await queue.postpone(
                        session, self.table, held, until=until, failure=failure, rank=rank
                    )
                case other:
                    assert_never(other)
            await claim(session)
        if not was_ours:
            self._log_lost(held)

    def _log_lost(self, held: Claim) -> None:
        """Another process has the row, or a newer message has cancelled it."""
        logger.warning("claim lost", extra={"queue": self.table.__name__, "row": held.row_id})

    def _about(self, error: SQLAlchemyError) -> dict[str, str]:
        return {"queue": self.table.__name__, "error": type(error).__name__}


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
