"""The inbox: updates are stored encrypted before Telegram is told that they have arrived, and each
is handled once, in order per chat.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import Any, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from bot.updates.decode import chat_of, update_id
from engine.clock import Clock
from engine.monitoring.counters import counter_of
from engine.scheduling.queue_worker import Done, Lanes, Outcome, QueueWorkers
from engine.storage import availability
from engine.storage.database import Database, InTransaction
from engine.storage.models.queues import InboxRow
from engine.storage.queues import inbox
from engine.storage.queues.claims import ClaimLost
from engine.storage.queues.inbox import Sealed
from engine.storage.service import Service

FULL_BATCH = 100
"""So many updates are asked for at a time: where they all come, there are more."""
# An update during which the process died three times probably causes it.
_MOST_DEATHS = 3
# A /pause always finds a free worker, and strangers leave most workers to authorized chats.
_LANES = Lanes(width=16, first=8, last=4, suspects=1)
# Far longer than the next batch takes.
_UNTIL_ALL_IS_HERE = timedelta(seconds=5)

_Result = TypeVar("_Result")

logger = logging.getLogger(__name__)


class Sealer(Protocol):
    """Encryption under a purpose: what was encrypted for one cannot be decrypted for another."""

    def seal_text(self, text: str, *, purpose: str) -> str: ...

    def open_text(self, token: str, *, purpose: str) -> str: ...


RankAll = Callable[[AsyncSession, Sequence[dict[str, Any]]], Awaitable[Sequence[int]]]
Claiming = Callable[[bool], AbstractAsyncContextManager[InTransaction]]


class _NotNeeded(Exception):
    """What failed is not needed to store updates."""


async def _beside(work: Awaitable[_Result]) -> _Result:
    try:
        return await work
    except availability.AWAY as e:
        raise _NotNeeded from e


@dataclass(eq=False, kw_only=True, repr=False)
class UpdateStore(Service):
    """Stores updates, however they are received. A duplicate is stored once.
    *claiming* is entered around the transaction with whether Telegram has more; its result is
    called in it when there is something new to handle. *rank_all* returns each update's rank in
    the queue. If either fails, updates are stored without it: they are claimed a second later.
    """

    sealer: Sealer
    bot_id: int
    claiming: Claiming
    rank_all: RankAll

    async def store(self, updates: Sequence[dict[str, Any]]) -> int | None:
        """Store the updates and return the highest id; None if there is none.
        Those without an id are skipped. Raises what the database raises: then none may be
        confirmed.
        """
        usable = [(found, raw) for raw in updates if (found := update_id(raw)) is not None]
        if len(usable) < len(updates):
            skipped = len(updates) - len(usable)
            logger.error("updates without an id skipped", extra={"count": skipped})
        if not usable:
            return None
        sealed = [Sealed(found, chat_of(raw), self._seal(found, raw)) for found, raw in usable]
        more = len(updates) >= FULL_BATCH
        try:
            async with self.claiming(more) as claim, self.database.writing() as session:
                ranks = await _beside(self.rank_all(session, [raw for _, raw in usable]))
                pairs = zip(sealed, ranks, strict=True)
                if await self._add(session, [replace(one, rank=rank) for one, rank in pairs]):
                    await _beside(claim(session))
        except _NotNeeded as e:
            logger.warning("updates not ranked", extra={"problem": type(e.__cause__).__name__})
            async with self.database.writing() as session:
                await self._add(session, sealed)
        return max(found for found, _ in usable)

    async def _add(self, session: AsyncSession, sealed: Sequence[Sealed]) -> int:
        now = self.clock.now()
        return await inbox.store(session, bot_id=self.bot_id, updates=sealed, now=now)

    def _seal(self, update_id: int, raw: dict[str, Any]) -> str:
        return self.sealer.seal_text(json.dumps(raw), purpose=purpose(self.bot_id, update_id))


def purpose(bot_id: int, update_id: int) -> str:
    """Return the purpose an update is encrypted for."""
    return f"inbox:{bot_id}:{update_id}"


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
