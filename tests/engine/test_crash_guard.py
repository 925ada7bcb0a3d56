"""The crash guard over a real database: it acts on a fall, never on money that came or left."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.account import Account
from engine.domain.alerts.pace_alerts import GuardActed, GuardLifted
from engine.domain.market.balances import Counting
from engine.domain.market.pairs import OrderType, Side
from engine.domain.market.quotes import Quote
from engine.domain.orders.order import ClientOrderId
from engine.domain.portfolio.position import LegReason
from engine.domain.rebalancing.check_result import NoTrade, OrderPlaced
from engine.domain.targets.crash_guard import CrashGuard, GuardAction
from engine.domain.targets.pacing import BuyingStopped, Pacing
from engine.exchanges.interface import OrderRequest
from engine.storage.database import Database
from tests.builders import MNTL, MNTLUSDT
from tests.engine.harness import Engine
from tests.engine.portfolios import BTC, ETH, an_exchange, open_basket
from tests.engine.test_checker import WRITES
from tests.fakes.clock import FakeClock
from tests.fakes.database import statements
from tests.fakes.exchange import FakeExchange

D = Decimal
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AT_20 = Pacing(crash_guard=CrashGuard(D("0.2")))


def priced(exchange: FakeExchange, price: str) -> None:
    exchange.paper_market.price = D(price)


async def guarded(engine: Engine, exchange: FakeExchange, pacing: Pacing = AT_20) -> Account:
    """Inside its band, and seen once."""
    exchange.usdt = D(40)
    account = await engine.open_account(pacing=pacing)
    await engine.check(account)
    return account


async def test_after_a_fall_nothing_is_bought_until_a_user_lifts_it(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await guarded(engine, exchange)
    await engine.wait(HOUR)
    await engine.check(account)
    priced(exchange, "0.0014")
    await engine.wait(HOUR)
    await engine.check(account)

    [told] = await engine.alerts_of(GuardActed)
    assert D("0.2") <= told.fall < D("0.3")
    acted = await engine.account(account)
    assert acted.buying_stopped_at == engine.clock.now()
    exchange.usdt += 30
    await engine.wait(MINUTE)
    assert (await engine.check(account)).look.verdict == NoTrade(
        BuyingStopped(acted.buying_stopped_at)
    )
    again = Engine(engine.database, engine.clock, exchange, owner="process-2")
    await engine.lease_runs_out()
    await again.claim()
    assert isinstance((await again.check(account)).look.verdict, NoTrade)
    assert exchange.calls["place"] == 0
    assert await again.trouble(account) is None

    await again.tap(account, side=Side.BUY, expected_quote=D(30))
    assert isinstance((await again.check(account)).look.verdict, OrderPlaced)


@pytest.mark.parametrize("odd", ["0.0001", "0.02"])
async def test_one_odd_price_is_no_fall_and_no_height_to_fall_from(
    engine: Engine, exchange: FakeExchange, odd: str
):
    account = await guarded(engine, exchange)
    exchange.paper_market.odd_price = D(odd)
    for _ in range(3):
        await engine.wait(MINUTE)
        await engine.check(account)

    assert await engine.alerts_of(GuardActed) == []
    assert (await engine.account(account)).buying_stopped_at is None


async def test_a_withdrawal_is_no_fall_and_a_deposit_hides_none(
    engine: Engine, exchange: FakeExchange
):
    account = await guarded(engine, exchange)
    exchange.mntl -= 60_000  # more than half of it
    await engine.wait(HOUR)
    await engine.check(account)
    assert await engine.alerts_of(GuardActed) == []
    state = (await engine.account(account)).guard
    assert state is not None
    assert state.values[-1].flow == -60_000 * D("0.0020005")

    exchange.mntl += 100_000
    priced(exchange, "0.0013")
    await engine.wait(HOUR)
    await engine.check(account)
    assert len(await engine.alerts_of(GuardActed)) == 1


async def test_what_comes_to_a_protected_amount_that_lacks_is_no_fall(
    engine: Engine, exchange: FakeExchange
):
    exchange.usdt = D(40)
    account = await engine.open_account(pacing=AT_20)
    account = await engine.change(account, protected={MNTL: D(80_000)})
    for moved in (0, -60_000, 60_000, 0):
        exchange.mntl += moved
        await engine.wait(HOUR)
        await engine.check(account)

    assert await engine.alerts_of(GuardActed) == []

    priced(exchange, "0.0008")
    await engine.wait(HOUR)
    await engine.check(account)
    assert len(await engine.alerts_of(GuardActed)) == 1


async def test_coins_that_a_users_order_locks_are_no_fall(engine: Engine, exchange: FakeExchange):
    exchange.usdt = D(40)
    account = await engine.open_account(pacing=AT_20, counting=Counting.FREE)
    await engine.check(account)
    await exchange.place(
        OrderRequest(
            client_order_id=ClientOrderId("their-own-order"),
            symbol=MNTLUSDT,
            side=Side.SELL,
            quote_amount=None,
            base_quantity=D(90_000),
            sent_at=engine.clock.now(),
            order_type=OrderType.LIMIT,
            price=D("0.003"),
        )
    )
    for _ in range(2):
        await engine.wait(HOUR)
        await engine.check(account)

    assert await engine.alerts_of(GuardActed) == []


async def test_a_check_that_holds_shares_the_prices_and_writes_once_an_hour(
    engine: Engine, exchange: FakeExchange
):
    account = await guarded(engine, exchange)
    exchange.calls.clear()
    written = []
    for _ in range(61):
        await engine.wait(MINUTE)
        duty = await engine.duty(account)
        with statements(engine.database) as seen:
            await engine.checker.check(duty, fence=1)
        written += [one for one in seen if one.startswith(("INSERT", "UPDATE"))]

    assert dict(exchange.calls) == {"holdings": 61, "quotes": 61}
    assert len(written) == 1
    assert WRITES


async def test_without_a_price_nothing_is_known_and_nothing_done(
    engine: Engine, exchange: FakeExchange
):
    account = await guarded(engine, exchange)
    before = (await engine.account(account)).guard
    exchange.paper_market.bids = []
    await engine.wait(2 * HOUR)
    await engine.check(account)

    assert (await engine.account(account)).guard == before


async def test_it_lifts_itself_as_was_said_and_the_same_fall_does_not_act_twice(
    engine: Engine, exchange: FakeExchange
):
    guard = CrashGuard(D("0.2"), lifts_after=DAY)
    account = await guarded(engine, exchange, Pacing(crash_guard=guard))
    priced(exchange, "0.0014")
    for _ in range(27):
        await engine.wait(HOUR)
        await engine.check(account)

    assert len(await engine.alerts_of(GuardActed)) == 1
    assert len(await engine.alerts_of(GuardLifted)) == 1
    assert (await engine.account(account)).buying_stopped_at is None


async def test_a_guard_that_pauses_pauses_once_and_another_guard_begins_anew(
    engine: Engine, exchange: FakeExchange
):
    pausing = CrashGuard(D("0.2"), GuardAction.PAUSE)
    account = await guarded(engine, exchange, Pacing(crash_guard=pausing))
    priced(exchange, "0.0014")
    await engine.wait(HOUR)
    await engine.check(account)
    paused = await engine.account(account)
    assert paused.settings.paused
    account = await engine.change(account, paused=False)
    await engine.check(account)
    assert not (await engine.account(account)).settings.paused

    changed = await engine.change(account, pacing=AT_20)
    assert changed.guard is None


async def test_a_basket_goes_on_selling_and_buys_nothing(sqlite: Database, clock: FakeClock):
    exchange = an_exchange(clock)
    engine = Engine(sqlite, clock, exchange)
    account = await open_basket(engine, pacing=AT_20)
    await engine.check(account)
    half = {BTC: Quote(D("5.00"), D("5.01")), ETH: Quote(D("1.000"), D("1.001"))}
    exchange.paper_market.others |= half
    await engine.wait(HOUR)
    await engine.check(account)
    assert len(await engine.alerts_of(GuardActed)) == 1
    await engine.until_quiet(account)

    exchange.paper_market.others |= {ETH: Quote(D("4.000"), D("4.001"))}
    await engine.wait(HOUR)
    await engine.until_quiet(account)

    assert {intent.side for intent in await engine.intents()} <= {Side.SELL}
    assert (await engine.account(account)).buying_stopped_at is not None
    look = (await engine.check(account)).look
    assert look.portfolio is not None
    assert look.portfolio.plan is not None
    assert look.portfolio.plan.reasons[BTC] is LegReason.BUYING_STOPPED, look.portfolio.plan
