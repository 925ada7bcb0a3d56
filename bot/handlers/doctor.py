"""`/doctor`: everything that can be asked, all at once and with little patience."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from bot.interaction.message import Message
from bot.interaction.request import Command, ConfirmationHandler, PageHandler, Request
from bot.observability.telegram_activity import TelegramActivity
from bot.version import VERSION
from bot.views.doctor import doctor_view
from engine.accounts.account_service import AccountService
from engine.accounts.deliverability import Deliverability
from engine.accounts.diagnosis import Symptoms, diagnose
from engine.accounts.key_expiry import KeyExpiryMonitor
from engine.accounts.overview import AccountOverviews
from engine.accounts.workload import RequestBacklog, Workload
from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.orders.order import OrderState
from engine.errors import EngineError
from engine.rebalancing.preview import Previews
from engine.storage import availability
from engine.storage.coordination import key_values
from engine.storage.database import Database
from engine.storage.models.trading import OutboxRow
from engine.storage.queues import outbox, queue

T = TypeVar("T")

_PATIENCE_S = 4
_LATELY = timedelta(days=7)


class DoctorHandler:
    def __init__(
        self,
        *,
        accounts: AccountService,
        previews: Previews,
        situations: AccountOverviews,
        key_life: KeyExpiryMonitor,
        polls: TelegramActivity,
        workload: Callable[[], Workload],
        deliverability: Deliverability,
        database: Database,
        clock: Clock,
    ) -> None:
        self._deliverability = deliverability
        self._accounts = accounts
        self._previews = previews
        self._situations = situations
        self._key_life = key_life
        self._polls = polls
        self._workload = workload
        self._database = database
        self._clock = clock
        self._started_at: datetime = clock.steady()

    @property
    def commands(self) -> Mapping[str, Command]:
        return {"doctor": self.doctor}

    @property
    def taps(self) -> Mapping[str, ConfirmationHandler]:
        return {}

    @property
    def pages(self) -> Mapping[type, PageHandler]:
        return {}

    async def doctor(self, ask: Request) -> Message:
        account = await self._accounts.of(ask.chat_id)
        found = await self._examine(account)
        return doctor_view(
            found=found,
            findings=diagnose(found),
            version=VERSION,
            uptime=self._clock.steady() - self._started_at,
        )

    async def _examine(self, account: Account) -> Symptoms:
        symbol = account.settings.symbol
        workload = self._workload()  # before our own questions weigh in
        async with asyncio.TaskGroup() as tasks:
            ahead = tasks.create_task(_asked(self._clock_ahead(account)))
            key = tasks.create_task(_asked(self._key_life.powers(account)))
            rules = tasks.create_task(_asked(self._previews.rules(account, symbol)))
            book = tasks.create_task(_asked(self._previews.book(account)))
            stored_in = tasks.create_task(_known(self._store(account)))
            backlog = tasks.create_task(_known(self._count(account)))
            situation = tasks.create_task(_known(self._situations.of(account)))
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
            polled=self._polls.heard(),
            workload=workload,
            trouble=known.trouble if known else None,
            seen=known.seen.seen if known and known.seen else None,
            unclear=unresolved is not None and unresolved.state is OrderState.NEEDS_HUMAN,
        )

    async def _clock_ahead(self, account: Account) -> timedelta:
        """How far MEXC's clock is ahead of ours."""
        return await self._previews.exchange_time(account) - self._clock.now()

    async def _store(self, account: Account) -> timedelta:
        """How long a write takes. Each chat has a note of its own, so that none waits for another."""
        began = self._clock.steady()
        async with self._database.writing() as session:
            await key_values.put(session, f"doctor:{account.id}", self._clock.now().isoformat())
        return self._clock.steady() - began

    async def _count(self, account: Account) -> RequestBacklog:
        since = self._clock.now() - _LATELY
        chat_id = account.chat_id
        refused = await self._deliverability.of_chat(chat_id)
        async with self._database.reading() as session:
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
