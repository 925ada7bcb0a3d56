"""A stream that lies, repeats itself or tells half costs time, and never an order or the address."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.market.balances import Holdings
from engine.domain.market.pairs import USDT, Symbol
from engine.domain.orders.order import ClientOrderId
from engine.domain.streams.events import AccountEvent, BalanceEvent, Cause, OrderEvent
from engine.exchanges.rate_limiter import Priority, RateLimiter
from engine.rebalancing.preview import Previews
from engine.storage.database import Database
from engine.streaming.live_accounts import LiveAccounts
from tests import builders
from tests.engine.harness import Engine, nothing_known
from tests.engine.streaming import TellingExchange
from tests.engine.test_live_accounts import a_process
from tests.fakes.clock import FakeClock

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
OURS = ClientOrderId("bl-0001-1a")


@pytest.fixture
def exchange(clock: FakeClock) -> TellingExchange:
    return TellingExchange(clock)


@pytest.fixture
def live(clock: FakeClock) -> LiveAccounts:
    return LiveAccounts(clock)


@pytest.fixture
def engine(
    sqlite: Database, clock: FakeClock, exchange: TellingExchange, live: LiveAccounts
) -> Engine:
    return Engine(sqlite, clock, exchange, live=live)


async def test_a_deposit_told_before_an_order_proves_nothing_of_the_usdt_after_it(
    engine: Engine,
    exchange: TellingExchange,
    live: LiveAccounts,
    monkeypatch: pytest.MonkeyPatch,
):
    """The exchange books the token of a fill at once and its USDT late, where it is read and told."""
    process = await a_process(engine, exchange, live)
    exchange.arranged = _without_traded_usdt
    read = exchange.holdings

    async def lagging() -> Holdings:
        found = await read()
        if not exchange.tickets:
            return found
        balances = {**found.balances, USDT: replace(found.of(USDT), free=Decimal(60))}
        return replace(found, balances=balances)

    monkeypatch.setattr(exchange, "holdings", lagging)
    exchange.change(USDT, 20)
    await process.run(MINUTE)

    assert len(exchange.tickets) == 1


async def test_a_deposit_between_the_lock_and_the_fill_of_an_order_proves_nothing_of_the_fill(
    engine: Engine,
    exchange: TellingExchange,
    live: LiveAccounts,
    monkeypatch: pytest.MonkeyPatch,
):
    """The exchange books the token of a fill at once and its USDT late, where it is read and told."""
    process = await a_process(engine, exchange, live)
    free, locked = Decimal(45), Decimal(20)
    read = exchange.holdings

    def told(events: list[AccountEvent]) -> Sequence[AccountEvent]:
        kept = _without_traded_usdt(events)
        usdt = [event for event in events if event not in kept]
        if not usdt or not exchange.tickets:
            return events
        lock = next(event for event in usdt if isinstance(event, BalanceEvent))
        deposit = replace(
            lock,
            free=free,
            locked=locked,
            before=lock.amounts,
            cause=Cause.DEPOSIT,
            order=(lock.order[0], lock.order[1] + 100),
        )
        return [lock, deposit, *kept]

    async def lagging() -> Holdings:
        found = await read()
        if not exchange.tickets:
            return found
        balances = {**found.balances, USDT: replace(found.of(USDT), free=free, locked=locked)}
        return replace(found, balances=balances)

    exchange.arranged = told
    monkeypatch.setattr(exchange, "holdings", lagging)
    exchange.change(USDT, 20)
    await process.run(MINUTE)

    assert len(exchange.tickets) == 1


def _without_traded_usdt(events: list[AccountEvent]) -> Sequence[AccountEvent]:
    return [
        event
        for event in events
        if not (
            isinstance(event, BalanceEvent) and event.asset == USDT and event.cause is Cause.TRADE
        )
    ]


def _end(clock: FakeClock) -> OrderEvent:
    return OrderEvent(
        symbol=Symbol("MNTLUSDT"),
        exchange_order_id="1",
        client_order_id=OURS,
        executed=Decimal(1),
        is_final=True,
        at=clock.steady(),
    )


async def test_an_end_that_was_told_is_looked_up_once_however_long_no_look_up_shows_it(
    clock: FakeClock, live: LiveAccounts
):
    account, due = builders.account(), []
    live.on_due = lambda account_id, _at: due.append(account_id)
    feed = live.open(account, fence=1)
    feed.acknowledge()
    for _ in range(5):
        live.checking(account, order=OURS)
        feed.event(_end(clock))
        live.checked(account.id)
        feed.event(_end(clock))

    assert due == [account.id]


async def test_an_end_that_is_told_again_and_again_ends_one_wait_for_it(
    clock: FakeClock, live: LiveAccounts
):
    account, waits = builders.account(), []
    feed = live.open(account, fence=1)
    feed.acknowledge()
    live.ordered(account.id, OURS)
    for _ in range(5):
        feed.event(_end(clock))
        before = clock.steady()
        await live.sleep(account.id, SECOND)
        waits.append(clock.steady() - before)

    assert waits == [timedelta(), *[SECOND] * 4]


async def test_a_user_who_waits_for_balances_waits_behind_no_poll_where_others_have_events(
    engine: Engine, exchange: TellingExchange
):
    account, clock = await engine.open_account(), engine.clock
    previews = Previews(
        database=engine.database,
        clock=clock,
        exchange_for=lambda _account: exchange,
        last_known=nothing_known,
    )
    budget = RateLimiter(clock, for_woken=275)
    async with budget.acquire(20, Priority.CHECK):
        pass

    async def asked() -> None:
        async with budget.acquire(10, Priority.CHECK):
            pass

    exchange.meanwhile("holdings", asked)
    began = clock.steady()
    await previews.see(account)

    assert clock.steady() == began
