"""Working off a queue: the oldest row of each chat, several chats at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, assert_never

from sqlalchemy.exc import SQLAlchemyError

from engine.clock import Clock
from engine.storage import queue
from engine.storage.database import Database
from engine.storage.queue import Claim, Row

# A dead process's claim runs out after this long; a living one renews it well before.
HOLD = timedelta(seconds=60)
_RENEW_EVERY = HOLD / 3
# How often the queue is looked at without a nudge, in real seconds.
_POLL_S = 1.0
_MAX_DOUBLINGS = 16
# Between two tries of what somebody waits for.
LONGEST_PAUSE = timedelta(seconds=30)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """The row is dealt with; *failure* says why it was given up, *also* sets more columns."""

    failure: str | None = None
    also: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Later:
    """The row stays first in its chat until *until*."""

    until: datetime
    failure: str


Outcome = Done | Later


def delay(failures: int, *, most: timedelta) -> timedelta:
    """How long to wait after so many failures in a row: 1 s, then twice as long each time."""
    return min(most, timedelta(seconds=2 ** min(max(failures - 1, 0), _MAX_DOUBLINGS)))


class QueueWorkers(Generic[Row]):
    """Calls *work* with each row of *table* until it is done, in order within a chat.

    A row that was in hand when the process died, or was cancelled, is worked on again: at least
    once, not exactly once. *work* may raise SQLAlchemyError (the row is tried again later); any
    other exception ends `run`. Nothing is claimed before *ready* is set.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        table: type[Row],
        work: Callable[[Row], Awaitable[Outcome]],
        width: int,
        ready: asyncio.Event | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._table = table
        self._work = work
        self._width = width
        self._ready = ready
        self._in_hand: set[Claim] = set()
        self._renew_at = clock.now()
        self._awake = asyncio.Event()
        self._stopping = False

    def nudge(self) -> None:
        """There may be something to do: look now instead of within a second."""
        self._awake.set()

    def stop(self) -> None:
        """Take nothing new; `run` returns when what is in hand is done."""
        self._stopping = True
        self.nudge()

    async def run(self) -> None:
        failures = 0
        async with asyncio.TaskGroup() as tasks:
            while not self._stopping:
                self._awake.clear()
                try:
                    rows = await self._claim() if self._may_begin() else ()
                    failures = 0
                except SQLAlchemyError as e:
                    failures += 1
                    logger.warning("queue unreadable", extra=self._about(e))
                    await self._clock.sleep(delay(failures, most=timedelta(seconds=10)))
                    continue
                for row in rows:
                    held = Claim.of(row)
                    self._in_hand.add(held)
                    tasks.create_task(self._settle(row, held))
                if not rows:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_POLL_S):
                            await self._awake.wait()

    def _may_begin(self) -> bool:
        return self._ready is None or self._ready.is_set()

    async def _claim(self) -> Sequence[Row]:
        now = self._clock.now()
        async with self._database.writing() as session:
            # In the same breath as the claim: a row in hand can then never be claimed again here.
            if self._in_hand and now >= self._renew_at:
                await queue.renew(session, self._table, self._in_hand, until=now + HOLD)
                self._renew_at = now + _RENEW_EVERY
            free = self._width - len(self._in_hand)
            return await queue.claim(session, self._table, now=now, hold=HOLD, most=free)

    async def _settle(self, row: Row, held: Claim) -> None:
        try:
            outcome = await self._work(row)
        except SQLAlchemyError as e:
            logger.warning("work interrupted", extra=self._about(e))
            outcome = Later(self._clock.now() + delay(row.attempts, most=HOLD), "database")
        await self._record(held, outcome)
        self._in_hand.discard(held)
        self.nudge()

    async def _record(self, held: Claim, outcome: Outcome) -> None:
        """Until it succeeds: what was done must not be forgotten, or it is done twice."""
        failures = 0
        while True:
            try:
                await self._write(held, outcome)
            except SQLAlchemyError as e:
                failures += 1
                logger.warning("outcome not recorded", extra=self._about(e))
                await self._clock.sleep(delay(failures, most=timedelta(seconds=10)))
            else:
                return

    async def _write(self, held: Claim, outcome: Outcome) -> None:
        async with self._database.writing() as session:
            match outcome:
                case Done(failure=failure, also=also):
                    now = self._clock.now()
                    was_ours = await queue.finish(
                        session, self._table, held, now=now, failure=failure, **also
                    )
                case Later(until=until, failure=failure):
                    was_ours = await queue.postpone(
                        session, self._table, held, until=until, failure=failure
                    )
                case other:
                    assert_never(other)
        if not was_ours:
            about = {"queue": self._table.__name__, "row": held.row_id}
            logger.warning("claim lost", extra=about)

    def _about(self, error: SQLAlchemyError) -> dict[str, str]:
        return {"queue": self._table.__name__, "error": type(error).__name__}
