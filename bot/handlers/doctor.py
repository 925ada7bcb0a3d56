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
from engine.diagnosis.database_probe import if_answered
from engine.diagnosis.findings import Symptoms, diagnose
from engine.domain.accounts.account import Account
from engine.domain.orders.order import OrderState
from engine.errors import EngineError

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class DoctorHandler(Handler):
    def routes(self) -> Routes:
        return Routes(commands={"doctor": self.doctor})

    async def doctor(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
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
            ahead = tasks.create_task(_or_error(self._clock_ahead(account)))
            key = tasks.create_task(_or_error(self.ctx.key_expiry.powers(account)))
            rules = tasks.create_task(_or_error(self.ctx.previews.rules(account, symbol)))
            book = tasks.create_task(_or_error(self.ctx.previews.book(account)))
            stored_in = tasks.create_task(if_answered(self.ctx.database_probe.write_time(account)))
            backlog = tasks.create_task(if_answered(self.ctx.database_probe.backlog(account)))
            overview = tasks.create_task(if_answered(self.ctx.overviews.of(account)))
        known = overview.result()
        unresolved = known.unresolved if known else None
        return Symptoms(
            account=account,
            clock_ahead=ahead.result(),
            key=key.result(),
            rules=rules.result(),
            book=book.result(),
            stored_in=stored_in.result(),
            backlog=backlog.result(),
            polled=self.ctx.telegram_activity.contact_age(),
            workload=workload,
            ioc=known.ioc if known else None,
            trouble=known.trouble if known else None,
            stream=self.ctx.stream_probe.of(account) if known and known.every else None,
            seen=known.seen.seen if known and known.seen else None,
            unclear=unresolved is not None and unresolved.state is OrderState.NEEDS_HUMAN,
        )

    async def _clock_ahead(self, account: Account) -> timedelta:
        """How far MEXC's clock is ahead of ours."""
        return await self.ctx.previews.exchange_time(account) - self.ctx.clock.now()


async def _or_error(question: Awaitable[T]) -> T | EngineError:
    try:
        return await question
    except EngineError as e:
        return e
