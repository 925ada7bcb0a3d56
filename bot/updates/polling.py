"""Updates in: stored before they are confirmed, then handled once each, in order within a chat."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from enum import Enum
from typing import Any, Protocol

from sqlalchemy.exc import SQLAlchemyError

from bot.updates.inbox import Sealer, UpdateStore, purpose
from bot.updates.source import Conflict, PollFailed, RetryAfter, TokenRefused
from engine.clock import Clock
from engine.scheduling.queue_worker import Done, Lanes, Outcome, QueueWorkers, delay
from engine.storage import availability
from engine.storage.database import Database, InTransaction
from engine.storage.models.trading import InboxRow
from engine.storage.queues.claims import ClaimLost

_LONGEST_PAUSE = timedelta(seconds=30)
# An update that the process did not survive so often probably kills it.
_MOST_DEATHS = 3
# A /pause finds a worker whatever the others do, and strangers leave most of them to known chats.
_LANES = Lanes(width=16, first=8, last=4, suspects=1)

# Far longer than the next batch takes.
_UNTIL_ALL_IS_HERE = timedelta(seconds=5)

logger = logging.getLogger(__name__)


class Source(Protocol):
    """Where updates come from: Telegram, or the demo's terminal."""

    async def fetch(self, offset: int | None) -> list[dict[str, Any]]:
        """Wait for updates; asking with *offset* confirms all before it. Raises PollFailed."""
        ...


class OnBrought(Protocol):
    def __call__(self, updates: Sequence[Mapping[str, Any]], /, *, after: timedelta) -> None: ...


class UpdatePoller:
    """Fetches updates, has them stored, and only then confirms them.

    A batch that could not be stored is not confirmed, so Telegram sends it again. *on_answered*
    is called whenever a poll is answered, *on_brought* with the updates and how long it took.
    """

    def __init__(
        self,
        *,
        source: Source,
        store: UpdateStore,
        clock: Clock,
        on_answered: Callable[[], None] = lambda: None,
        on_brought: OnBrought | None = None,
    ) -> None:
        self._source = source
        self._store = store
        self._clock = clock
        self._on_answered = on_answered
        self._on_brought = on_brought
        self._offset: int | None = None
        self._answers = 0
        self._told_to_wait = False

    @property
    def answers(self) -> int:
        """How many polls Telegram itself has answered, be it with updates, with "wait" or with
        "another copy polls". Whether the database took the updates does not matter here.
        """
        return self._answers

    def _heard(self) -> None:
        self._answers += 1
        self._on_answered()

    @property
    def told_to_wait(self) -> bool:
        """Telegram asked for silence, and gets it."""
        return self._told_to_wait

    async def run(self) -> None:
        """Until cancelled. Raises TokenRefused; every other failure is waited out."""
        failures = 0
        while True:
            try:
                await self._poll()
                failures = 0
                continue
            except TokenRefused:
                raise
            except RetryAfter as e:
                self._heard()
                self._told_to_wait = True
                problem, pause = str(e), e.pause
            except PollFailed as e:
                if isinstance(e, Conflict):
                    self._heard()
                failures += 1
                problem, pause = f"{type(e).__name__}: {e}", delay(failures, most=_LONGEST_PAUSE)
            except SQLAlchemyError as e:
                failures += 1
                problem, pause = type(e).__name__, delay(failures, most=_LONGEST_PAUSE)
            logger.warning("poll failed", extra={"problem": problem, "failures": failures})
            await self._clock.sleep(pause)
            self._told_to_wait = False

    async def _poll(self) -> None:
        began = self._clock.steady()
        batch = await self._source.fetch(self._offset)
        if self._on_brought is not None:
            self._on_brought(batch, after=self._clock.steady() - began)
        self._heard()
        newest = await self._store.store(batch)
        if batch and newest is None:
            raise PollFailed("no update has an id")
        # An empty answer has confirmed everything before the offset. Asking without one from
        # there on matters after a quiet week, when Telegram may start over at a lower number.
        self._offset = None if newest is None else newest + 1


class UpdateOutcome(Enum):
    """What became of an update that was stored."""

    HANDLED = "handled"
    FAILED = "failed"
    QUARANTINED = "quarantined"


SetAside = Callable[[InboxRow, dict[str, Any] | None], Awaitable[None]]
"""Tells the author of an update that it is not carried out; the update is None where it cannot be
read. Raises what the database raises."""


class UpdateWorkers:
    """Hands each stored update to *handle*, in the lanes of `_LANES`.

    An exception in *handle* is logged, the author is told, and the update is over: a command is
    never tried again behind the person's back. An update during which the process died is, three
    times; then its author is told. While the database is away, which *handle* says by raising
    what it raised, nothing counts as a try.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        sealer: Sealer,
        handle: Callable[[dict[str, Any]], Awaitable[None]],
        set_aside: SetAside,
        owner: str | None = None,
        ready: asyncio.Event | None = None,
    ) -> None:
        self._sealer = sealer
        self._handle = handle
        self._set_aside = set_aside
        self.fates = dict.fromkeys(UpdateOutcome, 0)
        self._workers = QueueWorkers(
            database=database,
            clock=clock,
            table=InboxRow,
            work=self._work,
            lanes=_LANES,
            owner=owner,
            ready=ready,
        )

    def nudge(self) -> None:
        """Something may be there to handle."""
        self._workers.nudge()

    @asynccontextmanager
    async def claiming(self, more: bool) -> AsyncGenerator[InTransaction]:
        """To be entered around the transaction that stores updates: its last step claims them.

        *more*: Telegram has more yet; what strangers sent waits until all is here, for a /pause may
        be among it.
        """
        async with self._workers.claiming() as claim:
            self._workers.hold_last(_UNTIL_ALL_IS_HERE if more else timedelta())
            yield claim

    def stop(self) -> None:
        """Begin nothing new; `run` returns when what is being handled is done."""
        self._workers.stop()

    async def run(self) -> None:
        """Until cancelled or stopped. What is being handled when cancelled is handled again."""
        await self._workers.run()

    async def _work(self, row: InboxRow) -> Outcome:
        about = {"update_id": row.update_id, "chat_id": row.chat_id}
        raw = None
        try:
            raw = self._opened(row)
            if row.deaths >= _MOST_DEATHS:
                logger.error("update quarantined", extra=about)
                return await self._over(row, raw, UpdateOutcome.QUARANTINED, "quarantined")
            await self._handle(raw)
        except ClaimLost:
            raise
        except Exception as e:
            if availability.passes(e):
                raise  # the workers try it again
            # The supervisor: whatever one update breaks must not reach the others.
            logger.exception("update failed", extra=about)
            return await self._over(row, raw, UpdateOutcome.FAILED, type(e).__name__)
        self.fates[UpdateOutcome.HANDLED] += 1
        return _done(failure=None)

    def _opened(self, row: InboxRow) -> dict[str, Any]:
        text = self._sealer.open_text(row.payload, purpose=purpose(row.bot_id, row.update_id))
        raw: dict[str, Any] = json.loads(text)
        return raw

    async def _over(
        self, row: InboxRow, raw: dict[str, Any] | None, fate: UpdateOutcome, failure: str
    ) -> Outcome:
        """Never in silence: it is not over before its author is as good as told."""
        await self._set_aside(row, raw)
        self.fates[fate] += 1
        return _done(failure=failure)


def _done(*, failure: str | None) -> Done:
    # The text may hold a typed key: nothing of it is kept longer than it is needed.
    return Done(failure=failure, also={"payload": ""})
