from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from engine.domain.market.balances import Balance
from engine.domain.market.candles import HourlyClose
from engine.domain.market.decimals import ZERO
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import USDT, Asset, OrderType, PairRules, Side, Symbol
from engine.domain.market.quotes import Quote, Quotes
from engine.domain.orders.order import AccountId, Execution
from engine.errors import OrderNotFound, PairUnavailable, Rejected, Unavailable
from engine.exchanges.interface import Exchange, Market, OrderRequest
from engine.exchanges.paper.exchange import PaperExchange
from engine.storage.accounts import accounts
from engine.storage.database import Database
from engine.storage.models.trading import PaperOrderRow
from engine.storage.trading import paper_ledger
from tests import builders
from tests.builders import MNTL, MNTLUSDT
from tests.exchange.contract import (
    ALL,
    ASKS,
    BIDS,
    LAST_PRICE,
    MNTL_HELD,
    USDT_HELD,
    ExchangeContract,
    Venue,
)
from tests.fakes.clock import FakeClock


@dataclass
class FakeMarket:
    """A market that stands still; *failure* is raised by whatever is asked next."""

    last: Decimal = LAST_PRICE
    shown: OrderBook = field(default_factory=lambda: builders.book(asks=ASKS, bids=BIDS))
    fee_rate: str = "0.0005"
    failure: Exception | None = None

    async def rules(self, symbol: Symbol) -> PairRules:
        if symbol != MNTLUSDT:
            raise PairUnavailable(code=-1121, message="Invalid symbol.")
        return builders.rules(taker_fee_rate=self.fee_rate)

    async def book(self, symbol: Symbol, *, fresh: bool = False) -> OrderBook:
        if self.failure:
            raise self.failure
        return self.shown

    async def last_price(self, symbol: Symbol) -> Decimal:
        return self.last

    async def quotes(self, assets: Collection[Asset], *, listed_only: bool = False) -> Quotes:
        quote = Quote.of(self.shown) if MNTL in assets else None
        return Quotes({} if quote is None else {MNTL: quote}, self.shown.read_at)

    async def hourly_closes(
        self, symbol: Symbol, *, since: datetime, until: datetime
    ) -> Sequence[HourlyClose]:
        return [HourlyClose(until, self.last)]


async def an_account(database: Database, clock: FakeClock, *, chat_id: int = 1) -> AccountId:
    async with database.writing() as session:
        account = await accounts.get_or_create(
            session, chat_id=chat_id, settings=builders.settings(), now=clock.now()
        )
    return account.id


def a_paper_exchange(
    database: Database, clock: FakeClock, account_id: AccountId, market: Market | None = None
) -> PaperExchange:
    return PaperExchange(
        account_id=account_id, market=market or FakeMarket(), database=database, clock=clock
    )


@pytest.fixture
async def database(sqlite_url: str, clock: FakeClock) -> AsyncGenerator[Database]:
    """SQLite is enough here; the ledger on PostgreSQL has a test of its own below."""
    async with Database.open(sqlite_url, clock=clock) as opened:
        yield opened


@pytest.fixture
def market() -> FakeMarket:
    return FakeMarket()


@pytest.fixture
async def venue(database: Database, clock: FakeClock, market: FakeMarket) -> Venue:
    account_id = await an_account(database, clock)
    exchange = a_paper_exchange(database, clock, account_id, market)
    await exchange.open_ledger(builders.holdings(usdt=USDT_HELD, mntl=MNTL_HELD), symbol=MNTLUSDT)
    proven: Exchange = exchange
    return Venue(proven, clock)


class TestPaperExchange(ExchangeContract):
    pass


async def orders_on_record(database: Database) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(PaperOrderRow)) or 0


async def test_a_client_order_id_is_taken_once(venue, database):
    ticket = venue.buy("5")
    await venue.exchange.place(ticket)
    held = await venue.balance(USDT)

    with pytest.raises(Rejected, match="Duplicate"):
        await venue.exchange.place(ticket)

    assert await venue.balance(USDT) == held
    assert await orders_on_record(database) == 1


async def test_a_market_that_does_not_answer_means_nothing_happened(venue, market, database):
    market.failure = Unavailable("no answer")

    with pytest.raises(Unavailable):
        await venue.exchange.place(venue.buy("5"))

    assert await venue.balance(USDT) == Balance(free=USDT_HELD)
    assert await orders_on_record(database) == 0


async def test_an_order_that_finds_nobody_is_over_and_moves_nothing(venue, market):
    market.last = Decimal("0.0015")
    ticket = venue.buy("5")

    exchange_order_id = await venue.exchange.place(ticket)
    report = await venue.exchange.order(MNTLUSDT, ticket.client_order_id)

    assert report.is_final
    assert not report.complete
    assert report.execution.base_quantity == ZERO
    assert (await venue.exchange.fees(MNTLUSDT, exchange_order_id, **ALL)).by_asset == {}
    assert await venue.balance(USDT) == Balance(free=USDT_HELD)


async def test_what_is_locked_is_held_but_not_used(venue, database):
    await venue.exchange.open_ledger(
        builders.holdings(usdt=10, usdt_locked=30, mntl=0), symbol=MNTLUSDT
    )
    with pytest.raises(Rejected, match="Insufficient"):
        await venue.exchange.place(venue.buy("11"))

    await venue.exchange.place(venue.buy("9"))

    usdt = await venue.balance(USDT)
    assert usdt.locked == 30
    assert usdt.free < 2


async def test_a_malformed_ticket_is_a_programming_error(venue):
    with pytest.raises(ValueError, match="a buy names the quote"):
        await venue.exchange.place(replace(venue.buy("5"), side=Side.SELL))


async def test_without_an_account_to_copy_the_purse_holds_100_usdt_and_as_much_in_the_token(
    database, clock
):
    exchange = a_paper_exchange(database, clock, await an_account(database, clock))

    await exchange.open_ledger(None, symbol=MNTLUSDT)
    held = await exchange.holdings()

    assert held.of(USDT) == Balance(free=Decimal(100))
    assert held.of(MNTL) == Balance(free=Decimal(50_000))


async def test_a_ledger_that_was_never_opened_is_not_taken_for_an_empty_one(database, clock):
    exchange = a_paper_exchange(database, clock, await an_account(database, clock))

    with pytest.raises(Unavailable, match="not open"):
        await exchange.holdings()


async def test_opening_again_replaces_every_balance(venue):
    await venue.exchange.open_ledger(builders.holdings(usdt=7, mntl=8), symbol=MNTLUSDT)
    await venue.exchange.place(venue.buy("5"))
    await venue.exchange.open_ledger(builders.holdings(usdt=1, mntl=2), symbol=MNTLUSDT)

    assert await venue.balance(USDT) == Balance(free=Decimal(1))
    assert await venue.balance(MNTL) == Balance(free=Decimal(2))


async def test_the_ledger_and_its_orders_live_on_after_a_restart(sqlite_url, clock):
    async with Database.open(sqlite_url, clock=clock) as before:
        account_id = await an_account(before, clock)
        exchange = a_paper_exchange(before, clock, account_id)
        await exchange.open_ledger(None, symbol=MNTLUSDT)
        ticket = Venue(exchange, clock).buy("40")
        exchange_order_id = await exchange.place(ticket)
        held = await exchange.holdings()

    async with Database.open(sqlite_url, clock=clock) as after:
        exchange = a_paper_exchange(after, clock, account_id)

        assert await exchange.holdings() == held
        assert (
            await exchange.order(MNTLUSDT, ticket.client_order_id)
        ).exchange_order_id == exchange_order_id


async def test_an_order_belongs_to_one_account_and_one_pair(venue, database, clock):
    ticket = venue.buy("5")
    exchange_order_id = await venue.exchange.place(ticket)
    stranger = a_paper_exchange(database, clock, await an_account(database, clock, chat_id=2))
    elsewhere = Symbol("NOPEUSDT")

    with pytest.raises(OrderNotFound):
        await stranger.order(MNTLUSDT, ticket.client_order_id)
    with pytest.raises(OrderNotFound):
        await stranger.fees(MNTLUSDT, exchange_order_id, **ALL)
    with pytest.raises(OrderNotFound):
        await venue.exchange.order(elsewhere, ticket.client_order_id)
    with pytest.raises(OrderNotFound):
        await venue.exchange.fees(elsewhere, exchange_order_id, **ALL)
    with pytest.raises(OrderNotFound):
        await venue.exchange.fees(MNTLUSDT, "not-one-of-ours", **ALL)


async def test_a_free_pair_charges_nothing(venue, market):
    market.fee_rate = "0"
    exchange_order_id = await venue.exchange.place(venue.sell("5000"))

    assert (await venue.exchange.fees(MNTLUSDT, exchange_order_id, **ALL)).by_asset == {}


async def test_a_change_that_would_overdraw_changes_nothing(venue, database):
    with pytest.raises(ValueError, match="cannot be"):
        async with database.writing() as session:
            await paper_ledger.change(
                session, AccountId(1), {MNTL: Decimal(5), USDT: Decimal(-101)}
            )

    assert await venue.balance(USDT) == Balance(free=USDT_HELD)
    assert await venue.balance(MNTL) == Balance(free=MNTL_HELD)


async def test_an_asset_can_be_new_to_the_ledger(venue, database):
    async with database.writing() as session:
        await paper_ledger.change(session, AccountId(1), {Asset("MX"): Decimal(3)})

    assert await venue.balance(Asset("MX")) == Balance(free=Decimal(3))


async def test_a_trade_on_postgresql(postgres_url, clock):
    async with Database.open(postgres_url, clock=clock) as database:
        exchange = a_paper_exchange(database, clock, await an_account(database, clock))
        await exchange.open_ledger(None, symbol=MNTLUSDT)
        venue = Venue(exchange, clock)
        ticket = venue.buy("40")
        await exchange.place(ticket)

        assert (await venue.settled(ticket)).execution.base_quantity == 19_047
        assert (await venue.balance(MNTL)).free == 69_047


def _ask(market: FakeMarket, clock: FakeClock, price: str, quantity: int) -> None:
    """Somebody offers *quantity* at *price*, in a book of this moment."""
    clock.shift(timedelta(seconds=1))
    market.shown = builders.book(asks=[(price, quantity)], bids=BIDS[1:], read_at=clock.now())


@pytest.fixture
async def resting(venue: Venue) -> OrderRequest:
    ticket = venue.priced(OrderType.LIMIT, Side.BUY, "10000", "0.0019")
    await venue.exchange.place(ticket)
    return ticket


async def test_a_resting_order_is_filled_at_its_own_price_without_the_taker_s_fee(
    venue, market, clock, resting
):
    _ask(market, clock, "0.00185", 4000)
    partly = await venue.exchange.order(MNTLUSDT, resting.client_order_id)
    again = await venue.exchange.order(MNTLUSDT, resting.client_order_id)
    held = await venue.balance(USDT)
    _ask(market, clock, "0.0019", 90_000)
    whole = await venue.exchange.order(MNTLUSDT, resting.client_order_id)
    fees = await venue.exchange.fees(MNTLUSDT, whole.exchange_order_id, **ALL)

    price = Decimal("0.0019")
    assert partly.execution == again.execution == Execution(Decimal(4000), 4000 * price)
    assert not partly.is_final
    assert held == Balance(free=USDT_HELD - 10_000 * price, locked=6000 * price)
    assert (whole.is_final, whole.complete) == (True, True)
    assert whole.execution == Execution(Decimal(10_000), 10_000 * price)
    assert fees.by_asset == {}
    assert await venue.balance(USDT) == Balance(free=USDT_HELD - 10_000 * price)
    assert await venue.balance(MNTL) == Balance(free=MNTL_HELD + 10_000)


async def test_what_came_before_the_cancellation_is_kept(venue, market, clock, resting):
    _ask(market, clock, "0.0019", 4000)
    await venue.exchange.cancel(MNTLUSDT, resting.client_order_id)
    report = await venue.settled(resting)

    assert report.execution.base_quantity == 4000
    assert not report.complete
    assert (await venue.balance(USDT)).locked == 0


async def test_a_filled_order_cannot_be_cancelled(venue, market, clock, resting):
    _ask(market, clock, "0.0019", 90_000)
    with pytest.raises(OrderNotFound):
        await venue.exchange.cancel(MNTLUSDT, resting.client_order_id)

    assert (await venue.settled(resting)).complete


async def test_without_a_book_a_resting_order_waits(venue, market, clock, resting):
    market.failure = Unavailable("no answer")
    report = await venue.exchange.order(MNTLUSDT, resting.client_order_id)

    assert not report.is_final


async def test_what_is_locked_is_not_used_by_another_order(venue, resting):
    with pytest.raises(Rejected, match="Insufficient"):
        await venue.exchange.place(venue.buy("82"))


async def test_what_rests_lives_on_after_a_restart(venue, market, database, clock, resting):
    _ask(market, clock, "0.0019", 4000)
    await venue.balance(USDT)
    after = a_paper_exchange(database, clock, AccountId(1), market)
    report = await after.order(MNTLUSDT, resting.client_order_id)
    held = (await after.holdings()).of(USDT)
    await after.cancel(MNTLUSDT, resting.client_order_id)

    price = Decimal("0.0019")
    assert not report.is_final
    assert report.execution.base_quantity == 4000
    assert held == Balance(free=USDT_HELD - 10_000 * price, locked=6000 * price)
    assert (await after.holdings()).of(USDT) == Balance(free=USDT_HELD - 4000 * price)


async def test_a_ledger_opened_again_has_no_resting_orders(venue, resting):
    await venue.exchange.open_ledger(builders.holdings(usdt=7, mntl=8), symbol=MNTLUSDT)

    assert await venue.balance(USDT) == Balance(free=Decimal(7))
    assert await venue.exchange.open_orders(MNTLUSDT) == []


async def test_an_order_rests_for_all_exchanges_of_its_account(venue, database, clock, resting):
    other = replace(venue.exchange)
    stranger = replace(venue.exchange, account_id=await an_account(database, clock, chat_id=2))

    assert len(await other.open_orders(MNTLUSDT)) == 1
    assert await stranger.open_orders(MNTLUSDT) == []
    with pytest.raises(OrderNotFound):
        await stranger.cancel(MNTLUSDT, resting.client_order_id)


async def test_a_ledger_that_another_process_opened_ends_what_rests(
    venue, market, database, clock, resting
):
    async with database.writing() as session:
        await paper_ledger.open_ledger(session, AccountId(1), {USDT: Balance(free=Decimal(1))})
    shown = await venue.balance(USDT)
    _ask(market, clock, "0.0019", 90_000)
    await venue.balance(USDT)

    assert shown == Balance(free=Decimal(1))
    assert await venue.exchange.open_orders(MNTLUSDT) == []
