"""The database: one engine per process, transactions that commit on leaving their block."""

import asyncio
import warnings
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, Self

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    cast,
    event,
    func,
    literal,
    type_coerce,
)
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, SAWarning
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from engine.clock import Clock
from engine.storage import postgres, sqlite
from engine.storage.column_types import Moment
from engine.storage.postgres import BadAddress
from engine.storage.queues import claims
from engine.storage.statements import TOLD_OF

InTransaction = Callable[[AsyncSession], Awaitable[None]]
"""A step of the caller's transaction."""

_WRITES = "ballast_writes"
_fence: ContextVar[InTransaction | None] = ContextVar("fence", default=None)


@contextmanager
def fenced(check: InTransaction) -> Generator[None]:
    """In this block, and in the tasks it starts, *check* comes first in each writing transaction."""
    token = _fence.set(check)
    try:
        yield
    finally:
        _fence.reset(token)


def with_driver(url: str, *, asynchronous: bool = True) -> str:
    """Returns the URL as hosts give it (`postgres://`, `sqlite:///`) with our driver.

    Raises BadAddress where the database cannot use it, ValueError for any other database.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or not rest:
        raise ValueError("a database URL looks like postgresql://... or sqlite:///...")
    match scheme.split("+")[0]:
        case "postgres" | "postgresql":
            return postgres.postgres_address(rest)
        case "sqlite":
            _refuse_odd_options(rest)
            return f"sqlite+aiosqlite://{rest}" if asynchronous else f"sqlite://{rest}"
        case other:
            raise ValueError(f"{other} is not supported; use postgresql:// or sqlite:///")


def _refuse_odd_options(rest: str) -> None:
    """Refuse unknown parameters after the `?`: none is ignored."""
    address = make_url(f"sqlite://{rest}")
    if not address.query or address.host:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            address.get_dialect()().create_connect_args(address)
        except (ValueError, ArgumentError, SAWarning):
            names = ", ".join(sorted(address.query))
            raise BadAddress(f"has {names} behind its ?, which SQLite does not take so") from None


class Database:
    """Sessions for reading and for writing.

    On SQLite a writing transaction takes the write lock at its start (a deferred one would fail
    with SQLITE_BUSY_SNAPSHOT when it begins to write), and the process queues its writers itself:
    SQLite's own busy-waiting has eight times the tail latency.
    """

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{_WRITES: True})
        self._clock = clock
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._turn = asyncio.Lock()
        self._on_change: defaultdict[type[Any], list[Callable[[], None]]] = defaultdict(list)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, clock: Clock) -> AsyncGenerator[Self]:
        """Connect lazily; dispose on leaving. *url* as the host gives it."""
        address = make_url(with_driver(url))
        options: dict[str, Any] = {"hide_parameters": True}
        if address.get_backend_name() == "postgresql":
            options |= {**postgres.POOL, "connect_args": postgres.connect_args()}
        else:
            options["connect_args"] = {"factory": sqlite.Connection}
        engine = create_async_engine(address, **options)
        if address.get_backend_name() == "sqlite":
            _configure_sqlite(engine)
        else:
            postgres.prepare(engine)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(engine.dispose)
            yield cls(engine, clock)

    @property
    def is_shared(self) -> bool:
        """True if other processes may use it too."""
        return not self._is_sqlite

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncSession]:
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncSession]:
        """Commits on leaving the block; an exception rolls everything back.

        Raises ClaimLost where the task works for a claim that it has lost (storage/claims.py), and
        what the check of `fenced` raises.
        """
        async with AsyncExitStack() as stack:
            if self._is_sqlite:
                await stack.enter_async_context(self._turn)
            session = AsyncSession(self._writer, expire_on_commit=False)
            await stack.enter_async_context(session)
            await stack.enter_async_context(session.begin())
            await self.verify_within(session)
            if (fence := _fence.get()) is not None:
                await fence(session)
            yield session
        for table in session.info.get(TOLD_OF, ()):
            for call in self._on_change[table]:
                call()

    def when_changed(self, table: type[Any], call: Callable[[], None]) -> None:
        """Call *call* whenever a transaction of this process is committed that `tell_of` *table*."""
        self._on_change[table].append(call)

    async def verify_within(self, session: AsyncSession) -> None:
        """Raises ClaimLost as `verify_claim`, in a transaction that does more."""
        await claims.verify(session, now=self._clock.steady())

    async def verify_claim(self, *, unless_within: timedelta = timedelta()) -> None:
        """Raises ClaimLost if the task's claim is lost; skipped if verified in *unless_within*."""
        if claims.present() is None:
            return
        last = claims.verified_at()
        if last is None or self._clock.steady() - last >= unless_within:
            async with self.reading() as session:
                await self.verify_within(session)

    async def step_aside(self) -> None:
        """Stop blocking the task's chat (see claims.step_aside)."""
        async with self.writing() as session:
            committed = await claims.step_aside(session)
        committed()

    def now(self) -> ColumnElement[Any]:
        """The database's own clock as a column value: the one clock all processes share.

        SQLite has exactly one process, so there the process's steady clock is the database's.
        """
        if self._is_sqlite:
            return literal(self._clock.steady(), Moment)
        seconds = func.extract("epoch", func.clock_timestamp())
        return type_coerce(cast(func.floor(seconds * 1000), BigInteger), Moment)


def _configure_sqlite(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # We say BEGIN ourselves; the driver's own guess is what makes deferred transactions.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # an intent must survive a power cut
            "busy_timeout=5000",
            "foreign_keys=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
