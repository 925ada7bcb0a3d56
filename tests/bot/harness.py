"""The real program between the two fakes: Telegram and MEXC on real sockets, SQLite on disk.

The clock stands still but for what the program itself waits; an account is checked, and the
outbox delivered, when a test says so. Everything else is as `bot/runtime/live.py` builds it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
from cryptography.fernet import Fernet
from sqlalchemy import func, select
from telegram.request import HTTPXRequest

from bot.config.settings import ProcessSettings
from bot.runtime.components import Components, assemble
from bot.runtime.exchange_setup import ExchangeSetup
from bot.runtime.live import mexc_setup
from bot.runtime.startup import build_application, come_online, open_database, open_vault
from bot.updates.polling import UpdatePoller, UpdatesSource
from bot.updates.telegram_clock import TelegramClock
from engine.domain.accounts.account import Account
from engine.domain.execution.bound import ExecutionMode
from engine.exchanges.mexc.aiohttp_transport import open_transport
from engine.scheduling.queue_worker import Outcome
from engine.storage.accounts import accounts
from engine.storage.column_types import Base
from engine.storage.database import Database
from engine.storage.models.queues import InboxRow, OutboxRow
from engine.storage.queues import queue
from engine.storage.queues.queue import Claim
from tests.bot.recordings import Stage
from tests.fakes.clock import FakeClock
from tests.fakes.http import NO_CERTIFICATES
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_books import Pair, mntl
from tests.fakes.tasks import a_moment, running
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_messages import SentMessage
from tests.fakes.telegram_server import TOKEN

OWNER, FRIEND, STRANGER = 1001, 1002, 6666
GROUP, SUPERGROUP = -5005, -1005005005005
# Nothing may ever repeat these; only the last four characters of the key are shown.
KEY, SECRET = "mx0vglCanaryKeyBWC5", "5ec3e7c0ffee5ec3e7c0ffee5ec3e7ab"
OTHER_KEY, OTHER_SECRET = "mx0vglOtherKeyZZ99", "0ther5ec3e70ther5ec3e70ther5ec3e"
# Where time stands still, nobody could wait for a turn.
UNLIMITED = dict.fromkeys(
    ("MEXC_WEIGHT", "MEXC_ORDERS_PER_SECOND", "MEXC_READS_PER_SECOND"), "1000000"
)
_ENCRYPTION_KEY = Fernet.generate_key().decode()
_TICK = timedelta(seconds=20)  # leases are renewed every 30 s


@dataclass(slots=True)
class World:
    """Everything outside the program: it lasts while programs come and go. New accounts send the
    orders of *execution*: those of accounts that were there before there was another kind.
    """

    api: FakeTelegram
    mexc: FakeMexc
    clock: FakeClock
    url: str
    execution: ExecutionMode = ExecutionMode.MARKET

    def push(self, kind: str, content: Any) -> int:
        """An update that Telegram was never asked for, or no person would cause."""
        update_id = next(self.api._update_ids)
        self.api.push_raw({"update_id": update_id, kind: content})
        return update_id

    @asynccontextmanager
    async def program(
        self,
        env: Mapping[str, str] | None = None,
        *,
        telegram_patience_s: float = 15,
        polls: bool = True,
    ) -> AsyncGenerator["Program"]:
        """A process's life, assembled from its environment and online when it is yielded. Of two at
        once only one *polls*: here nobody elects it.
        """
        settings = ProcessSettings.from_env(
            {
                "TELEGRAM_TOKEN": TOKEN,
                "TELEGRAM_API_URL": self.api.url,
                "MEXC_API_URL": self.mexc.url,
                **UNLIMITED,
                "DATABASE_URL": self.url,
                "ENCRYPTION_KEYS": _ENCRYPTION_KEY,
                "AUTHORIZED_CHATS": f"{OWNER},{FRIEND},{GROUP}",
            }
            | dict(env or {})
        )
        settings = replace(
            settings, default_settings=replace(settings.default_settings, execution=self.execution)
        )
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            database = await enter(open_database(settings.database_url, clock=self.clock))
            vault = await open_vault(settings, database)
            telegram_time = TelegramClock(self.clock)
            how: dict[str, Any] = {"verify": NO_CERTIFICATES, "event_hooks": telegram_time.hooks}
            http = await enter(httpx.AsyncClient(**how))
            mexc = await enter(open_transport(tls=NO_CERTIFICATES))
            application = build_application(
                TOKEN,
                request=HTTPXRequest(read_timeout=telegram_patience_s, httpx_kwargs=how),
                base_url=settings.telegram_api_url,
            )
            stack.push_async_callback(application.shutdown)
            setup = mexc_setup(
                settings, transport=mexc, database=database, vault=vault, clock=self.clock
            )
            if setup.rate_limit_memory is not None:
                await setup.rate_limit_memory.restore()
            parts = assemble(
                application=application,
                database=database,
                vault=vault,
                setup=setup,
                clock=self.clock,
                authorized_chats=settings.authorized_chats,
                telegram_time=telegram_time,
            )
            stack.push_async_callback(parts.images.close)
            intake = UpdatePoller(
                source=UpdatesSource(http=http, url=f"{self.api.url}/bot{TOKEN}"),
                store=parts.update_store,
                clock=self.clock,
                on_answered=parts.telegram_activity.answered,
            )
            await come_online(parts, self.clock)
            await parts.access.offer_code()
            if polls:
                await enter(running(intake.run()))
            await enter(running(parts.update_workers.run(), parts.dispatcher.run()))
            yield Program(self, parts, database, _recorded(parts), dict(env or {}), setup)
            await parts.dispatcher.release()


@dataclass(slots=True)
class Program:
    world: World
    parts: Components
    database: Database
    recorded: asyncio.Event  # whenever an update is over
    env: Mapping[str, str]
    setup: ExchangeSetup

    async def say(self, chat_id: int, text: str, **how: Any) -> list[SentMessage]:
        """Somebody writes; what the bot sent them by the time the update was over."""
        return await self.push(chat_id, lambda: self.world.api.say(chat_id, text, **how))

    async def ask(self, chat_id: int, text: str, **how: Any) -> SentMessage:
        """As `say`, where exactly one answer is expected."""
        answers = await self.say(chat_id, text, **how)
        if len(answers) != 1:
            raise LookupError(f"{len(answers)} answers to {text!r}: {[a.text for a in answers]}")
        return answers[0]

    async def tap(self, chat_id: int, label: str, **how: Any) -> list[SentMessage]:
        """Somebody taps; the new messages. The tapped one is edited in its place."""
        return await self.push(chat_id, lambda: self.world.api.tap(chat_id, label, **how))

    async def push(self, chat_id: int, action: Callable[[], int]) -> list[SentMessage]:
        known = len(self.world.api.sent(chat_id))
        await self.handled(action())
        return self.world.api.sent(chat_id)[known:]

    async def handled(self, update_id: int) -> None:
        """Until the update is over."""
        over = select(InboxRow.done_at).where(InboxRow.update_id == update_id)
        async with asyncio.timeout(30):
            while True:
                self.recorded.clear()
                if await self.scalar(over) is not None:
                    return
                await self.recorded.wait()

    async def check(self) -> None:
        """One heartbeat, and the checks it sets off."""
        dispatcher = self.parts.dispatcher
        await dispatcher.tick()
        async with asyncio.timeout(30):
            while any(queued.busy for queued in dispatcher._account_queue.values()):
                await a_moment()

    async def told(self, chat_id: int) -> list[SentMessage]:
        """What the bot says of its own accord: the relay runs until it can deliver no more."""
        known = len(self.world.api.sent(chat_id))
        due = select(OutboxRow.id).where(
            OutboxRow.done_at.is_(None), OutboxRow.not_before <= self.world.clock.now()
        )
        async with asyncio.timeout(60), running(self.parts.outbox_sender.run()):
            while await self.scalar(due) or self.parts.outbox_sender._workers._in_hand:
                await a_moment()
        return self.world.api.sent(chat_id)[known:]

    async def checked(self, chat_id: int = OWNER) -> list[SentMessage]:
        """One heartbeat, and what the chat hears of it."""
        await self.check()
        return await self.told(chat_id)

    async def live_for(self, duration: timedelta) -> None:
        """Let the time pass as it does, with the heart beating."""
        end = self.world.clock.now() + duration
        while (now := self.world.clock.now()) < end:
            self.world.clock.shift(min(_TICK, end - now))
            await self.check()

    async def waiting(self) -> int:
        async with self.database.reading() as session:
            return await queue.waiting(session, OutboxRow)

    async def account(self, chat_id: int = OWNER) -> Account:
        """Raises LookupError if the chat has none."""
        async with self.database.reading() as session:
            account = await accounts.of_chat(session, chat_id)
        if account is None:
            raise LookupError(chat_id)
        return account

    async def scalar(self, query: Any) -> Any:
        async with self.database.reading() as session:
            return await session.scalar(query)

    async def count(self, table: type[Base]) -> int:
        return int(await self.scalar(select(func.count()).select_from(table)))

    async def connect(self, chat_id: int = OWNER) -> None:
        """The chat has a working key, and trading is on.

        The database and the fakes are as if that had been said, but what the process remembers,
        counts and logs may be as before: where that matters, see `connect_by_chat`.
        """
        world = self.world
        stage = Stage(
            api=world.api,
            mexc=world.mexc,
            clock=world.clock,
            database=self.database,
            url=world.url,
            owner=self.parts.owner,
        )
        await stage.played(f"{chat_id} {self.env}", lambda: self.connect_by_chat(chat_id))

    async def connect_by_chat(self, chat_id: int = OWNER) -> None:
        await self.ask(chat_id, f"/connect {KEY} {SECRET}")
        await self.ask(chat_id, "/resume")


def _recorded(parts: Components) -> asyncio.Event:
    event, workers = asyncio.Event(), parts.update_workers._workers
    write = workers._write

    async def recording(ended: Sequence[tuple[Claim, Outcome]]) -> None:
        await write(ended)
        event.set()

    workers._write = recording  # type: ignore[method-assign]
    return event


def calls_between(api: FakeTelegram, start: int) -> Sequence[str]:
    """The methods called since there were *start* calls, without the polls, and without "typing",
    which depends on how busy the machine is.
    """
    quiet = {"getUpdates", "sendChatAction"}
    return [call.method for call in api.calls[start:] if call.method not in quiet]


def another_pair() -> Pair:
    """ABC/USDT at half a dollar, for `FakeMexc.add_pair`."""
    pair = mntl("0.5")
    pair.symbol, pair.base = "ABCUSDT", "ABC"
    return pair
