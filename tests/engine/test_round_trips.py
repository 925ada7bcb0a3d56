"""How many times a check waits for MEXC, one answer after another, until its order is accepted, and
how many transactions it takes.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.market.pairs import Asset, Symbol
from engine.domain.rebalancing.check_result import NoTrade, OrderPlaced
from engine.domain.rebalancing.planner import InsideBand
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import Basket, FixedUsdt
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.exchange import MexcExchange
from engine.exchanges.mexc.market_data import MexcMarket
from engine.exchanges.rate_limiter import RateLimiter
from engine.security.credentials import Credentials
from engine.storage.database import Database
from tests.builders import MNTL
from tests.engine.conftest import API_KEY, API_SECRET
from tests.engine.harness import Engine
from tests.fakes.clock import FakeClock
from tests.fakes.database import statements
from tests.fakes.http import Reply, Request
from tests.fakes.inline import InlineExchange
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_books import mntl

ROUND_TRIP = timedelta(milliseconds=50)
MNTLUSDT = Symbol("MNTLUSDT")


class Away:
    """A MEXC 50 ms away, and one account of it. *asked* notes when each question came."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.mexc = FakeMexc(clock)
        self.mexc.add_account(API_KEY, API_SECRET, USDT="40", MNTL="100000")
        transport = InlineExchange(
            self._answer, clock=clock, patience=timedelta(seconds=8), hangs_after=None
        )
        client = MexcClient(
            transport, base_url="http://mexc.test", clock=clock, budget=RateLimiter(clock)
        )
        self.exchange = MexcExchange(client, Credentials(API_KEY, API_SECRET), MexcMarket(client))
        self.asked: list[str] = []
        self.trips_to_the_order = 0
        self._trips = 0
        self._open: asyncio.Event | None = None

    def begin(self) -> None:
        self.asked.clear()
        self._trips = self.trips_to_the_order = 0

    async def _answer(self, request: Request) -> Reply:
        """Whatever is asked before the answer to the first of them is the same round trip."""
        self.asked.append(f"{request.method} {request.path.removeprefix('/api/v3/')}")
        trip = self._open
        if trip is None:
            trip = self._open = asyncio.Event()
            self._trips += 1
            await self._everybody_has_asked()
            self.clock.shift(ROUND_TRIP)
            self._open = None
            trip.set()
        else:
            await trip.wait()
        if self.asked[-1] == "POST order":
            self.trips_to_the_order = self._trips
        return await self.mexc._handle(request)

    async def _everybody_has_asked(self) -> None:
        for _ in range(10):
            await FakeClock().sleep(timedelta())


@pytest.fixture
def away(clock: FakeClock) -> Away:
    return Away(clock)


@pytest.fixture
def engine(sqlite: Database, clock: FakeClock, away: Away) -> Engine:
    return Engine(sqlite, clock, away.exchange)


async def test_a_cold_check_that_holds_asks_for_time_balances_and_once_for_open_orders(
    engine: Engine, away: Away
):
    account = await engine.open_account()
    away.begin()
    await engine.check(account)

    assert away.asked == ["GET time", "GET account", "GET openOrders"]


async def test_a_warm_check_that_holds_asks_once_and_writes_nothing(engine: Engine, away: Away):
    account = await engine.open_account()
    await engine.check(account)
    away.begin()
    with statements(engine.database) as seen:
        await engine.check(account)

    assert away.asked == ["GET account"]
    assert [s for s in seen if not s.startswith(("SELECT", "BEGIN"))] == []


async def test_a_check_that_trades_takes_at_most_three_reads_and_four_writes(
    engine: Engine, away: Away
):
    account = await engine.open_account()
    await engine.check(account)
    account = await engine.change(account, target=FixedUsdt(Decimal(30)))
    with statements(engine.database) as seen:
        checked = await engine.check(account)

    assert isinstance(checked.look.verdict, OrderPlaced)
    assert away.asked.count("POST order") == 1
    assert seen.count("BEGIN") <= 3
    assert seen.count("BEGIN IMMEDIATE") <= 4


@pytest.mark.parametrize(
    ("is_cold", "book_age", "trips"),
    [(False, timedelta(seconds=2), 3), (False, ROUND_TRIP, 2), (True, None, 4)],
    ids=["a fresh book", "a book of the last second", "cold, with time and rules"],
)
async def test_few_round_trips_lead_to_an_accepted_order(
    engine: Engine, away: Away, *, is_cold: bool, book_age: timedelta | None, trips: int
):
    account = await engine.open_account()
    if not is_cold:
        await engine.check(account)
        await away.exchange.market.rules(MNTLUSDT)
    if book_age is not None:
        await away.exchange.market.book(MNTLUSDT)
        away.clock.shift(book_age)
    away.mexc.ledger.accounts[API_KEY].of("USDT").free += 20
    away.begin()
    checked = await engine.check(account)

    assert isinstance(checked.look.verdict, OrderPlaced)
    assert away.trips_to_the_order == trips
    assert away.asked.count("POST order") == 1


async def test_a_basket_that_holds_asks_for_balances_and_all_prices_and_shares_the_prices(
    engine: Engine, away: Away
):
    away.mexc.add_pair(replace(mntl("2"), symbol="BTCUSDT", base="BTC"))
    away.mexc.add_pair(replace(mntl("2"), symbol="ETHUSDT", base="ETH"))
    funds = away.mexc.ledger.accounts[API_KEY]
    funds.of("BTC").free = funds.of("ETH").free = Decimal(100)
    account = await engine.open_account()
    thirds = Basket.of([(MNTL, 1), (Asset("BTC"), 1), (Asset("ETH"), 1)])
    account = await engine.change(
        account, target=thirds, threshold=Threshold(relative=Decimal("0.3"))
    )
    await engine.check(account)
    away.clock.shift(timedelta(seconds=3))
    away.begin()
    with statements(engine.database) as seen:
        checked = await engine.check(account)
        await engine.check(account)

    assert checked.look.verdict == NoTrade(InsideBand())
    assert away.asked == ["GET account", "GET ticker/bookTicker", "GET account"]
    assert [s for s in seen if not s.startswith(("SELECT", "BEGIN"))] == []
