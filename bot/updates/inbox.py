"""Stores updates encrypted before Telegram is told that they have arrived."""

import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import Clock
from engine.storage import availability
from engine.storage.database import Database, InTransaction
from engine.storage.models import queues
from engine.storage.queues import inbox
from engine.storage.queues.inbox import Sealed

FULL_BATCH = 100
"""So many updates are asked for at a time: where they all come, there are more."""
_MAX_ID = 2**63 - 1

_Result = TypeVar("_Result")

logger = logging.getLogger(__name__)


class Sealer(Protocol):
    """Encryption under a purpose: what was encrypted for one cannot be decrypted for another."""

    def seal_text(self, text: str, *, purpose: str) -> str: ...

    def open_text(self, token: str, *, purpose: str) -> str: ...


RankAll = Callable[[AsyncSession, Sequence[dict[str, Any]]], Awaitable[Sequence[int]]]
Claiming = Callable[[bool], AbstractAsyncContextManager[InTransaction]]


async def all_normal(_: object, updates: Sequence[dict[str, Any]]) -> Sequence[int]:
    return [queues.NORMAL] * len(updates)


class _NotNeeded(Exception):
    """What failed is not needed to store updates."""


async def _beside(work: Awaitable[_Result]) -> _Result:
    try:
        return await work
    except availability.AWAY as e:
        raise _NotNeeded from e


class UpdateStore:
    """Stores updates, however they are received. A duplicate is stored once.
    *claiming* is entered around the transaction with whether Telegram has more; its result is
    called in it when there is something new to handle. *rank_all* returns each update's rank in
    the queue. If either fails, updates are stored without it: they are claimed a second later.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        sealer: Sealer,
        bot_id: int,
        claiming: Claiming,
        rank_all: RankAll = all_normal,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._bot_id = bot_id
        self._claiming = claiming
        self._rank_all = rank_all

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
        payloads = [self._seal(found, raw) for found, raw in usable]
        more = len(updates) >= FULL_BATCH
        try:
            async with self._claiming(more) as claim, self._database.writing() as session:
                ranks = await _beside(self._rank_all(session, [raw for _, raw in usable]))
                if await self._add(session, usable, payloads, ranks):
                    await _beside(claim(session))
        except _NotNeeded as e:
            logger.warning("updates not ranked", extra={"problem": type(e.__cause__).__name__})
            async with self._database.writing() as session:
                ranks = [queues.NORMAL] * len(usable)
                await self._add(session, usable, payloads, ranks)
        return max(found for found, _ in usable)

    async def _add(
        self,
        session: AsyncSession,
        usable: Sequence[tuple[int, dict[str, Any]]],
        payloads: Sequence[str],
        ranks: Sequence[int],
    ) -> int:
        sealed = [
            Sealed(found, chat_of(raw), payload, rank)
            for (found, raw), payload, rank in zip(usable, payloads, ranks, strict=True)
        ]
        now = self._clock.now()
        return await inbox.store(session, bot_id=self._bot_id, updates=sealed, now=now)

    def _seal(self, update_id: int, raw: dict[str, Any]) -> str:
        return self._sealer.seal_text(json.dumps(raw), purpose=purpose(self._bot_id, update_id))


def purpose(bot_id: int, update_id: int) -> str:
    """Return the purpose an update is encrypted for."""
    return f"inbox:{bot_id}:{update_id}"


def chat_of(raw: dict[str, Any]) -> int:
    """Return the chat in whose queue the update belongs; 0 if it names no chat."""
    tapped = ("callback_query", "message", "chat", "id")
    kinds = ("message", "edited_message", "my_chat_member")
    paths = (*((kind, "chat", "id") for kind in kinds), tapped, ("callback_query", "from", "id"))
    found = (_id(_at(raw, path)) for path in paths)
    return next((chat_id for chat_id in found if chat_id is not None), 0)


def sender_of(raw: dict[str, Any]) -> int:
    """Return the user who wrote or tapped; 0 if it names none."""
    paths = [(kind, "from", "id") for kind in ("message", "edited_message", "callback_query")]
    found = (_id(_at(raw, path)) for path in paths)
    return next((user_id for user_id in found if user_id is not None), 0)


def update_id(raw: dict[str, Any]) -> int | None:
    """Return the update's id; None if there is none that fits the database's columns."""
    return _id(raw.get("update_id"))


def _at(raw: Any, path: Iterable[str]) -> Any:
    for key in path:
        raw = raw.get(key) if isinstance(raw, dict) else None
    return raw


def _id(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) < _MAX_ID else None
