"""What `/doctor` asks the database: how fast it writes, and how many messages wait in it."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from engine.accounts.deliverability import Deliverability
from engine.clock import Clock, SystemClock
from engine.diagnosis.workload import MessageBacklog
from engine.domain.accounts.account import Account
from engine.storage import availability
from engine.storage.coordination import key_values
from engine.storage.models.queues import OutboxRow
from engine.storage.queues import outbox, queue
from engine.storage.service import Service

T = TypeVar("T")

_PATIENCE_S = 4
_LATELY = timedelta(days=7)


@dataclass(eq=False, kw_only=True, repr=False)
class DatabaseProbe(Service):
    deliverability: Deliverability
    # A demo's disk is not as fast as its time.
    machine: Clock = field(default_factory=SystemClock)

    async def write_time(self, account: Account) -> timedelta:
        """How long a write takes. Each chat has a note of its own, so that none waits for another."""
        began = self.machine.steady()
        async with self.database.writing() as session:
            await key_values.put(session, f"doctor:{account.id}", self.clock.now().isoformat())
        return self.machine.steady() - began

    async def backlog(self, account: Account) -> MessageBacklog:
        since = self.clock.now() - _LATELY
        chat_id = account.chat_id
        refused = await self.deliverability.of_chat(chat_id)
        async with self.database.reading() as session:
            return MessageBacklog(
                mine=await queue.waiting(session, OutboxRow, chat_id=chat_id),
                all=await queue.waiting(session, OutboxRow),
                given_up=await outbox.given_up(session, chat_id=chat_id, since=since),
                refused=refused,
            )


async def if_answered(question: Awaitable[T]) -> T | None:
    """None where the database is away, or takes longer than four seconds."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await question
    except availability.AWAY:
        return None
