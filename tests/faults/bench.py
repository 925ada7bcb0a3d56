"""The fault bench: the whole program between both fakes, on virtual time, as often as it must live.

Everything is real but the wires and the clock: a request is a call (`tests/fakes/inline.py`), and
time passes only when a test says so or the program itself waits. Several lives may share the
database, as at a deploy; each can be killed at any transaction or request.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography.fernet import Fernet
from sqlalchemy import event, select, text, update
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import undefer
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from bot.config.settings import ProcessSettings
from bot.runtime.components import Components, assemble
from bot.runtime.live import mexc_setup
from bot.runtime.startup import build_application, come_online
from bot.updates.polling import PollFailed, UpdatePoller, UpdatesSource
from engine.clock import to_millis
from engine.domain.accounts.account import Account
from engine.domain.execution.bound import ExecutionMode
from engine.domain.orders.order import Order
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.replay import Replay
from engine.exchanges.mexc.account_streams import MexcAccountStreams
from engine.exchanges.mexc.transport import Answer
from engine.rebalancing.checked import Checked
from engine.scheduling.account_queue import Line
from engine.security.vault import Vault
from engine.storage.accounts import accounts
from engine.storage.coordination import leases, processes
from engine.storage.database import Database
from engine.storage.models.coordination import LeaseRow
from engine.storage.models.queues import InboxRow, OutboxRow
from engine.storage.models.trading import OrderRow
from engine.storage.queues import queue
from engine.storage.trading import orders
from tests.fakes.clock import FakeClock
from tests.fakes.database import WatchedDatabase, disk_full, gone
from tests.fakes.http import Reply, Request
from tests.fakes.inline import InlineExchange, InlineTransport
from tests.fakes.inline_streams import URL_OF_STREAMS, InlineSession, TurnClock
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_faults import DROPPED
from tests.fakes.mexc_ledger import LedgerOrder
from tests.fakes.mexc_streams import FakeMexcStreams
from tests.fakes.tasks import a_moment, turned
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_messages import SentMessage
from tests.fakes.telegram_server import TOKEN

ORDER, BALANCES, BOOK = "/api/v3/order", "/api/v3/account", "/api/v3/depth"
# Canaries: nothing may ever repeat them.
ENCRYPTION_KEY = Fernet.generate_key().decode()
_MEXC_PATIENCE = timedelta(seconds=8)
_TELEGRAM_PATIENCE = timedelta(seconds=5)
_STUCK_AFTER_S = 60
# So many transactions fail to begin: the database is away until the test says otherwise.
FOR_GOOD = 10**9
_SHORTEST_STEP, _LONGEST_STEP = timedelta(milliseconds=500), timedelta(seconds=45)
# A process that stood still for longer takes all it heard for old.
_LONGEST_STEP_OF_STREAMS = timedelta(seconds=20)


# The head of a chat's queue that nobody has in hand, as `engine.storage.queues.queue.claim` sees it; asked
# a hundred thousand times in a long run, hence written out.
_DUE = text("""
    SELECT 1 FROM inbox AS head
    WHERE done_at IS NULL AND not_before <= :now
    AND (claimed_until IS NULL OR claimed_until < :now)
    AND NOT EXISTS (SELECT 1 FROM inbox AS earlier WHERE earlier.chat_id = head.chat_id
        AND earlier.done_at IS NULL AND (earlier.rank, earlier.id) < (head.rank, head.id))
    AND (rank = 0 OR NOT EXISTS (SELECT 1 FROM inbox AS busy WHERE busy.chat_id = head.chat_id
        AND busy.claimed_until >= :now AND busy.rank < 90))
    UNION ALL
    SELECT 1 FROM outbox AS head
    WHERE done_at IS NULL AND not_before <= :now
    AND (claimed_until IS NULL OR claimed_until < :now)
    AND NOT EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.chat_id = head.chat_id
        AND earlier.done_at IS NULL AND (earlier.rank, earlier.id) < (head.rank, head.id))
    AND (rank = 0 OR NOT EXISTS (SELECT 1 FROM outbox AS busy WHERE busy.chat_id = head.chat_id
        AND busy.claimed_until >= :now AND busy.rank < 90))
    LIMIT 1
""")


class Crash(BaseException):
    """The process is gone, at once and without a word, as after SIGKILL."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that reached MEXC, and what it said. *life* is the process that asked."""

    at: datetime
    request: Request
    reply: Reply
    life: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a chat and an account at MEXC."""

    chat_id: int
    api_key: str
    api_secret: str


PEOPLE = tuple(
    Person(1001 + n, f"mx0vglCanaryKey{n}BWC{n}", f"canary{n}5ec3e7c0ffee5ec3e7c0ffee5ec3")
    for n in range(4)
)


@dataclass(slots=True)
class Fuse:
    """Kills the process, or stops it as SIGSTOP does, at the *steps*-th step from now, or *at* the
    next one of that name.

    A step is the begin or end of a transaction or of a request: "write begins", "committed",
    "POST /api/v3/order ends".
    """

    steps: int | None = None
    at: str | None = None
    freezes: bool = False
    blown: bool = False
    thawed: asyncio.Event | None = None

    @property
    def is_frozen(self) -> bool:
        return self.thawed is not None and not self.thawed.is_set()

    async def burn(self, step: str, *, may_freeze: bool = True) -> None:
        """*may_freeze* is False within a transaction: SQLite's lock would stop everybody."""
        if self.is_frozen and self.thawed is not None and may_freeze:
            await self.thawed.wait()
        if self.blown:
            raise Crash("already dead")
        if self.steps is not None:
            self.steps -= 1
        is_over = step == self.at or (self.steps is not None and self.steps <= 0)
        if not is_over or (self.freezes and not may_freeze):
            return
        self.steps = self.at = None
        if not self.freezes:
            self.blown = True
            raise Crash("killed")
        self.thawed = asyncio.Event()
        await self.thawed.wait()
        if self.blown:
            raise Crash("killed while it stood still")


class _FusedExchange:
    """The way to MEXC, which a dying process cannot finish using either."""

    def __init__(self, inner: InlineExchange, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    async def send(self, method: str, url: str, *, headers: Mapping[str, str]) -> Answer:
        name = f"{method} {urlsplit(url).path}"
        await self._fuse.burn(f"{name} begins")
        try:
            return await self._inner.send(method, url, headers=headers)
        finally:
            await self._fuse.burn(f"{name} ends")


class _Fused(httpx.AsyncBaseTransport):
    """A wire that a dying process cannot finish using."""

    def __init__(self, inner: InlineTransport, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = f"{request.method} {request.url.path}"
        await self._fuse.burn(f"{name} begins")
        try:
            return await self._inner.handle_async_request(request)
        finally:
            await self._fuse.burn(f"{name} ends")


@dataclass(slots=True)
class DatabaseFaults:
    """The next *before* transactions fail to begin, the next *lost* commit without saying so.
    While the disk is *full* nothing that was written can be committed.
    """

    before: int = 0
    lost: int = 0
    full: bool = False

    def strike(self, step: str) -> None:
        if step.endswith("begins") and self.before:
            self.before -= 1
            raise gone()
        if step == "commit" and self.full:
            raise disk_full()
        if step == "committed" and self.lost:
            self.lost -= 1
            raise gone()


class Bench:
    """The world: it lasts while lives come and go."""

    def __init__(self, database: Database, clock: FakeClock, **env: str) -> None:
        self.clock = clock
        self.database = database
        self.mexc = FakeMexc(clock)
        self.telegram = FakeTelegram(clock=clock)
        self.lives: list[Life] = []
        self.exchanges: list[Exchange] = []
        self.database_faults = DatabaseFaults()
        self.collisions: list[str] = []
        self._held: list[tuple[datetime, Request]] = []
        self.hold_orders_for: timedelta | None = None
        self.longest_step = _LONGEST_STEP
        self._turned_at: datetime | None = None
        # How long a request is on its way, by its path; less than what a caller waits.
        self.delays: dict[str, timedelta] = {}
        # What happens at MEXC between the last look and the arrival of the next order.
        self.meanwhile: Callable[[], None] | None = None
        self._env = env
        self.vault = Vault((ENCRYPTION_KEY,))
        self.streams: FakeMexcStreams | None = None

    def with_streams(self) -> FakeMexcStreams:
        """From now on MEXC tells what changes, and processes that begin listen."""
        self.streams = FakeMexcStreams(self.mexc)
        self.longest_step = _LONGEST_STEP_OF_STREAMS
        self._env["MEXC_STREAM_URL"] = URL_OF_STREAMS
        return self.streams

    def add_person(self, person: Person = PEOPLE[0], **balances: str) -> Person:
        held = balances or {"USDT": "40", "MNTL": "100000"}
        self.mexc.add_account(person.api_key, person.api_secret, **held)
        self.telegram.open_chat(person.chat_id)
        return person

    @asynccontextmanager
    async def life(self, name: str = "first") -> AsyncGenerator["Life"]:
        """A process from its start to its orderly end, unless it is killed before."""
        life = await self.start(name)
        try:
            yield life
        finally:
            await life.end()

    async def start(self, name: str, *, polls: bool = True) -> "Life":
        life = Life(self, name, polls=polls)
        self.lives.append(life)
        await life.begin()
        self._turned_at = None
        return life

    async def answer_mexc(self, request: Request, life: str) -> Reply:
        self.clock.shift(self.delays.get(request.path, timedelta()))
        self.arrivals()
        is_order = (request.method, request.path) == ("POST", ORDER)
        if is_order and self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        if is_order and self.hold_orders_for is not None:
            self.mexc.order_posts[request.query.get("newClientOrderId", "")] += 1
            self._held.append((self.mexc.now() + self.hold_orders_for, request))
            reply = DROPPED
        else:
            reply = await self.mexc._handle(request)
        self.exchanges.append(Exchange(self.clock.now(), request, reply, life))
        return reply

    def arrivals(self) -> None:
        """Orders that were held up on their way reach MEXC."""
        due = [held for held in self._held if held[0] <= self.mexc.now()]
        for held in due:
            self._held.remove(held)
            self.mexc._answer(held[1])

    def _arrivals_in(self) -> list[timedelta]:
        now = self.mexc.now()
        return [at - now for at, _ in self._held if at > now]

    async def pass_time(self, duration: timedelta) -> None:
        """Live through *duration*, each life doing what it does, in small steps."""
        end = self.clock.now() + duration
        while (now := self.clock.now()) < end:
            due = [at for life in self.alive for at in (*life.moments, *life.beats)]
            step = max(min([self.longest_step, *(at - now for at in due)]), _SHORTEST_STEP)
            self.clock.shift(min(step, end - now, *self._arrivals_in()))
            self.arrivals()
            if self.streams is not None and await self._is_only_heard(end):
                continue
            await self.turn()

    async def _is_only_heard(self, end: datetime) -> bool:
        """Let the streams get on; returns whether nothing else is due yet."""
        if self.streams is None:
            return False
        self.streams.tick()
        for life in self.alive:
            await life.hear()
        now, turned_at = self.clock.now(), self._turned_at
        is_fresh = turned_at is not None and turned_at <= now < turned_at + _LONGEST_STEP
        is_due = any(at <= self.clock.steady() for life in self.alive for at in life.moments)
        if is_due or now >= end or not is_fresh:
            self._turned_at = now
            return False
        return True

    async def turn(self) -> None:
        """Every process that lives and is not stopped does all it can without time passing."""
        await asyncio.gather(*(life.turn() for life in self.alive if not life.fuse.is_frozen))

    @property
    def alive(self) -> list["Life"]:
        return [life for life in self.lives if life.alive]

    async def until_quiet(self, *, most: timedelta = timedelta(hours=2)) -> None:
        """Live on until nothing is unresolved, unhandled or unsent. Raises TimeoutError."""
        end = self.clock.now() + most
        while await self.unfinished():
            if self.clock.now() > end:
                raise TimeoutError(await self.unfinished())
            await self.pass_time(timedelta(seconds=20))

    async def unfinished(self) -> list[str]:
        async with self.database.reading() as session:
            open_orders = await session.scalars(select(OrderRow).where(orders.IS_UNRESOLVED))
            unsent = await queue.waiting(session, OutboxRow)
            unhandled = await queue.waiting(session, InboxRow)
            names = [
                f"order {row.client_order_id} of account {row.account_id} is {row.state}: {row.error}"
                for row in open_orders
            ]
        if self._held:
            names.append(f"{len(self._held)} orders on their way")
        if unsent:
            names.append(f"{unsent} unsent")
        if unhandled or self.telegram.unconfirmed:
            names.append(f"{unhandled} unhandled, {len(self.telegram.unconfirmed)} unread")
        return names

    async def say(self, person: Person, text: str) -> list[SentMessage]:
        """Somebody writes; what the chat shows as new once every process has done what it can."""
        return await self._new(person, lambda: self.telegram.say(person.chat_id, text))

    async def tap(self, person: Person, label: str, **how: Any) -> list[SentMessage]:
        return await self._new(person, lambda: self.telegram.tap(person.chat_id, label, **how))

    async def _new(self, person: Person, action: Callable[[], int]) -> list[SentMessage]:
        known = len(self.telegram.sent(person.chat_id))
        action()
        await self.turn()
        return self.telegram.sent(person.chat_id)[known:]

    async def connect(self, person: Person, *commands: str) -> None:
        """The chat has its key, its *commands* are obeyed, and trading is on."""
        await self.say(person, f"/connect {person.api_key} {person.api_secret}")
        for command in commands:
            await self.say(person, command)
        await self.trade(person)

    async def trade(self, person: Person) -> None:
        """Trading is on, however large the first order is."""
        if any("Start" in answer.labels for answer in await self.say(person, "/resume")):
            await self.tap(person, "Start")

    async def lose_leases(self) -> None:
        """Whoever holds accounts will find that the leases ran out."""
        async with self.database.writing() as session:
            await session.execute(
                update(LeaseRow)
                .values(lease_until=self.database.now() - 1)
                .execution_options(synchronize_session=False)
            )
            await processes.forget_all(session)

    async def account(self, person: Person) -> Account:
        """Raises LookupError if the chat has none."""
        async with self.database.reading() as session:
            account = await accounts.of_chat(session, person.chat_id)
        if account is None:
            raise LookupError(person.chat_id)
        return account

    async def intents(self, person: Person | None = None) -> list[Order]:
        """Every order ever written down, oldest first."""
        query = select(OrderRow).order_by(OrderRow.id)
        if person is not None:
            query = query.where(OrderRow.account_id == (await self.account(person)).id)
        async with self.database.reading() as session:
            return [orders.intent_of(row) for row in await session.scalars(query)]

    async def replays(self) -> list[Replay]:
        """Every order, planned again from what is stored of it."""
        query = select(OrderRow).options(undefer(OrderRow.inputs))
        async with self.database.reading() as session:
            rows = await session.scalars(query)
            return [orders.replay_of(orders.intent_of(row), row.inputs) for row in rows]

    async def outbox(self) -> Sequence[OutboxRow]:
        async with self.database.reading() as session:
            return (await session.scalars(select(OutboxRow).order_by(OutboxRow.id))).all()

    async def told(self, person: Person) -> list[str]:
        """What the chat is told unasked, oldest first: unclear, filled, key_refused, over...

        Without the deposits: by them the scenarios make a balance drift.
        """
        told = [_topic(row) for row in await self.outbox() if row.chat_id == person.chat_id]
        return [topic for topic in told if topic != "moved"]

    def usdt(self, person: Person) -> Decimal:
        return self.mexc.ledger.accounts[person.api_key].of("USDT").free

    def texts(self, person: Person) -> list[str]:
        return self.telegram.texts(person.chat_id)

    @property
    def resting(self) -> list[LedgerOrder]:
        """What is open at the exchange now."""
        return [order for order in self.mexc.orders if order.left]

    @property
    def order_posts(self) -> int:
        return self.mexc.order_posts.total()

    def settings(self) -> ProcessSettings:
        """New accounts send MARKET orders here, as those that exist do."""
        settings = ProcessSettings.from_env(
            {
                "TELEGRAM_TOKEN": TOKEN,
                "TELEGRAM_API_URL": "http://telegram.test",
                "MEXC_API_URL": "http://mexc.test",
                "ENCRYPTION_KEYS": ENCRYPTION_KEY,
                "AUTHORIZED_CHATS": ",".join(str(person.chat_id) for person in PEOPLE),
                **self._env,
            }
        )
        market = replace(settings.default_settings, execution=ExecutionMode.MARKET)
        return replace(settings, default_settings=market)


@dataclass(slots=True)
class Life:
    """One process. *fuse* kills it; afterwards it does nothing more, not even clean up.

    *checking* are the accounts it has in hand. One that does not poll is an `engine` process:
    others take the updates, and it works them off with them.
    """

    bench: Bench
    name: str
    polls: bool = True
    fuse: Fuse = field(default_factory=Fuse)
    alive: bool = False
    checking: set[int] = field(default_factory=set)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _connections: list[Any] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _database: WatchedDatabase | None = None
    _parts: Components | None = None
    _intake: UpdatePoller | None = None
    _session: InlineSession | None = None
    _by_turns: TurnClock | None = None
    _hooks: dict[str, list[Callable[..., None]]] = field(
        default_factory=lambda: {"begin": [], "checkout": []}
    )

    @property
    def parts(self) -> Components:
        if self._parts is None:
            raise ValueError(f"{self.name} has not begun")
        return self._parts

    @property
    def next_due(self) -> datetime | None:
        due = self.parts.dispatcher._account_queue._lines[Line.POLLED]
        return due[0][0] if due else None

    @property
    def moments(self) -> list[datetime]:
        """When a check is due next: by its interval, or because an event said so."""
        woken = self.parts.dispatcher._account_queue.next_woken()
        return [at for at in (self.next_due, woken if self._session else None) if at is not None]

    @property
    def beats(self) -> list[datetime]:
        """When its streams need something next."""
        if self._session is None:
            return []
        fleet = self.parts.fleet
        is_opening = fleet.is_adding and bool(fleet._waiting or fleet._renewing)
        at_once = [self.bench.clock.steady()] if is_opening else []
        return [*at_once, *(at for at, _, _ in fleet._due[:1])]

    async def hear(self) -> None:
        """Let its streams do what they can without time passing."""
        if self._by_turns is None or not self._can_act:
            return
        self._by_turns.look()
        await turned()
        async with asyncio.timeout(_STUCK_AFTER_S):
            while self._is_listening():
                await a_moment()

    def whenever(self, name: str, doing: Callable[..., None]) -> None:
        """From now on *doing* hears of that event of its connections. (SQLAlchemy itself takes no
        new listener while another transaction is on its way through the old ones.)
        """
        self._hooks[name].append(doing)

    async def begin(self) -> None:
        bench, settings = self.bench, self.bench.settings()
        url = bench.database.engine.url.render_as_string(hide_password=False)
        own = await self._stack.enter_async_context(Database.open(url, clock=bench.clock))
        event.listen(own.engine.sync_engine, "connect", self._connected)
        for name, hooks in self._hooks.items():
            event.listen(own.engine.sync_engine, name, _each(hooks))
        database = WatchedDatabase(own, bench.clock, on_step=self._on_step)
        self._database = database
        mexc = InlineExchange(self._to_mexc, clock=bench.clock, patience=_MEXC_PATIENCE)
        telegram = self._wire(bench.telegram._answer, _TELEGRAM_PATIENCE)
        telegram_http = httpx.AsyncClient(transport=telegram)
        await self._stack.enter_async_context(telegram_http)
        application = build_application(
            TOKEN,
            request=HTTPXRequest(httpx_kwargs={"transport": telegram}),
            base_url=settings.telegram_api_url,
        )
        if bench.streams is not None:
            self._session = InlineSession(bench.streams, self.fuse.burn)
        setup = mexc_setup(
            settings,
            transport=_FusedExchange(mexc, self.fuse),
            database=database,
            vault=bench.vault,
            clock=bench.clock,
            streams=None if self._session is None else self._session.as_session(),
        )
        self._parts = assemble(
            application=application,
            database=database,
            vault=bench.vault,
            setup=replace(setup, prices=None),  # no balance hangs on them here
            clock=bench.clock,
            authorized_chats=settings.authorized_chats,
        )
        self._watch_checks(self._parts)
        source = UpdatesSource(
            http=telegram_http,
            url=f"{settings.telegram_api_url}/bot{TOKEN}",
            hold=timedelta(),
        )
        self._intake = UpdatePoller(
            source=source,
            store=self._parts.update_store,
            clock=bench.clock,
        )
        if not bench.alive:
            await self._take_over(is_sqlite=database.engine.dialect.name == "sqlite")
        self.alive = True
        loops = (
            self._parts.dispatcher.run(),
            self._parts.update_workers.run(),
            self._parts.outbox_sender.run(),
        )
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._live(endless)) for endless in loops]
        if isinstance(setup.streams, MexcAccountStreams):
            self._by_turns = _by_turns(self._parts, setup.streams, bench.clock)
            streaming = (self._parts.fleet.run(), setup.streams.run())
            self._tasks += [loop.create_task(self._live(endless)) for endless in streaming]
        await self._come_online(self._parts)

    async def _come_online(self, parts: Components) -> None:
        """Begun again until the database was there for all of it, as `bot/runtime/live.py` does."""
        while self.alive:
            try:
                await self._survive(come_online(parts, self.bench.clock))
                await self._survive(parts.command_menu.publish())
                await self._survive(parts.access.offer_code())
            except Exception as e:
                if not _is_database(e):
                    raise
            else:
                return

    async def turn(self) -> None:
        """Check what is due, hear what was written, send what waits.

        In this order: a tick beside the handling of an update sees what it changes, or does not.
        """
        if self._can_act:
            await self.hear()
            await self._unless_frozen(self.parts.dispatcher.tick())
        if self.polls and self.bench.telegram.unconfirmed and self._can_act:
            await self._unless_frozen(self._poll())
        await self._until_done()

    async def _unless_frozen(self, doing: Coroutine[Any, Any, None]) -> None:
        """Return when it is done or the process stands still; then it goes on after the thaw."""
        task = asyncio.get_running_loop().create_task(self._survive(doing))
        self._tasks.append(task)
        while not task.done() and not self.fuse.is_frozen:
            await asyncio.wait({task}, timeout=0.05)
        if task.done():
            self._tasks.remove(task)
            if self.alive or not task.cancelled():  # else another of its tasks met its death
                await task

    async def kill(self) -> None:
        """At once; nothing is released."""
        self.fuse.blown = True
        self.thaw()
        await self._bury()

    def thaw(self) -> None:
        """Go on after having been stopped. What it had in hand may be another's by now."""
        self.checking.clear()
        if self.fuse.thawed is not None:
            self.fuse.thawed.set()

    async def end(self) -> None:
        """As after SIGTERM: claim nothing new, finish, let go."""
        if not self.alive:
            return
        if self.fuse.freezes:  # nobody would wait for one that stands still
            self.fuse.steps = self.fuse.at = None
        self.parts.dispatcher.stop_claiming()
        await self._until_done()
        for ends in (self.parts.dispatcher.cancel_resting, self.parts.dispatcher.release):
            if self.alive:
                await self._survive(ends())
        await self._bury()

    async def _poll(self) -> None:
        if self._intake is None:
            raise ValueError(f"{self.name} has not begun")
        with suppress(PollFailed):
            while True:
                before = self.bench.telegram.unconfirmed
                try:
                    await self._intake._poll()
                except Exception as e:
                    if not _is_database(e):
                        raise
                    return
                if not before:
                    return

    async def _take_over(self, *, is_sqlite: bool) -> None:
        """As `open_database` does for the only process of an SQLite file. On PostgreSQL the dead
        one's leases have to run out first, by the database's own clock.
        """
        if not is_sqlite:
            await self.bench.lose_leases()
            return
        async with self.bench.database.writing() as session:
            await queue.release_all(session, InboxRow)
            await queue.release_all(session, OutboxRow)
            await leases.release_all(session)
            await processes.forget_all(session)

    async def _until_done(self) -> None:
        """Nothing is in hand, and no queue has anything this process could take."""
        self.parts.update_workers.nudge()
        self.parts.outbox_sender.nudge()
        try:
            async with asyncio.timeout(_STUCK_AFTER_S):
                while self._can_act and (self._is_busy() or await self._has_due()):
                    if self._by_turns is not None:
                        self._by_turns.look()
                    if not self._is_busy():
                        self.parts.update_workers.nudge()
                        self.parts.outbox_sender.nudge()
                    await a_moment()
        except TimeoutError as e:
            raise AssertionError(f"{self.name} is stuck: {self._in_hand()}") from e

    def _in_hand(self) -> dict[str, object]:
        parts = self.parts
        return {
            "writes": self._database and self._database.open_writes,
            "waiting": parts.dispatcher._handed_out.polled + parts.dispatcher._handed_out.ahead,
            "checking": [
                queued for queued in parts.dispatcher._account_queue.values() if queued.busy
            ],
            "listening": self._is_listening(),
            "woken": self._is_woken(),
            "updates": parts.update_workers._workers._in_hand,
            "messages": parts.outbox_sender._workers._in_hand,
            "ended": [repr(task.exception()) for task in self._tasks if task.done()],
        }

    @property
    def _can_act(self) -> bool:
        return self.alive and not self.fuse.is_frozen

    def _is_busy(self) -> bool:
        parts = self.parts
        account_queue = parts.dispatcher._account_queue.values()
        return (
            # A claim that is committed and not yet in hand is neither due nor in hand.
            (self._database is not None and self._database.open_writes > 0)
            or parts.dispatcher._handed_out.polled + parts.dispatcher._handed_out.ahead > 0
            or any(queued.busy for queued in account_queue)
            or bool(parts.update_workers._workers._in_hand)
            or self._is_listening()
            or self._is_woken()
            # An alert that was sent is recorded once the database is back, and tried until then.
            or (not self._database_is_away and bool(parts.outbox_sender._workers._in_hand))
        )

    def _is_listening(self) -> bool:
        """A frame is not read yet, or a connection is being made or left."""
        if self._session is None or not self._can_act:
            return False
        fleet = self.parts.fleet
        opening = any(line.stream is None for line in fleet._lines())
        return self._session.has_unread or opening or bool(fleet._leaving)

    def _is_woken(self) -> bool:
        """What an event woke is about to be handed out."""
        if self._session is None:
            return False
        dispatcher = self.parts.dispatcher
        alarm = dispatcher._alarm._at
        is_due = alarm is not None and alarm <= self.bench.clock.steady()
        return is_due or dispatcher._turn.locked()

    @property
    def _database_is_away(self) -> bool:
        return self.bench.database_faults.before > FOR_GOOD // 2  # each try takes one off

    async def _has_due(self) -> bool:
        """Whether a queue has something this process could take: nothing while the database is away."""
        if self._database_is_away:
            return False
        now = to_millis(self.bench.clock.now())
        async with self.bench.database.reading() as session:
            return bool(await session.scalar(_DUE, {"now": now}))

    def _watch_checks(self, parts: Components) -> None:
        """Note which accounts are in hand, to see that no two processes check one at once.

        One that has stood still meanwhile does not count: it must not trade, that is all.
        """
        checker = parts.dispatcher.checker
        check = checker.check

        async def watched(duty: CheckInput, *, fence: int) -> Checked:
            account = duty.account.id
            self.bench.collisions += [
                f"account {account} is checked by {self.name} and {other.name}"
                for other in self.bench.alive
                if other is not self and account in other.checking and not other.fuse.is_frozen
            ]
            self.checking.add(account)
            try:
                return await check(duty, fence=fence)
            finally:
                self.checking.discard(account)

        checker.check = watched  # type: ignore[method-assign]

    def _wire(
        self, handler: Callable[[Request], Awaitable[Reply]], patience: timedelta
    ) -> httpx.AsyncBaseTransport:
        inline = InlineTransport(handler, clock=self.bench.clock, patience=patience)
        return _Fused(inline, self.fuse)

    async def _to_mexc(self, request: Request) -> Reply:
        return await self.bench.answer_mexc(request, self.name)

    async def _on_step(self, step: str) -> None:
        await self.fuse.burn(step, may_freeze=step != "commit")
        self.bench.database_faults.strike(step)

    async def _survive(self, doing: Awaitable[object]) -> None:
        try:
            await doing
        except TelegramError:
            return
        except BaseException as e:
            if not _is_crash(e):
                raise
            await self._bury()

    async def _live(self, endless: Awaitable[None]) -> None:
        try:
            await endless
        except BaseException as e:
            if not _is_crash(e):
                raise
            self.alive = False

    def _connected(self, connection: DBAPIConnection, _: object) -> None:
        self._connections.append(connection.driver_connection)
        if self.bench.database.engine.dialect.name == "sqlite":
            cursor = connection.cursor()
            cursor.execute("PRAGMA synchronous=OFF")  # power cuts are not what is tried here
            cursor.close()

    async def _bury(self) -> None:
        self.alive = False
        self.checking.clear()
        others = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        # What a transaction held is free at once, however its task ended.
        for connection in self._connections:
            with suppress(Exception):
                await connection.rollback()  # a connection with an open cursor outlives its close
            with suppress(Exception):
                await connection.close()
        with suppress(Exception):
            await self._stack.aclose()


def _by_turns(parts: Components, streams: MexcAccountStreams, clock: FakeClock) -> TurnClock:
    """Whatever waits for its moment beside the checks does so by the bench's time."""
    by_turns = TurnClock(clock)
    parts.fleet._clock = by_turns
    streams._keys._keeper._clock = by_turns
    parts.dispatcher._alarm._clock = by_turns
    return by_turns


def _each(hooks: Sequence[Callable[..., None]]) -> Callable[..., None]:
    def call(*about: Any) -> None:
        for hook in tuple(hooks):
            hook(*about)

    return call


def _topic(row: OutboxRow) -> str:
    """`order:bl7x:filled`, `trouble:1:<since>:key_refused:1`, `over:1:<since>` in one word."""
    about, _, rest = row.dedupe_key.partition(":")
    if about == "order":
        return rest.rpartition(":")[2]
    return rest.split(":")[-2] if about == "trouble" else about


def _is_crash(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(Crash) is not None
    return isinstance(error, Crash)


def _is_database(error: Exception) -> bool:
    return isinstance(error, type(gone()))
