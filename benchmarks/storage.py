"""The transaction of a trade: ours beside SQLAlchemy's own, and 16 at once beside SQLite without a
queue for its writers.

Each writes an order, its message, and the account's row.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

from sqlalchemy import Connection, event, update
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from benchmarks.mexc import SYMBOL
from benchmarks.processes import OURS, pin
from benchmarks.program import seed
from benchmarks.reports import Goal, Report, middle, quantile
from engine.clock import SystemClock
from engine.domain.market.pairs import Side
from engine.domain.orders.order import OrderState, Trigger
from engine.storage.database import Database, with_driver
from engine.storage.models.accounts import AccountRow
from engine.storage.models.queues import OutboxRow
from engine.storage.models.trading import OrderRow

_ROUNDS, _ALONE, _AT_ONCE, _CROWD = 3, 200, 16, 320

Writing = Callable[[], AbstractAsyncContextManager[AsyncSession]]


def run(_peers: Path | None) -> Report:
    pin(0, OURS)
    report = Report(
        "storage",
        f"The transaction of a trade on SQLite, synchronous=FULL (median of {_ROUNDS} rounds)",
        ["who", "alone: per s", "p99 ms", f"{_AT_ONCE} at once: per s", "p99 ms "],
    )
    found: dict[str, list[tuple[float, float, float, float]]] = {"Ballast": [], "SQLAlchemy": []}
    for _ in range(_ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            for name, rounds in found.items():
                url = f"sqlite:///{folder}/{name}.db"
                seed(url, _AT_ONCE, interval=timedelta(seconds=120))
                opened = _ours if name == "Ballast" else _bare
                rounds.append(asyncio.run(opened(url)))
    ours, bare = (
        [middle(column) for column in zip(*every, strict=True)] for every in found.values()
    )
    report.rows += [["Ballast", *ours], ["SQLAlchemy, as it comes", *bare]]
    report.goals += [
        Goal(
            "11", "transactions a second, of SQLAlchemy's", ours[0] / bare[0], 0.9, at_least=True
        ),
        Goal(
            "11",
            f"p99 of {_AT_ONCE} at once, of SQLite's without a queue",
            ours[3] / bare[3],
            0.25,
        ),
    ]
    return report


async def _ours(url: str) -> tuple[float, float, float, float]:
    async with Database.open(url, clock=SystemClock()) as database:
        return await _spend(database.writing)


async def _bare(url: str) -> tuple[float, float, float, float]:
    """The usual way: sessions of one engine, WAL, and SQLite's own patience between writers."""
    engine = create_async_engine(with_driver(url), pool_size=_AT_ONCE)
    _keep_as_safe(engine)

    @asynccontextmanager
    async def writing() -> AsyncGenerator[AsyncSession]:
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            yield session

    try:
        return await _spend(writing)
    finally:
        await engine.dispose()


def _keep_as_safe(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


async def _spend(writing: Writing) -> tuple[float, float, float, float]:
    numbers = count()

    async def trade() -> float:
        begun = time.perf_counter()
        async with writing() as session:
            await _write(session, next(numbers))
        return time.perf_counter() - begun

    for _ in range(20):
        await trade()
    alone = await _times(trade, workers=1, trades=_ALONE)
    crowd = await _times(trade, workers=_AT_ONCE, trades=_CROWD)
    return (*alone, *crowd)


async def _times(
    trade: Callable[[], Awaitable[float]], *, workers: int, trades: int
) -> tuple[float, float]:
    """Per second, and the p99 in milliseconds."""
    taken: list[float] = []

    async def work() -> None:
        taken.extend([await trade() for _ in range(trades // workers)])

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(workers):
            tasks.create_task(work())
    return len(taken) / (time.perf_counter() - begun), quantile(taken, 0.99) * 1000


async def _write(session: AsyncSession, number: int) -> None:
    now, account_id = SystemClock().now(), number % _AT_ONCE + 1
    order = OrderRow(
        client_order_id=f"benchmark-{number}",
        account_id=account_id,
        run_id=f"run-{number}",
        attempt=1,
        symbol=SYMBOL,
        side=Side.BUY,
        quote_amount=Decimal("17.10"),
        expected_quote=Decimal("17.10"),
        worth_cents=1710,
        move_bp=0,
        dry_run=False,
        trigger=Trigger.INTERVAL,
        fence=1,
        target=Decimal(40),
        quote_before=Decimal("57.10"),
        base_before=Decimal(100_000),
        created_at=now,
        state=OrderState.FILLED,
        executed_base=Decimal(8142),
        executed_quote=Decimal("16.30"),
        misses=0,
    )
    message = OutboxRow(
        chat_id=account_id,
        payload="{}",
        kind="TradeSettled",
        created_at=now,
        not_before=now,
        dedupe_key=f"benchmark:{number}",
    )
    session.add_all([order, message])
    await session.flush()
    await session.execute(
        update(AccountRow)
        .where(AccountRow.id == account_id)
        .values(version=AccountRow.version + 1)
    )
