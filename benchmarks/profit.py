"""`/profit all` of an account with 100,000 trades, from the database to the message."""

import asyncio
import gc
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import insert

from benchmarks.processes import OURS, pin
from benchmarks.program import seed
from benchmarks.reports import Goal, Report, middle
from bot.views.costs import costs_view
from bot.views.profit import profit_view
from engine.accounts.profit import ProfitReports, SpanReport
from engine.clock import SystemClock
from engine.domain.accounts.account import Account
from engine.domain.market.candles import HOUR, whole_hour
from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.orders.order import AccountId, OrderState, Trigger
from engine.domain.profit.spans import Span
from engine.errors import Unavailable
from engine.exchanges.interface import Exchange
from engine.exchanges.price_history import PriceHistory
from engine.storage.accounts import accounts
from engine.storage.database import Database
from engine.storage.models.trading import BalanceRow, CandleRangeRow, CandleRow, OrderRow

_TRADES, _AT_ONCE, _ROUNDS = 100_000, 10_000, 5
_APART = timedelta(minutes=5)
_SYMBOL, _MNTL = "MNTLUSDT", Asset("MNTL")


def run(_peers: Path | None) -> Report:
    pin(0, OURS)
    report = Report(
        "profit",
        f"/profit all over {_TRADES:,} trades on SQLite (median of {_ROUNDS})",
        ["what", "s", "s CPU", "MB more"],
    )
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/profit.db"
        seed(url, 1, interval=timedelta(seconds=120))
        figures = asyncio.run(_measured(url))
    report.rows.append(["records to message", *figures.profit])
    report.rows.append([f"/profit costs of {figures.counted:,} orders", *figures.costs])
    report.goals.append(Goal("profit", "seconds", figures.profit[0], 1.0))
    return report


class _Figures(NamedTuple):
    """*counted* orders are those of the months that `/profit costs` tells of."""

    profit: tuple[float, float, float]
    costs: tuple[float, float, float]
    counted: int


async def _measured(url: str) -> _Figures:
    clock = SystemClock()
    async with Database.open(url, clock=clock) as database:
        await _fill(database, clock)
        prices = PriceHistory(database=database, clock=clock, exchange_for=_away)
        reports = ProfitReports(database=database, clock=clock, exchange_for=_away, prices=prices)
        async with database.reading() as session:
            account = await accounts.get(session, AccountId(1))
        gc.collect()
        gc.freeze()  # as the program does when it starts

        async def profit() -> None:
            found = await reports.report(account, Span.ALL)
            if not isinstance(found, SpanReport) or found.report.count != _TRADES:
                raise RuntimeError(found)
            profit_view(account=account, found=found, span=Span.ALL)

        async def costs() -> None:
            costs_view(account=account, report=await reports.costs(account))

        figures = await _timed(profit), await _timed(costs)
        counted = sum(one.orders for one in (await reports.costs(account)).months)
        return _Figures(*figures, counted)


async def _timed(act: Callable[[], Awaitable[None]]) -> tuple[float, float, float]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    walls, cpus = [], []
    for _ in range(_ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        await act()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return middle(walls), middle(cpus), (after - before) / 1024


def _away(_account: Account) -> Exchange:
    raise Unavailable("no exchange is measured here")


async def _fill(database: Database, clock: SystemClock) -> None:
    begin = whole_hour(clock.now() - _TRADES * _APART)
    hours = (clock.now() - begin) // HOUR
    quote, base = Decimal(1000), Decimal(90_000)
    rows: list[dict[str, Any]] = []
    async with database.writing() as session:
        for row in _orders(begin, quote, base):
            rows.append(row)
            if len(rows) == _AT_ONCE:
                await session.execute(insert(OrderRow), rows)
                rows = []
        candles = [
            {
                "symbol": _SYMBOL,
                "at": begin + number * HOUR,
                "close": Decimal(2000 + number % 97).scaleb(-6),
            }
            for number in range(hours + 1)
        ]
        await session.execute(insert(CandleRow), candles)
        session.add(
            CandleRangeRow(
                symbol=_SYMBOL, since=begin, until=clock.now() + HOUR, asked_at=clock.now()
            )
        )
        fee = _TRADES * Decimal("0.0085")
        for asset, amount in ((USDT, quote - fee), (_MNTL, base)):
            session.add(
                BalanceRow(account_id=1, dry_run=False, asset=asset, amount=amount, at=clock.now())
            )


def _orders(begin: Any, quote: Decimal, base: Decimal) -> Iterator[dict[str, Any]]:
    for number in range(_TRADES):
        sign = 1 if number % 2 else -1
        at = begin + number * _APART
        yield {
            "client_order_id": f"bl{number}",
            "account_id": 1,
            "run_id": f"run-{number}",
            "attempt": 1,
            "symbol": _SYMBOL,
            "side": Side.BUY if number % 2 else Side.SELL,
            "quote_amount": Decimal("17.10") if number % 2 else None,
            "base_quantity": None if number % 2 else Decimal(8142),
            "expected_quote": Decimal("17.10"),
            "price": Decimal("0.0020005"),
            "bid": Decimal("0.0020"),
            "ask": Decimal("0.002001"),
            "book_at": at,
            "final_mid": Decimal("0.002001"),
            "dry_run": False,
            "trigger": Trigger.INTERVAL,
            "fence": 1,
            "target": Decimal(40),
            "quote_before": quote,
            "base_before": base,
            "created_at": at,
            "state": OrderState.FILLED,
            "executed_base": Decimal(8142),
            "executed_quote": Decimal("16.30"),
            "fees": '{"USDT": "0.0085"}',
            "misses": 0,
            "resolved_at": at,
        }
        quote -= sign * Decimal("16.30") + Decimal("0.0085")
        base += sign * Decimal(8142)
