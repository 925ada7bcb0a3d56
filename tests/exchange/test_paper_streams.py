"""An account on paper has a stream as well: what this process changes in its ledger is told at once."""

from decimal import Decimal
from itertools import pairwise

import pytest

from engine.domain.accounts.account import Account
from engine.domain.market.pairs import USDT
from engine.domain.orders.order import AccountId
from engine.domain.streams.events import AccountEvent, BalanceEvent, Cause
from engine.domain.streams.trust import Doubt
from engine.errors import Unavailable
from engine.exchanges.paper.exchange import PaperExchange
from engine.exchanges.paper.simulated_market import SimulatedDeposits
from engine.exchanges.paper.streams import PaperStreams
from engine.storage.accounts import accounts
from engine.storage.database import Database
from engine.storage.trading import paper_ledger
from tests import builders
from tests.builders import MNTL, MNTLUSDT
from tests.exchange.contract import Venue
from tests.exchange.test_paper_exchange import FakeMarket
from tests.fakes.clock import FakeClock

D = Decimal


class Feed:
    def __init__(self) -> None:
        self.acknowledged = 0
        self.events: list[AccountEvent] = []

    def acknowledge(self) -> None:
        self.acknowledged += 1

    def event(self, event: AccountEvent) -> None:
        self.events.append(event)

    @property
    def balances(self) -> list[BalanceEvent]:
        return [one for one in self.events if isinstance(one, BalanceEvent)]


@pytest.fixture
async def database(sqlite_url: str, clock: FakeClock):
    async with Database.open(sqlite_url, clock=clock) as opened:
        yield opened


@pytest.fixture
def streams(database: Database, clock: FakeClock) -> PaperStreams:
    return PaperStreams(database=database, clock=clock)


@pytest.fixture
async def account(database: Database, clock: FakeClock) -> Account:
    async with database.writing() as session:
        return await accounts.get_or_create(
            session, chat_id=1, settings=builders.settings(), now=clock.now()
        )


@pytest.fixture
def exchange(
    database: Database, clock: FakeClock, streams: PaperStreams, account: Account
) -> PaperExchange:
    return PaperExchange(
        account_id=account.id,
        market=FakeMarket(),
        database=database,
        clock=clock,
        streams=streams,
    )


async def hold(exchange: PaperExchange, *, usdt: int, mntl: int = 20_000) -> None:
    await exchange.open_ledger(builders.holdings(usdt=usdt, mntl=mntl), symbol=MNTLUSDT)


async def test_a_deposit_is_told_once_with_what_was_held_before(
    database, clock, streams, account, exchange
):
    await hold(exchange, usdt=40)
    feed = Feed()
    await streams.open(account, feed=feed, renew=False)

    def nobody(_: AccountId, __: Decimal) -> None: ...

    deposits = SimulatedDeposits(
        database=database, clock=clock, seed=1, tell=nobody, streams=streams
    )
    await deposits.push()
    await streams.tell(account.id, Cause.OTHER)  # nothing is new

    [told] = feed.events
    assert isinstance(told, BalanceEvent)
    assert (feed.acknowledged, told.asset, told.cause) == (1, USDT, Cause.DEPOSIT)
    assert told.before == (D(40), D(0))
    assert told.free > 40


async def test_an_order_tells_both_assets_and_each_event_follows_from_the_one_before(
    clock, streams, account, exchange
):
    await hold(exchange, usdt=100)
    feed = Feed()
    await streams.open(account, feed=feed, renew=False)
    venue = Venue(exchange, clock)
    for _ in range(3):
        await exchange.place(venue.buy("10"))

    told = [one for one in feed.balances if one.asset == USDT]
    assert [(one.asset, one.cause) for one in feed.balances] == [
        (MNTL, Cause.TRADE),
        (USDT, Cause.TRADE),
    ] * 3
    assert all(later.before == sooner.amounts for sooner, later in pairwise(told))
    assert all(later.order > sooner.order for sooner, later in pairwise(told))


async def test_two_streams_of_an_account_are_told_the_same_and_one_that_ended_nothing(
    database, streams, account, exchange
):
    await hold(exchange, usdt=40)
    first, second = Feed(), Feed()
    old = await streams.open(account, feed=first, renew=False)
    await streams.open(account, feed=second, renew=False)
    await deposit(database, streams, account, 5)
    await old.end(Doubt.CLOSED)
    await old.end(Doubt.SILENT)
    await deposit(database, streams, account, 7)

    assert await old.run() is Doubt.CLOSED
    assert [one.free for one in first.balances] == [D(45)]
    assert [one.free for one in second.balances] == [D(45), D(52)]


async def test_without_a_ledger_there_is_no_stream(streams, account):
    with pytest.raises(Unavailable):
        await streams.open(account, feed=Feed(), renew=False)


async def test_an_account_that_was_closed_is_told_nothing_more(
    database, streams, account, exchange
):
    await hold(exchange, usdt=40)
    feed = Feed()
    stream = await streams.open(account, feed=feed, renew=False)
    await streams.close(account.id)
    await deposit(database, streams, account, 5)

    assert feed.events == []
    assert await stream.run() is Doubt.CLOSED


async def deposit(database: Database, streams: PaperStreams, account: Account, usdt: int) -> None:
    async with database.writing() as session:
        await paper_ledger.change(session, account.id, {USDT: D(usdt)})
    await streams.tell(account.id, Cause.DEPOSIT)
