"""Polls Telegram and hands each stored update to a worker once, in order per chat."""

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
from engine.backoff import delay
from engine.clock import Clock
from engine.monitoring.counters import counter_of
from engine.scheduling.queue_worker import Done, Lanes, Outcome, QueueWorkers
from engine.storage import availability
from engine.storage.database import Database, InTransaction
from engine.storage.models.queues import InboxRow
from engine.storage.queues.claims import ClaimLost

# An update during which the process died three times probably causes it.
_MOST_DEATHS = 3
# A /pause always finds a free worker, and strangers leave most workers to authorized chats.
_LANES = Lanes(width=16, first=8, last=4, suspects=1)

# Far longer than the next batch takes.
_UNTIL_ALL_IS_HERE = timedelta(seconds=5)

logger = logging.getLogger(__name__)


class Source(Protocol):
    """The source of updates: Telegram, or the demo's terminal."""

    async def fetch(self, offset: int | None) -> list[dict[str, Any]]:
        """Wait for updates; *offset* confirms all before it. Raises PollFailed."""
        ...


class OnBrought(Protocol):
    def __call__(self, updates: Sequence[Mapping[str, Any]], /, *, after: timedelta) -> None: ...


class UpdatePoller:
    """Fetches updates, stores them, and only then confirms them.
    A batch that could not be stored is not confirmed, so Telegram sends it again. *on_answered* is
    called when a poll is answered, *on_brought* with the updates and how long it took.
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
        """Return how many polls Telegram has answered: with updates, flood control or a conflict.
        Whether the database stored the updates does not matter here.
        """
        return self._answers

    def _heard(self) -> None:
        self._answers += 1
        self._on_answered()

    @property
    def told_to_wait(self) -> bool:
        """True while Telegram's flood control applies to polls."""
        return self._told_to_wait

    async def run(self) -> None:
        """Run until cancelled. Raises TokenRefused; every other failure is retried."""
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
                problem, pause = f"{type(e).__name__}: {e}", delay(failures)
            except SQLAlchemyError as e:
                failures += 1
                problem, pause = type(e).__name__, delay(failures)
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
        # An empty answer has confirmed everything before the offset. Asking without one from there
        # on matters after a quiet week, when Telegram may start over at a lower number.
        self._offset = None if newest is None else newest + 1


class UpdateOutcome(Enum):
    """What happened to a stored update."""

    HANDLED = "handled"
    FAILED = "failed"
    QUARANTINED = "quarantined"


SetAside = Callable[[InboxRow, dict[str, Any] | None], Awaitable[None]]
"""Tells the author of an update that it is not carried out; the update is None where it cannot be
read. Raises what the database raises."""


class UpdateWorkers:
    """Hands each stored update to *handle*, in the lanes of `_LANES`.
    An exception in *handle* is logged, its author is informed, and the update is closed: a command
    is not retried without its user. An update during which the process died is retried three
    times; then its author is informed. While the database is away, which *handle* reports by
    raising the database's error, nothing counts as a try.
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
        self.outcomes = counter_of(
            UpdateOutcome,
            "ballast_updates",
            "Updates that were dealt with here",
            label="outcome",
        )
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
        """Wake the workers: an update may be stored."""
        self._workers.nudge()

    @asynccontextmanager
    async def claiming(self, more: bool) -> AsyncGenerator[InTransaction]:
        """Enter around the transaction that stores updates: its last step claims them.
        *more*: Telegram has more; updates of strangers wait until all are stored, because a /pause
        may be among them.
        """
        async with self._workers.claiming() as claim:
            self._workers.hold_last(_UNTIL_ALL_IS_HERE if more else timedelta())
            yield claim

    def stop(self) -> None:
        """Claim nothing new; `run` returns when the current updates are handled."""
        self._workers.stop()

    async def run(self) -> None:
        """Run until cancelled or stopped. A cancelled update is handled again."""
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
                raise  # the workers retry it
            # A failure in one update must not reach the others.
            logger.exception("update failed", extra=about)
            return await self._over(row, raw, UpdateOutcome.FAILED, type(e).__name__)
        self.outcomes.labels(UpdateOutcome.HANDLED.value).inc()
        return _done(failure=None)

    def _opened(self, row: InboxRow) -> dict[str, Any]:
        text = self._sealer.open_text(row.payload, purpose=purpose(row.bot_id, row.update_id))
        raw: dict[str, Any] = json.loads(text)
        return raw

    async def _over(
        self, row: InboxRow, raw: dict[str, Any] | None, outcome: UpdateOutcome, failure: str
    ) -> Outcome:
        """Close the update only after its author is informed, or the message to them is stored."""
        await self._set_aside(row, raw)
        self.outcomes.labels(outcome.value).inc()
        return _done(failure=failure)


def _done(*, failure: str | None) -> Done:
    # The text may hold a typed key: it is not kept longer than needed.
    return Done(failure=failure, also={"payload": ""})
