"""An order whose outcome is not known: looked up until it is, never repeated."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.account import Account
from engine.domain.alerts.alerts import (
    OrderNeedsPerson,
    OrderNeverArrived,
    OrderUnclear,
    TradeSettled,
)
from engine.domain.market.pairs import Side
from engine.domain.orders.order import (
    MISS_SPACING,
    NEEDS_HUMAN_AFTER,
    RECV_WINDOW,
    UNRESOLVED,
    VISIBILITY_MARGIN,
    Order,
    OrderState,
)
from engine.domain.rebalancing.check_result import NoTrade, OrderPending
from engine.errors import (
    BadCredentials,
    BadData,
    DecryptionFailed,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)
from engine.exchanges.interface import Exchange
from engine.execution.executor import OrderExecutor
from engine.execution.reconciliation import OrderReconciler, next_look
from engine.storage.trading import orders
from engine.streaming.live_accounts import LiveAccounts
from tests import builders
from tests.engine.harness import Engine
from tests.fakes.clock import START, FakeClock
from tests.fakes.exchange import FakeExchange

D = Decimal
SECOND = timedelta(seconds=1)
WINDOW = RECV_WINDOW + VISIBILITY_MARGIN


async def after_a_lost_answer(engine: Engine, exchange: FakeExchange, *, executes: bool):
    """The account, right after an order of it left and no answer came."""
    exchange.go_wrong("place", OutcomeUnknown("ReadTimeout"), executes=executes)
    account = await engine.open_account()
    await engine.check(account)
    return account


async def the_order(engine: Engine) -> Order:
    [intent] = await engine.intents()
    return intent


async def test_an_order_that_was_executed_is_booked_late(engine: Engine, exchange: FakeExchange):
    account = await after_a_lost_answer(engine, exchange, executes=True)

    checked = await engine.check(account)

    intent = await the_order(engine)
    assert intent.state is OrderState.FILLED
    assert (intent.quote_before, intent.quote_after) == (D("57.10"), exchange.usdt)
    assert checked.look.verdict == OrderPending(intent.client_order_id)
    assert checked.again_in == SECOND
    unclear, settled = await engine.alerts()
    assert isinstance(unclear, OrderUnclear)
    assert isinstance(settled, TradeSettled)
    assert settled.late is True


async def test_not_found_proves_nothing_while_the_order_may_still_arrive(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=False)

    while clock.now() <= START + WINDOW:
        await engine.check(account)
        clock.shift(SECOND)

    intent = await the_order(engine)
    assert (intent.state, intent.misses) == (OrderState.UNKNOWN, 0)


async def test_an_order_that_never_arrived_is_told_and_planned_afresh(
    engine: Engine, exchange: FakeExchange
):
    account = await after_a_lost_answer(engine, exchange, executes=False)

    await engine.until_quiet(account)

    lost, traded = await engine.intents()
    assert (lost.state, lost.misses) == (OrderState.NOT_EXECUTED, 1)
    assert traded.state is OrderState.FILLED
    assert lost.client_order_id != traded.client_order_id
    assert list(exchange.ledger) == [traded.client_order_id]
    assert await engine.told() == ["OrderUnclear", "OrderNeverArrived", "TradeSettled"]
    assert await engine.alerts_of(OrderNeverArrived) == [
        OrderNeverArrived(
            dry_run=False, symbol=builders.MNTLUSDT, side=Side.BUY, expected_quote=D("17.10")
        )
    ]


async def test_an_order_that_arrives_just_inside_its_window_is_not_sent_again(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=False)
    await engine.check(account)
    clock.shift(RECV_WINDOW)
    await engine.check(account)
    exchange.arrive_late()

    await engine.until_quiet(account)

    assert exchange.calls["place"] == 1
    assert (await the_order(engine)).state is OrderState.FILLED


async def test_one_miss_is_not_enough_because_look_ups_lag(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=True)
    exchange.hidden_lookups = exchange.hidden_in_history = exchange.stale_reads = 1
    clock.shift(WINDOW + SECOND)

    await engine.check(account)

    intent = await the_order(engine)
    assert (intent.state, intent.misses, intent.missed_at) == (
        OrderState.UNKNOWN,
        1,
        clock.now(),
    )

    clock.shift(MISS_SPACING)
    await engine.check(account)

    assert (await the_order(engine)).state is OrderState.FILLED
    assert exchange.calls["place"] == 1


async def test_two_misses_in_one_breath_are_one(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=False)
    clock.shift(WINDOW + SECOND)

    for _ in range(5):
        await engine.check(account)
        clock.shift(MISS_SPACING / 5 - timedelta(milliseconds=1))

    assert (await the_order(engine)).misses == 1


async def test_the_window_is_measured_by_the_exchanges_clock(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    """Ours was set forward by a minute; for the exchange no time has passed."""
    account = await after_a_lost_answer(engine, exchange, executes=False)
    clock.shift(timedelta(minutes=1))
    exchange.offset = timedelta(minutes=-1)

    for _ in range(3):
        await engine.check(account)
        clock.shift(SECOND * 3)
        exchange.offset -= SECOND * 3

    assert (await the_order(engine)).misses == 0


async def test_balances_that_moved_as_if_filled_outweigh_a_look_up_that_finds_nothing(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=True)
    exchange.hidden_lookups = exchange.hidden_in_history = 1000

    for _ in range(60):
        await engine.check(account)
        clock.shift(timedelta(seconds=20))

    assert (await the_order(engine)).state is OrderState.NEEDS_HUMAN
    assert exchange.calls["place"] == 1
    assert await engine.told() == ["OrderUnclear", "OrderNeedsPerson"]


async def test_usdt_moved_by_hand_is_no_doubt_for_ever_where_the_token_did_not_move(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=False)
    exchange.usdt -= Decimal("17.10")  # what the lost order would have spent
    states = []
    for _ in range(33):
        await engine.check(account)
        states.append((await the_order(engine)).state)
        clock.shift(timedelta(seconds=20))

    assert set(states[:30]) == {OrderState.UNKNOWN}
    assert states[-1] is OrderState.NOT_EXECUTED
    assert await engine.told() == ["OrderUnclear", "OrderNeverArrived"]


async def test_a_token_that_moved_at_all_keeps_the_doubt_that_moved_usdt_raises(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=False)
    exchange.usdt -= Decimal("17.10")
    exchange.mntl -= 1
    for _ in range(50):
        await engine.check(account)
        clock.shift(timedelta(seconds=20))

    assert (await the_order(engine)).state is OrderState.NEEDS_HUMAN


async def test_balances_that_cannot_be_read_conclude_nothing(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=True)
    exchange.hidden_lookups = exchange.hidden_in_history = 4
    clock.shift(WINDOW + SECOND)
    exchange.go_wrong("holdings", BadData("html"), times=2)

    for _ in range(4):
        await engine.check(account)
        clock.shift(MISS_SPACING)

    assert (await the_order(engine)).state is OrderState.UNKNOWN


async def test_an_order_that_its_id_does_not_find_may_stand_in_the_history(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=True)
    exchange.hidden_lookups = 1000
    clock.shift(WINDOW + SECOND)

    await engine.check(account)

    assert (await the_order(engine)).state is OrderState.FILLED
    assert await engine.told() == ["OrderUnclear", "TradeSettled"]


async def test_an_order_still_open_in_the_history_exists(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=True)
    exchange.hidden_lookups, exchange.open_lookups = 1, 1
    clock.shift(WINDOW + SECOND)

    await engine.check(account)

    assert (await the_order(engine)).state is OrderState.ACKED


async def test_the_history_is_not_asked_while_the_order_may_still_arrive(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=False)
    clock.shift(WINDOW)

    await engine.check(account)

    assert exchange.calls["order_in_history"] == 0


async def test_a_miss_counts_only_with_balances_as_before_each_time(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=False)
    clock.shift(WINDOW + SECOND)
    exchange.mntl += 1  # somebody moves coins, and takes them back later
    await engine.check(account)
    exchange.mntl -= 1

    assert (await the_order(engine)).misses == 0

    clock.shift(MISS_SPACING)
    await engine.check(account)

    assert (await the_order(engine)).misses == 1


NO_INFORMATION = [
    Unavailable("away"),
    BadData("html"),
    RateLimited("429", retry_after=60),
    BadCredentials(code=10072, message="Api key info invalid"),
]


@pytest.mark.parametrize("error", NO_INFORMATION)
async def test_a_look_up_that_fails_is_no_information(
    engine: Engine, exchange: FakeExchange, clock: FakeClock, error: Exception
):
    account = await after_a_lost_answer(engine, exchange, executes=False)
    clock.shift(WINDOW + SECOND)
    exchange.go_wrong("order", error, times=5)

    for _ in range(5):
        await engine.check(account)
        clock.shift(MISS_SPACING)

    intent = await the_order(engine)
    assert (intent.state, intent.misses) == (OrderState.UNKNOWN, 0)


@pytest.mark.parametrize("error", NO_INFORMATION)
async def test_a_history_that_cannot_be_read_is_no_information(
    engine: Engine, exchange: FakeExchange, clock: FakeClock, error: Exception
):
    account = await after_a_lost_answer(engine, exchange, executes=False)
    clock.shift(WINDOW + SECOND)
    exchange.go_wrong("order_in_history", error, times=5)

    for _ in range(5):
        await engine.check(account)
        clock.shift(MISS_SPACING)

    intent = await the_order(engine)
    assert (intent.state, intent.misses) == (OrderState.UNKNOWN, 0)


async def test_an_hour_without_look_ups_is_told_twice_and_then_resolved(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=True)
    exchange.go_wrong("order", Unavailable("away"), times=1000)
    looked_up = exchange.calls["order"]
    ends_at = clock.now() + timedelta(hours=1)
    while clock.now() < ends_at:
        checked = await engine.check(account)
        clock.shift(checked.again_in or account.settings.interval)

    assert (await the_order(engine)).state is OrderState.NEEDS_HUMAN
    assert exchange.calls["place"] == 1
    assert exchange.calls["order"] - looked_up > 100
    assert await engine.told() == ["OrderUnclear", "OrderNeedsPerson"]

    exchange.forget_accidents("order")
    await engine.until_quiet(account)

    assert (await the_order(engine)).state is OrderState.FILLED
    assert await engine.told() == ["OrderUnclear", "OrderNeedsPerson", "TradeSettled"]
    assert exchange.calls["place"] == 1


async def test_a_person_is_asked_after_a_quarter_of_an_hour_not_before(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=True)
    exchange.go_wrong("order", Unavailable("away"), times=3)
    clock.shift(NEEDS_HUMAN_AFTER - timedelta(milliseconds=1))
    await engine.check(account)

    assert (await the_order(engine)).state is OrderState.UNKNOWN

    clock.shift(timedelta(milliseconds=1))
    await engine.check(account)
    await engine.check(account)

    intent = await the_order(engine)
    assert intent.state is OrderState.NEEDS_HUMAN
    assert await engine.alerts_of(OrderNeedsPerson) == [
        OrderNeedsPerson(
            dry_run=False,
            symbol=builders.MNTLUSDT,
            side=Side.BUY,
            expected_quote=D("17.10"),
            client_order_id=intent.client_order_id,
        )
    ]


async def test_a_filled_order_under_an_unknown_status_is_booked_once_all_agrees_twice(
    engine: Engine, exchange: FakeExchange
):
    exchange.odd_status = "EXPIRED"
    account = await engine.open_account()

    await engine.check(account)
    await engine.check(account)

    intent = await the_order(engine)
    assert intent.state is OrderState.FILLED
    assert exchange.calls["place"] == 1
    assert await engine.told() == ["TradeSettled"]


@pytest.mark.parametrize("lacking", ["quantity", "fills", "balances", "answers"])
async def test_an_unknown_status_that_not_all_bears_out_is_told_after_a_minute(
    engine: Engine, exchange: FakeExchange, clock: FakeClock, lacking: str
):
    exchange.odd_status = "EXPIRED"
    if lacking == "quantity":
        exchange.fills = D("0.5")
    exchange.late_fills = 1000 if lacking == "fills" else 0
    exchange.stale_reads = 1000 if lacking == "balances" else 0
    account = await engine.open_account()
    await engine.check(account)
    if lacking == "answers":
        exchange.go_wrong("holdings", Unavailable("away"), times=1000)

    while clock.now() < (await the_order(engine)).created_at + timedelta(seconds=55):
        await engine.check(account)
        clock.shift(10 * SECOND)
    before = await engine.told()
    clock.shift(20 * SECOND)
    await engine.check(account)

    intent = await the_order(engine)
    [asked] = await engine.alerts_of(OrderNeedsPerson)
    assert before == []
    assert intent.state is OrderState.NEEDS_HUMAN
    assert (asked.status, asked.base_quantity > 0) == ("EXPIRED", True)
    assert exchange.calls["place"] == 1


async def test_an_order_whose_status_is_known_again_is_booked_without_its_person(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    exchange.odd_status, exchange.late_fills = "EXPIRED", 1000
    account = await engine.open_account()
    for _ in range(12):
        await engine.check(account)
        clock.shift(10 * SECOND)
    exchange.odd_status, exchange.late_fills = "", 0

    await engine.check(account)

    assert (await the_order(engine)).state is OrderState.FILLED
    assert await engine.told() == ["OrderNeedsPerson", "TradeSettled"]


async def test_an_order_that_needed_a_person_may_turn_out_never_to_have_arrived(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=False)
    exchange.go_wrong("order", Unavailable("away"))
    clock.shift(NEEDS_HUMAN_AFTER)

    await engine.until_quiet(account)

    assert [i.state for i in await engine.intents()] == [
        OrderState.NOT_EXECUTED,
        OrderState.FILLED,
    ]


async def test_an_order_caught_between_the_gate_and_its_answer_is_unclear(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await put(engine, builders.intent(state=OrderState.SENDING, sent_at=START))

    await engine.check(account)

    intent = await the_order(engine)
    assert intent.state is OrderState.UNKNOWN
    assert intent.error == "stopped while the order was being sent"
    assert await engine.told() == ["OrderUnclear"]
    assert exchange.calls["place"] == 0


async def test_an_accepted_order_is_never_declared_missing(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await engine.open_account()
    await put(
        engine, builders.intent(state=OrderState.ACKED, sent_at=START, exchange_order_id="E1")
    )

    for _ in range(60):
        await engine.check(account)
        clock.shift(timedelta(minutes=1))

    assert (await the_order(engine)).state is OrderState.NEEDS_HUMAN
    assert await engine.told() == ["OrderNeedsPerson"]
    assert exchange.calls["place"] == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (OrderState.UNKNOWN, OrderState.ACKED),
        (OrderState.NEEDS_HUMAN, OrderState.NEEDS_HUMAN),
    ],
)
async def test_an_order_once_seen_open_exists_even_if_it_cannot_be_found_later(
    engine: Engine,
    exchange: FakeExchange,
    clock: FakeClock,
    before: OrderState,
    after: OrderState,
):
    account = await after_a_lost_answer(engine, exchange, executes=True)
    if before is OrderState.NEEDS_HUMAN:
        exchange.go_wrong("order", Unavailable("away"))
        clock.shift(NEEDS_HUMAN_AFTER)
        await engine.check(account)
    exchange.open_lookups = 1

    await engine.check(account)

    intent = await the_order(engine)
    assert (intent.state, intent.exchange_order_id) == (after, "E1")

    exchange.hidden_lookups = 10
    exchange.usdt, exchange.mntl = D("57.10"), D(100_000)  # a balance that lags behind
    for _ in range(8):
        clock.shift(WINDOW)
        await engine.check(account)

    assert (await the_order(engine)).state is after
    assert exchange.calls["place"] == 1


async def test_an_accepted_order_that_stays_open_is_booked_when_it_is_over(
    engine: Engine, exchange: FakeExchange
):
    exchange.open_lookups = 40
    account = await engine.open_account()

    await engine.until_quiet(account)

    assert [i.state for i in await engine.intents()] == [OrderState.FILLED]
    assert len(await engine.alerts_of(TradeSettled)) == 1


async def test_an_order_that_found_nobody_may_be_learned_of_late(
    engine: Engine, exchange: FakeExchange
):
    exchange.fills = D(0)
    account = await after_a_lost_answer(engine, exchange, executes=True)

    await engine.check(account)

    assert (await the_order(engine)).state is OrderState.UNFILLED
    assert await engine.told() == ["OrderUnclear", "IncidentAlert"]


async def test_a_paused_account_still_learns_what_became_of_its_order(
    engine: Engine, exchange: FakeExchange
):
    account = await after_a_lost_answer(engine, exchange, executes=True)
    await engine.change(account, paused=True)

    await engine.check(account)

    assert (await the_order(engine)).state is OrderState.FILLED


@pytest.mark.parametrize("state", sorted(set(OrderState) - UNRESOLVED, key=str))
async def test_there_is_nothing_to_find_out_about_an_order_that_is_over_or_never_left(
    engine: Engine, exchange: FakeExchange, clock: FakeClock, state: OrderState
):
    executor = OrderExecutor(
        database=engine.database,
        clock=clock,
        timing=engine.timing,
        owner="worker-a",
        live=LiveAccounts(clock),
    )
    resolver = OrderReconciler(database=engine.database, clock=clock, executor=executor)
    intent = builders.intent(state=state)

    resolved = await resolver.resolve(intent, account=builders.account(), exchange=exchange)

    assert resolved is intent
    assert not exchange.calls


async def test_after_it_is_resolved_the_account_is_checked_afresh_at_once(
    engine: Engine, exchange: FakeExchange
):
    account = await after_a_lost_answer(engine, exchange, executes=True)

    looks = await engine.until_quiet(account)

    assert [type(look.verdict) for look in looks] == [OrderPending, NoTrade]


@pytest.mark.parametrize(("waited", "again_in"), [(0, 2), (8, 2), (40, 10), (120, 30), (3600, 30)])
def test_look_ups_come_soon_at_first_and_every_half_minute_later(waited: int, again_in: int):
    intent = builders.intent(state=OrderState.UNKNOWN, sent_at=START)

    again = next_look(intent, now=START + waited * SECOND)

    assert again == again_in * SECOND


def test_an_order_without_a_time_stamp_counts_from_its_creation():
    intent = builders.intent(created_at=START)

    assert next_look(intent, now=START + 40 * SECOND) == 10 * SECOND


async def put(engine: Engine, intent: Order) -> None:
    async with engine.database.writing() as session:
        await orders.add(session, intent)


async def test_an_unclear_order_whose_key_cannot_be_opened_asks_for_the_person_too(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await after_a_lost_answer(engine, exchange, executes=True)

    def sealed_shut(_: Account) -> Exchange:
        raise DecryptionFailed("none of our keys opens it")

    engine.checker.exchange_for = sealed_shut
    clock.shift(NEEDS_HUMAN_AFTER)
    await engine.check(account)

    assert (await the_order(engine)).state is OrderState.NEEDS_HUMAN
    assert await engine.told() == ["OrderUnclear", "OrderNeedsPerson", "IncidentAlert"]


async def test_an_order_is_looked_up_where_it_went_whatever_the_account_uses_by_now(
    engine: Engine, exchange: FakeExchange
):
    account = await after_a_lost_answer(engine, exchange, executes=True)
    asked: list[bool] = []

    def remembering(account: Account) -> Exchange:
        asked.append(account.settings.dry_run)
        return exchange

    engine.checker.exchange_for = remembering
    await engine.change(account, dry_run=True)
    await engine.check(account)

    assert asked == [False]
    assert (await the_order(engine)).state is OrderState.FILLED
