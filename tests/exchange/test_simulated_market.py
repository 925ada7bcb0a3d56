import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from engine.domain.market.balances import Balance
from engine.domain.market.candles import HOUR, whole_hour
from engine.domain.market.pairs import USDT, Side, Symbol
from engine.domain.orders.matching import match_market_order
from engine.domain.orders.order import AccountId
from engine.domain.targets.target import FixedUsdt
from engine.errors import BadCredentials, PairUnavailable
from engine.exchanges.interface import KeyInspector, Market
from engine.exchanges.paper.exchange import PaperExchange
from engine.exchanges.paper.simulated_market import (
    SYMBOL,
    SimulatedDeposits,
    SimulatedKeyInspector,
    SimulatedMarket,
)
from engine.storage.accounts import accounts
from engine.storage.database import Database
from engine.storage.trading import paper_ledger
from tests import builders
from tests.fakes.clock import FakeClock

MINUTE = timedelta(minutes=1)
HOLDS = 40


@pytest.fixture
async def database(sqlite_url: str, clock: FakeClock) -> AsyncGenerator[Database]:
    async with Database.open(sqlite_url, clock=clock) as opened:
        yield opened


@pytest.fixture
def market(clock: FakeClock) -> Market:
    return SimulatedMarket(clock, seed=7)


async def prices(market: Market, clock: FakeClock, *, minutes: int) -> list[Decimal]:
    seen = []
    for _ in range(minutes):
        seen.append(await market.last_price(SYMBOL))
        clock.shift(MINUTE)
    return seen


async def test_the_market_is_a_function_of_time_and_seed():
    walks = [
        await prices(SimulatedMarket(clock, seed=seed), clock, minutes=30)
        for clock, seed in ((FakeClock(), 1), (FakeClock(), 1), (FakeClock(), 2))
    ]

    assert walks[0] == walks[1]
    assert walks[0] != walks[2]


async def test_the_price_wanders_around_two_tenths_of_a_cent(market, clock):
    seen = await prices(market, clock, minutes=24 * 60)

    assert Decimal("0.0017") < min(seen) < max(seen) < Decimal("0.0023")
    assert len(set(seen)) > 20
    assert all(abs(after - before) < Decimal("0.00003") for before, after in pairwise(seen))
    assert all(price % Decimal("0.000001") == 0 for price in seen)


async def test_the_book_is_deep_at_most_times_and_thin_at_some(market, clock):
    rules = await market.rules(SYMBOL)
    complete = []
    for _ in range(120):
        book = await market.book(SYMBOL)
        last_price = await market.last_price(SYMBOL)
        for side, amount in ((Side.BUY, "60"), (Side.SELL, "30000")):
            match = match_market_order(
                side=side,
                amount=Decimal(amount),
                free=Decimal(100_000),
                last_price=last_price,
                book=book,
                rules=rules,
            )
            assert match.execution.base_quantity > 0
            complete.append(match.complete)
        clock.shift(MINUTE)

    assert 0.7 < sum(complete) / len(complete) < 0.95


async def test_the_last_trade_was_at_the_best_bid_or_ask(market, clock):
    for _ in range(50):
        book = await market.book(SYMBOL)
        assert await market.last_price(SYMBOL) in {book.bids[0].price, book.asks[0].price}
        clock.shift(MINUTE)


async def test_the_hours_that_are_over_closed_where_the_price_was(market, clock):
    now = whole_hour(clock.now())
    clock.shift(now + HOUR - clock.now())
    at_the_hour = await market.last_price(SYMBOL)

    closes = await market.hourly_closes(SYMBOL, since=now - 2 * HOUR, until=now + 9 * HOUR)

    assert [close.at - now for close in closes] == [-HOUR, 0 * HOUR, HOUR]
    assert abs(closes[-1].price - at_the_hour) <= Decimal("0.000001")


async def test_any_other_pair_is_unknown(market):
    other = Symbol("BTCUSDT")
    for question in (market.rules, market.book, market.last_price):
        with pytest.raises(PairUnavailable):
            await question(other)


@pytest.fixture
async def account_id(database: Database, clock: FakeClock, market: Market) -> AccountId:
    """40 USDT held, 40 wanted, 5 % threshold."""
    async with database.writing() as session:
        account = await accounts.get_or_create(
            session, chat_id=1, settings=builders.settings(target=HOLDS), now=clock.now()
        )
    await hold(database, clock, market, account.id, usdt=HOLDS)
    return account.id


async def hold(database, clock, market, account_id, *, usdt) -> None:
    exchange = PaperExchange(account_id=account_id, market=market, database=database, clock=clock)
    await exchange.open_ledger(builders.holdings(usdt=usdt), symbol=SYMBOL)


async def usdt_of(database: Database, account_id: AccountId) -> Decimal:
    async with database.reading() as session:
        return (await paper_ledger.balances(session, account_id))[USDT].free


class Told:
    def __init__(self) -> None:
        self.moves: list[tuple[AccountId, Decimal]] = []

    def __call__(self, account_id: AccountId, difference: Decimal) -> None:
        self.moves.append((account_id, difference))


async def test_a_deposit_and_a_withdrawal_in_turn_push_the_balance_out_of_its_band(
    database, clock, market, account_id
):
    told = Told()
    deposits = SimulatedDeposits(database=database, clock=clock, seed=1, tell=told)

    balances = []
    for _ in range(6):
        await hold(database, clock, market, account_id, usdt=HOLDS)
        await deposits.push()
        balances.append(await usdt_of(database, account_id))

    assert all(balance > 42 for balance in balances[::2])
    assert all(0 <= balance < 38 for balance in balances[1::2])
    assert told.moves == [(account_id, balance - HOLDS) for balance in balances]
    assert all(difference % Decimal("0.01") == 0 for _, difference in told.moves)


async def test_a_balance_that_is_already_outside_is_left_to_the_bot(
    database, clock, market, account_id
):
    told = Told()
    deposits = SimulatedDeposits(database=database, clock=clock, seed=1, tell=told)
    await deposits.push()
    balance = await usdt_of(database, account_id)
    await deposits.push()

    assert await usdt_of(database, account_id) == balance
    assert len(told.moves) == 1


async def test_nobody_withdraws_what_is_not_there(database, clock, market, account_id):
    async with database.writing() as session:
        account = await accounts.get(session, account_id)
        await accounts.change(session, account, target=FixedUsdt(Decimal(2)))
    told = Told()
    deposits = SimulatedDeposits(database=database, clock=clock, seed=1, tell=told)
    for _ in range(4):
        await hold(database, clock, market, account_id, usdt=2)
        await deposits.push()

    assert all(difference > 0 for _, difference in told.moves)


async def test_a_ledger_without_usdt_counts_as_empty(database, clock, account_id):
    """Nothing held of 40 wanted is outside the band already."""
    async with database.writing() as session:
        await paper_ledger.open_ledger(
            session, account_id, {builders.MNTL: Balance(free=Decimal(5))}
        )
    told = Told()
    await SimulatedDeposits(database=database, clock=clock, seed=1, tell=told).push()

    assert told.moves == []


async def test_money_moves_seldom_and_only_when_the_user_is_undisturbed(database, account_id):
    clock = FakeClock(manual=True)
    told = Told()
    read = asyncio.Event()
    deposits = SimulatedDeposits(database=database, clock=clock, seed=1, tell=told)

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(deposits.run(read.wait))
        await clock.advance(timedelta())
        await clock.advance(19 * MINUTE)
        early = len(told.moves)
        await clock.advance(22 * MINUTE)
        unread = len(told.moves)
        read.set()
        while not told.moves:
            await clock.advance(timedelta())
        running.cancel()

    assert early == unread == 0
    assert len(told.moves) == 1


async def test_a_key_that_looks_like_one_may_read_and_trade(market, clock):
    check: KeyInspector = SimulatedKeyInspector(market, clock)

    facts = await check.inspect(api_key="DEMOKEY1", api_secret="DEMOSECRET1", symbol=SYMBOL)

    assert facts.permissions == frozenset(
        {"SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE"}
    )
    assert facts.days_left == 90
    assert facts.holdings.of(USDT).free == 100
    assert facts.holdings.of(builders.MNTL).free > 10_000


@pytest.mark.parametrize(
    ("api_key", "api_secret"),
    [("short", "DEMOSECRET1"), ("DEMOKEY1", "with spaces"), ("DEMOKEYÄ", "DEMOSECRET1")],
)
async def test_what_does_not_look_like_a_key_is_refused(market, clock, api_key, api_secret):
    with pytest.raises(BadCredentials):
        await SimulatedKeyInspector(market, clock).inspect(
            api_key=api_key, api_secret=api_secret, symbol=SYMBOL
        )


async def test_a_market_that_does_not_thin_always_takes_a_large_order(clock: FakeClock):
    market = SimulatedMarket(clock, seed=7, thins=False)
    for _ in range(60):
        book = await market.book(SYMBOL)

        assert sum(level.quantity for level in book.asks) > 30_000
        clock.shift(timedelta(minutes=1))
