"""`/doctor`: everything that can be asked, all at once and with little patience."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from bot.handlers.context import Handler, Routes
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.version import VERSION
from bot.views.doctor import doctor_view
from engine.accounts.diagnosis import Symptoms, diagnose
from engine.accounts.workload import RequestBacklog
from engine.domain.accounts.account import Account
from engine.domain.orders.order import OrderState
from engine.errors import EngineError
from engine.storage import availability
from engine.storage.coordination import key_values
from engine.storage.models.trading import OutboxRow
from engine.storage.queues import outbox, queue

T = TypeVar("T")

_PATIENCE_S = 4
_LATELY = timedelta(days=7)


@dataclass(frozen=True, eq=False)
class DoctorHandler(Handler):
    def routes(self) -> Routes:
        return Routes(commands={"doctor": self.doctor})

    async def doctor(self, ask: Request) -> Message:
        account = await self.ctx.accounts.of(ask.chat_id)
        found = await self._examine(account)
        return doctor_view(
            found=found,
            findings=diagnose(found),
            version=VERSION,
            uptime=self.ctx.clock.steady() - self.ctx.started_at,
        )

    async def _examine(self, account: Account) -> Symptoms:
        symbol = account.settings.symbol
        workload = self.ctx.workload()  # before our own questions weigh in
        async with asyncio.TaskGroup() as tasks:
            ahead = tasks.create_task(_asked(self._clock_ahead(account)))
            key = tasks.create_task(_asked(self.ctx.key_expiry.powers(account)))
            rules = tasks.create_task(_asked(self.ctx.previews.rules(account, symbol)))
            book = tasks.create_task(_asked(self.ctx.previews.book(account)))
            stored_in = tasks.create_task(_known(self._store(account)))
            backlog = tasks.create_task(_known(self._count(account)))
            situation = tasks.create_task(_known(self.ctx.overviews.of(account)))
        known = situation.result()
        unresolved = known.unresolved if known else None
        return Symptoms(
            account=account,
            clock_ahead=ahead.result(),
            key=key.result(),
            rules=rules.result(),
            book=book.result(),
            stored_in=stored_in.result(),
            backlog=backlog.result(),
            polled=self.ctx.telegram_activity.heard(),
            workload=workload,
            trouble=known.trouble if known else None,
            seen=known.seen.seen if known and known.seen else None,
            unclear=unresolved is not None and unresolved.state is OrderState.NEEDS_HUMAN,
        )

    async def _clock_ahead(self, account: Account) -> timedelta:
        """How far MEXC's clock is ahead of ours."""
        return await self.ctx.previews.exchange_time(account) - self.ctx.clock.now()

    async def _store(self, account: Account) -> timedelta:
        """How long a write takes. Each chat has a note of its own, so that none waits for another."""
        began = self.ctx.clock.steady()
        async with self.ctx.database.writing() as session:
            await key_values.put(session, f"doctor:{account.id}", self.ctx.clock.now().isoformat())
        return self.ctx.clock.steady() - began

    async def _count(self, account: Account) -> RequestBacklog:
        since = self.ctx.clock.now() - _LATELY
        chat_id = account.chat_id
        refused = await self.ctx.deliverability.of_chat(chat_id)
        async with self.ctx.database.reading() as session:
            return RequestBacklog(
                mine=await queue.waiting(session, OutboxRow, chat_id=chat_id),
                all=await queue.waiting(session, OutboxRow),
                given_up=await outbox.given_up(session, chat_id=chat_id, since=since),
                refused=refused,
            )


async def _asked(question: Awaitable[T]) -> T | EngineError:
    try:
        return await question
    except EngineError as e:
        return e


async def _known(question: Awaitable[T]) -> T | None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await question
    except availability.AWAY:
        return None
