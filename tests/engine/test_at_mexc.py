"""The engine through the client that faces the real MEXC, against a fake one on a socket."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.incidents import IncidentKind
from engine.domain.alerts.alerts import IncidentAlert, OrderNeedsPerson, TradeSettled
from engine.domain.alerts.run_alerts import RunSettled
from engine.domain.execution.bound import ExecutionMode
from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.orders.order import UNRESOLVED, OrderState
from engine.domain.rebalancing.check_result import NoTrade, OrderPlaced
from engine.domain.rebalancing.planner import InsideBand
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import Basket
from engine.exchanges.mexc.exchange import MexcExchange
from engine.storage.database import Database
from tests.builders import MNTL
from tests.engine.conftest import API_KEY
from tests.engine.harness import Crash, Engine, Fuse
from tests.fakes.clock import FakeClock
from tests.fakes.http import Reply
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_books import mntl
from tests.fakes.mexc_faults import BAD_GATEWAY, DROPPED, TRUNCATED, Fault, json_reply, refusal
from tests.sampling import sampled

D = Decimal
ORDER = "/api/v3/order"
ACCOUNT = "/api/v3/account"


@pytest.fixture
def engine(sqlite: Database, clock: FakeClock, at_mexc: MexcExchange) -> Engine:
    return Engine(sqlite, clock, at_mexc)


def usdt(mexc: FakeMexc) -> Decimal:
    return mexc.ledger.accounts[API_KEY].of("USDT").free


async def the_invariants(engine: Engine, mexc: FakeMexc) -> None:
    """One POST per order, each real order known with what it executed, nothing left open."""
    intents = {str(intent.client_order_id): intent for intent in await engine.intents()}
    assert set(mexc.order_posts.values()) <= {1}
    assert not [intent for intent in intents.values() if intent.state in UNRESOLVED]
    for order in mexc.orders:
        assert order.client_order_id in intents
        booked = intents[order.client_order_id]
        assert (booked.execution.base_quantity, booked.execution.quote_amount) == (
            order.executed,
            order.spent,
        )
    told = await engine.alerts_of(TradeSettled)
    assert len(told) == sum(order.executed > 0 for order in mexc.orders)


async def test_a_drift_is_bought_back_and_told_with_mexcs_own_numbers(
    engine: Engine, mexc: FakeMexc
):
    account = await engine.open_account()

    await engine.until_quiet(account)

    [order] = mexc.orders
    [told] = await engine.alerts_of(TradeSettled)
    assert (told.side, told.base_quantity, told.quote_amount) == (
        Side.BUY,
        order.executed,
        order.spent,
    )
    assert told.fees is not None
    assert told.fees[USDT] == order.fee
    assert told.quote_after == usdt(mexc)
    assert account.settings.fixed_goal.band.holds(usdt(mexc))
    await the_invariants(engine, mexc)


async def test_a_shortfall_is_sold_for(engine: Engine, mexc: FakeMexc):
    mexc.ledger.accounts[API_KEY].of("USDT").free = D("12.5")
    account = await engine.open_account()

    await engine.until_quiet(account)

    assert [order.side for order in mexc.orders] == ["SELL"]
    assert account.settings.fixed_goal.band.holds(usdt(mexc))
    await the_invariants(engine, mexc)


async def test_a_check_that_holds_makes_one_request(engine: Engine, mexc: FakeMexc):
    mexc.ledger.accounts[API_KEY].of("USDT").free = D("40.5")
    account = await engine.open_account()
    await engine.check(account)  # the first one measures the clock as well
    before = mexc.requests.total()

    checked = await engine.check(account)

    assert checked.look.verdict == NoTrade(InsideBand())
    assert mexc.requests.total() == before + 1
    assert mexc.requests["GET", ACCOUNT] == 2


ANSWERS = {
    "connection cut": DROPPED,
    "cut in the middle": TRUNCATED,
    "502 html": BAD_GATEWAY,
    "503": refusal(503, "unavailable", status=503),
    "500 with a listed code": refusal(30004, status=500),
    "internal code": refusal(20002),
    "code nobody knows": refusal(424242),
    "200 html": Reply(body=b"<html>hello</html>", content_type="text/html"),
    "200 without an order id": json_reply({"symbol": "MNTLUSDT"}),
    "200 with an odd order id": json_reply({"orderId": None}),
    "429": Reply(status=429, headers={"Retry-After": "3"}),
    "418": Reply(status=418),
    "403 html": Reply(status=403, body=b"<html>", content_type="text/html"),
    "redirect": Reply(status=302, headers={"location": "/elsewhere"}),
}


@pytest.mark.parametrize("executes", [True, False], ids=["executed", "not executed"])
@pytest.mark.parametrize("answer", sampled(ANSWERS, every=4))
async def test_whatever_mexc_answers_an_order_is_sent_once_and_the_drift_traded_once(
    engine: Engine, mexc: FakeMexc, answer: Reply, executes: bool
):
    mexc.inject(Fault("POST", ORDER, reply=answer, executes=executes))
    account = await engine.open_account()

    await engine.until_quiet(account)

    assert len(mexc.orders) == 1
    assert mexc.order_posts.total() == (1 if executes else 2)
    assert account.settings.fixed_goal.band.holds(usdt(mexc))
    await the_invariants(engine, mexc)
    assert (await engine.told())[0] == "OrderUnclear"
    [told] = await engine.alerts_of(TradeSettled)
    assert told.late is executes


@pytest.mark.parametrize("executes", [True, False], ids=["executed", "not executed"])
async def test_an_answer_that_never_comes_is_looked_up(
    engine: Engine, mexc: FakeMexc, executes: bool
):
    mexc.inject(Fault("POST", ORDER, hang=True, executes=executes))
    account = await engine.open_account()

    await engine.until_quiet(account)

    assert len(mexc.orders) == 1
    await the_invariants(engine, mexc)


async def test_look_ups_and_balances_that_lag_cost_nothing_but_time(
    engine: Engine, mexc: FakeMexc
):
    mexc.ledger.invisible_for = timedelta(seconds=3)
    mexc.ledger.stale_for = timedelta(seconds=8)
    account = await engine.open_account()

    await engine.until_quiet(account)

    assert len(mexc.orders) == 1
    await the_invariants(engine, mexc)


async def test_a_lost_answer_with_lagging_look_ups_is_not_repeated(engine: Engine, mexc: FakeMexc):
    mexc.ledger.invisible_for = timedelta(seconds=9)
    mexc.inject(Fault("POST", ORDER, reply=DROPPED, executes=True))
    account = await engine.open_account()

    await engine.until_quiet(account)

    assert len(mexc.orders) == 1
    await the_invariants(engine, mexc)


async def test_a_look_up_hidden_once_after_the_window_is_asked_again(
    engine: Engine, mexc: FakeMexc
):
    mexc.ledger.invisible_lookups = 1
    mexc.inject(Fault("POST", ORDER, reply=BAD_GATEWAY, executes=True))
    account = await engine.open_account()
    await engine.check(account)
    await engine.wait(timedelta(seconds=12))

    await engine.until_quiet(account)

    assert len(mexc.orders) == 1
    await the_invariants(engine, mexc)


async def test_an_hour_without_look_ups_asks_for_a_person_once_and_ends_well(
    engine: Engine, mexc: FakeMexc, clock: FakeClock
):
    mexc.inject(Fault("POST", ORDER, reply=DROPPED, executes=True))
    away = mexc.inject(Fault("GET", ORDER, reply=BAD_GATEWAY, times=None))
    account = await engine.open_account()
    ends_at = clock.now() + timedelta(hours=1)
    while clock.now() < ends_at:
        checked = await engine.check(account)
        await engine.wait(checked.again_in or account.settings.interval)

    assert [i.state for i in await engine.intents()] == [OrderState.NEEDS_HUMAN]
    assert await engine.told() == ["OrderUnclear", "OrderNeedsPerson"]

    mexc.remove(away)
    await engine.until_quiet(account)

    assert len(await engine.alerts_of(OrderNeedsPerson)) == 1
    assert mexc.order_posts.total() == 1
    await the_invariants(engine, mexc)


async def test_a_thin_book_fills_in_part_and_the_rest_is_planned_afresh(
    engine: Engine, mexc: FakeMexc
):
    thin = mexc.add_pair(mntl(level_quantity="600"))
    account = await engine.open_account()
    await engine.check(account)

    [partial] = await engine.intents()
    assert partial.state is OrderState.PARTIAL
    assert partial.execution.base_quantity == 6000

    thin.asks = mntl().asks
    await engine.wait(account.settings.interval)
    await engine.until_quiet(account)

    assert [order.status for order in mexc.orders] == ["PARTIALLY_CANCELED", "FILLED"]
    assert account.settings.fixed_goal.band.holds(usdt(mexc))
    await the_invariants(engine, mexc)


async def test_nobody_within_five_per_cent_is_an_order_that_found_nobody(
    engine: Engine, mexc: FakeMexc
):
    pair = mexc.ledger.pairs["MNTLUSDT"]
    pair.asks = [(D("0.0022"), D(1_000_000))]
    account = await engine.open_account()

    await engine.check(account)

    assert [i.state for i in await engine.intents()] == [OrderState.UNFILLED]
    [told] = await engine.alerts_of(IncidentAlert)
    assert told.kind is IncidentKind.NOT_FILLED
    await the_invariants(engine, mexc)


async def test_balances_changed_in_the_app_are_a_refusal_and_then_a_new_plan(
    engine: Engine, mexc: FakeMexc
):
    stale = mexc.inject(Fault("POST", ORDER, reply=refusal(30004, "Insufficient position")))
    account = await engine.open_account()

    checked = await engine.check(account)

    assert stale.times == 0
    assert mexc.order_posts.total() == 1
    assert checked.again_in == engine.timing.error_backoff

    await engine.wait(engine.timing.error_backoff)
    await engine.until_quiet(account)

    assert await engine.told() == ["IncidentAlert", "TradeSettled", "IncidentResolved"]
    await the_invariants(engine, mexc)


async def test_a_clock_that_drifted_is_measured_again_and_the_order_sent_as_a_new_one(
    engine: Engine, mexc: FakeMexc
):
    account = await engine.open_account()
    mexc.ledger.accounts[API_KEY].of("USDT").free = D(40)
    await engine.check(account)
    mexc.ledger.accounts[API_KEY].of("USDT").free = D("57.10")
    # Reads allow 30 s, orders 5: only the order notices.
    mexc.clock_offset = timedelta(seconds=20)

    checked = await engine.check(account)

    assert isinstance(checked.look.verdict, OrderPlaced)
    assert [i.state for i in await engine.intents()] == [OrderState.DROPPED, OrderState.FILLED]
    assert set(mexc.order_posts.values()) == {1}
    # What this test put into the account is told once, though the check began anew.
    assert await engine.told() == ["DepositTraded", "TradeSettled"]
    await the_invariants(engine, mexc)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (10072, IncidentKind.KEY_REFUSED),
        (700002, IncidentKind.KEY_REFUSED),
        (700006, IncidentKind.ADDRESS_REFUSED),
        (700007, IncidentKind.MISSING_PERMISSION),
        (60005, IncidentKind.ACCOUNT_RESTRICTED),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", ACCOUNT), ("POST", ORDER)])
async def test_a_key_that_is_refused_pauses_the_account_at_once(
    engine: Engine, mexc: FakeMexc, code: int, kind: IncidentKind, method: str, path: str
):
    mexc.inject(Fault(method, path, reply=refusal(code), times=None))
    account = await engine.open_account()

    await engine.check(account)

    assert (await engine.account(account)).settings.paused
    [told] = await engine.alerts_of(IncidentAlert)
    assert (told.kind, told.paused) == (kind, True)
    assert not mexc.orders
    assert mexc.order_posts.total() <= 1


async def test_a_pair_closed_to_the_key_is_told_and_trading_stays_on(
    engine: Engine, mexc: FakeMexc
):
    mexc.ledger.accounts[API_KEY].pairs = frozenset({"BTCUSDT"})
    account = await engine.open_account()

    await engine.check(account)

    [told] = await engine.alerts_of(IncidentAlert)
    assert told.kind is IncidentKind.PAIR_UNAVAILABLE
    assert not (await engine.account(account)).settings.paused


async def test_silence_that_mexc_asked_for_is_kept(
    engine: Engine, mexc: FakeMexc, clock: FakeClock
):
    mexc.inject(Fault("GET", ACCOUNT, reply=Reply(status=429, headers={"Retry-After": "90"})))
    account = await engine.open_account()
    await engine.check(account)
    asked = mexc.requests.total()

    clock.shift(timedelta(seconds=60))
    await engine.check(account)

    assert mexc.requests.total() == asked

    clock.shift(timedelta(seconds=31))
    await engine.wait(timedelta())
    await engine.until_quiet(account)
    await engine.wait(timedelta(minutes=5))
    await engine.check(account)

    assert await engine.told() == ["IncidentAlert", "TradeSettled", "IncidentResolved"]


async def test_a_server_that_cannot_be_reached_is_sent_nothing_twice(
    engine: Engine, mexc: FakeMexc
):
    mexc.inject(Fault("GET", ACCOUNT, reply=DROPPED, times=5))
    account = await engine.open_account()
    for _ in range(5):
        await engine.check(account)
        await engine.wait(timedelta(minutes=1))
    await engine.until_quiet(account)
    await engine.wait(timedelta(minutes=5))
    await engine.check(account)

    assert await engine.told() == ["IncidentAlert", "TradeSettled", "IncidentResolved"]
    await the_invariants(engine, mexc)


@pytest.mark.parametrize(
    "step",
    [
        *("commit 3", "committed 3"),  # the gate; then on the way to the socket
        *("write begins 4", "commit 4", "committed 4"),  # the order is real from here on
        *("write begins 5", "commit 5", "committed 5"),
    ],
)
async def test_killed_around_the_post_the_next_life_finds_the_order(
    sqlite: Database, clock: FakeClock, at_mexc: MexcExchange, mexc: FakeMexc, step: str
):
    dying = Engine(sqlite, clock, at_mexc, on_step=Fuse(step))
    account = await dying.open_account()
    with pytest.raises((Crash, BaseExceptionGroup)):
        await dying.check(account)
    engine = Engine(sqlite, clock, at_mexc, owner="next-life")
    await engine.lease_runs_out()
    await engine.claim()

    await engine.until_quiet(account)

    assert len(mexc.orders) == 1
    assert account.settings.fixed_goal.band.holds(usdt(mexc))
    await the_invariants(engine, mexc)


async def test_a_basket_is_traded_leg_by_leg_by_orders_with_a_bound(
    engine: Engine, mexc: FakeMexc
):
    for symbol, base in (("BTCUSDT", "BTC"), ("ETHUSDT", "ETH")):
        pair = mntl("2", base_precision=4, level_quantity="100")
        mexc.add_pair(replace(pair, symbol=symbol, base=base))
    funds = mexc.ledger.accounts[API_KEY]
    funds.of("BTC").free = D(150)
    account = await engine.open_account()
    account = await engine.change(
        account,
        target=Basket.of([(MNTL, 1), (Asset("BTC"), 1), (Asset("ETH"), 1), (USDT, 1)]),
        threshold=Threshold(relative=D("0.1")),
        execution=ExecutionMode.AUTO,
    )
    await engine.until_quiet(account)

    [told] = await engine.alerts_of(RunSettled)
    orders = [(order.symbol, order.side, order.kind) for order in mexc.orders]
    assert orders[0] == ("BTCUSDT", "SELL", "IMMEDIATE_OR_CANCEL")
    assert {side for _, side, _ in orders[1:]} <= {"BUY", "SELL"}
    assert set(mexc.order_posts.values()) == {1}
    assert told.turnover == sum(order.spent for order in mexc.orders)
    assert funds.of("ETH").free > 60
    assert told.left == ()
