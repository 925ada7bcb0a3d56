"""What comes to an account with several tokens, and leaves it, across changes of its target."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.domain.accounts.account import Account
from engine.domain.alerts.deposit_alerts import BalanceChanged
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.market.quotes import Quote
from engine.domain.orders.order import ClientOrderId, Execution, OrderState
from engine.domain.targets.target import Basket, FixedUsdt
from engine.rebalancing.balance_changes import BalanceChangeMonitor
from engine.storage.database import Database
from engine.storage.models.trading import BalanceChangeRow
from engine.storage.trading import balance_changes, orders
from tests.builders import MNTL, intent
from tests.engine.harness import Engine
from tests.fakes.clock import START, FakeClock
from tests.fakes.database import statements
from tests.fakes.exchange import FakeExchange

D = Decimal
BTC, ETH = Asset("BTC"), Asset("ETH")
BASKET = Basket.of([(BTC, 30), (ETH, 30), (USDT, 40)])
OPENED = {USDT: D(100), BTC: D(2), ETH: D(20), MNTL: D(100_000)}


@dataclass
class Watched:
    """An account as its checks read it."""

    engine: Engine
    exchange: FakeExchange
    monitor: BalanceChangeMonitor
    account: Account

    async def look(self, **amounts: Decimal) -> Mapping[str, Decimal]:
        """A check that reads these amounts; what it told of them."""
        account = await self.engine.account(self.account)
        duty, now = await self.engine.duty(account), self.engine.clock.now()
        held = OPENED | {Asset(asset): amount for asset, amount in amounts.items()}
        read = Holdings({asset: Balance(amount) for asset, amount in held.items()}, now)
        fills = await self.monitor.fills(duty)
        finding = await self.monitor.detect(duty, read, fills, self.exchange.market)
        fence = self.engine.fences[account.id]
        await self.monitor.record(duty, finding, read, self.exchange, fence=fence)
        await self.engine.wait(timedelta(minutes=5))
        return {moved.asset: moved.change for moved in finding.moved} if finding else {}


@pytest.fixture
async def watched(sqlite: Database, clock: FakeClock, exchange: FakeExchange) -> Watched:
    exchange.paper_market.others = {BTC: Quote(D(49), D(51)), ETH: Quote(D("3.9"), D("4.1"))}
    engine = Engine(sqlite, clock, exchange)
    account = await engine.open_account()
    monitor = BalanceChangeMonitor(database=sqlite, clock=clock, owner=engine.owner)
    return Watched(engine, exchange, monitor, await engine.change(account, target=BASKET))


async def test_what_comes_of_any_token_is_told_and_kept_beside_its_own_price(watched: Watched):
    await watched.look()
    assert await watched.look(ETH=D(25), USDT=D(90)) == {"ETH": D(5), "USDT": D(-10)}

    [told] = await watched.engine.alerts_of(BalanceChanged)
    assert [moved.asset for moved in told.moved] == [USDT, ETH]
    assert told.by_hand
    async with watched.engine.database.reading() as session:
        rows = (await session.scalars(select(BalanceChangeRow))).all()
    assert {row.asset: row.price for row in rows} == {"USDT": None, "ETH": D(4)}


async def test_a_look_that_finds_nothing_new_asks_the_database_and_the_market_nothing(
    watched: Watched,
):
    await watched.look()
    duty = await watched.engine.duty(watched.account)
    read = Holdings({asset: Balance(amount) for asset, amount in OPENED.items()}, START)

    with statements(watched.engine.database) as seen:
        fills = await watched.monitor.fills(duty)
        finding = await watched.monitor.detect(duty, read, fills, watched.exchange.market)

    assert finding is None
    assert seen == []
    assert watched.exchange.calls["quotes"] == 0


async def test_all_orders_of_a_run_explain_what_they_did(watched: Watched):
    await watched.look()
    now = watched.engine.clock.now()
    legs = [("BTCUSDT", Side.SELL, 1, 50, 100, 2), ("ETHUSDT", Side.BUY, 12, 48, 150, 20)]
    async with watched.engine.database.writing() as session:
        for symbol, side, base, quote, quote_before, base_before in legs:
            name = ClientOrderId(f"run-{symbol}")
            order = intent(
                client_order_id=name,
                run_id=name,
                side=side,
                symbol=Symbol(symbol),
                state=OrderState.FILLED,
                execution=Execution(D(base), D(quote)),
                created_at=now,
                resolved_at=now,
                quote_before=quote_before,
                base_before=base_before,
            )
            await orders.add(session, order)
    await watched.engine.wait(timedelta(minutes=2))

    assert await watched.look(BTC=D(1), ETH=D(32), USDT=D(102)) == {}
    assert await watched.look(BTC=D(1), ETH=D(32), USDT=D(112)) == {"USDT": D(10)}


async def test_a_deposit_around_a_change_of_the_target_is_told_and_a_new_token_is_not(
    watched: Watched,
):
    await watched.look()
    await watched.engine.change(watched.account, target=Basket.of([(ETH, 50), (MNTL, 50)]))
    assert await watched.look(USDT=D(130), BTC=D(7)) == {"USDT": D(30)}
    assert await watched.look(USDT=D(130), ETH=D(25)) == {"ETH": D(5)}

    await watched.engine.change(watched.account, target=FixedUsdt(D(40)))
    assert await watched.look(USDT=D(150), MNTL=D(90_000)) == {
        "USDT": D(20),
        "MNTL": D(-10_000),
    }
    account = await watched.engine.account(watched.account)
    async with watched.engine.database.reading() as session:
        [seen] = (await balance_changes.last_seen_of(session, [account.id])).values()
    assert seen.amounts == {USDT: D(150), MNTL: D(90_000)}
