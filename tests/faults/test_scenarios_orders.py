"""Scenarios 1 to 15: an order whose answer is lost, late, broken, or worse than hoped for.

In all of them Anna holds 57.10 USDT and wants 40: about 17.10 USDT of MNTL are bought once.
"""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

import pytest

from engine.domain.market.pairs import OrderType, Side
from engine.domain.orders.order import (
    RECV_WINDOW,
    VISIBILITY_MARGIN,
    Execution,
    Order,
    OrderState,
)
from tests.fakes.http import Reply
from tests.fakes.mexc_faults import BAD_GATEWAY, DROPPED, TRUNCATED, Fault, json_reply, refusal
from tests.fakes.telegram_server import TOKEN
from tests.faults.bench import ORDER, PEOPLE, Bench, Person
from tests.faults.invariants import broken_at_rest
from tests.sampling import sampled

HISTORY = "/api/v3/allOrders"
SYMBOL = "MNTLUSDT"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# Before it a look-up that finds nothing proves nothing.
IN_DOUBT = RECV_WINDOW + VISIBILITY_MARGIN
BAND = (Decimal(38), Decimal(42))

NO_ANSWER: dict[str, dict[str, Any]] = {
    "the connection breaks": {"reply": DROPPED},
    "nobody answers": {"hang": True},
}
SERVER_ERRORS: dict[str, Reply] = {
    **{
        f"a page with {status}": Reply(
            status=status, body=b"<html></html>", content_type="text/html"
        )
        for status in (500, 502, 503, 504)
    },
    # Where the status says "unknown", a code that says "refused" is not believed.
    "500 with a code": refusal(30004, "Insufficient position", status=500),
    "504 in JSON": json_reply({"code": 504, "msg": "backend response timeout"}, status=504),
}
NO_JSON: dict[str, Reply] = {
    "a page": Reply(body=b"<html>Just a moment...</html>", content_type="text/html"),
    "a page that claims to be JSON": Reply(body=b"<html>Just a moment...</html>"),
    "plain text": Reply(body=b"OK", content_type="text/plain"),
    "nothing": Reply(body=b""),
    "no text at all": Reply(body=b"\xff\xfe\x00\x80"),
    "a page with 400": Reply(status=400, body=b"<html>400</html>", content_type="text/html"),
}
CUT_OFF: dict[str, Reply] = {
    "before the body ends": TRUNCATED,
    "with its length right": Reply(body=TRUNCATED.body[:-1]),
    "gzip": Reply(body=b"\x1f\x8b\x08\x00", headers={"content-encoding": "gzip"}),
}
STRANGE: dict[str, Reply] = {
    "no orderId": json_reply({"symbol": SYMBOL}),
    "orderId is null": json_reply({"symbol": SYMBOL, "orderId": None}),
    "orderId is empty": json_reply({"symbol": SYMBOL, "orderId": ""}),
    "orderId is a list": json_reply({"symbol": SYMBOL, "orderId": ["C02__1"]}),
    "orderId is a fraction": json_reply({"symbol": SYMBOL, "orderId": 1.5}),
    "a list": json_reply([{"orderId": "C02__1"}]),
    "null": json_reply(None),
    "a code of success alone": json_reply({"code": 200, "msg": "success"}),
    "a refusal with 200": refusal(30004, "Insufficient position", status=200),
    "a code nobody knows": refusal(98765, "?"),
}


# The database has no part in it.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def anna(bench: Bench) -> Person:
    return bench.add_person(USDT="57.10", MNTL="100000")


@pytest.mark.parametrize("how", NO_ANSWER.values(), ids=NO_ANSWER)
async def test_01_a_post_that_timed_out_but_was_executed_is_found_and_booked_once(
    bench: Bench, anna: Person, how: dict[str, Any]
):
    async with _unclear(bench, anna, Fault("POST", ORDER, executes=True, **how)):
        await bench.pass_time(5 * MINUTE)

    await _is_booked_late(bench, anna)


@pytest.mark.parametrize("how", NO_ANSWER.values(), ids=NO_ANSWER)
async def test_02_a_post_that_never_arrived_is_given_up_past_its_window_and_planned_afresh(
    bench: Bench, anna: Person, how: dict[str, Any]
):
    async with _unclear(bench, anna, Fault("POST", ORDER, **how)):
        await bench.pass_time(5 * MINUTE)

    await _is_planned_afresh(bench, anna)


@pytest.mark.parametrize("lag", [timedelta(), VISIBILITY_MARGIN], ids=["at once", "with a lag"])
@ON_SQLITE
async def test_03_an_order_that_arrives_at_the_very_end_of_its_window_is_waited_for(
    bench: Bench, anna: Person, lag: timedelta
):
    bench.hold_orders_for = timedelta(seconds=4.8)
    bench.mexc.ledger.invisible_for = lag
    bench.mexc.ledger.stale_for = lag
    async with bench.life():
        await bench.connect(anna)
        await bench.turn()
        await bench.pass_time(timedelta(seconds=4.7))

        assert await _states(bench) == [OrderState.UNKNOWN]
        assert bench.mexc.orders == []

        await bench.pass_time(timedelta(seconds=0.1))

        assert len(bench.mexc.orders) == 1

        await bench.pass_time(5 * MINUTE)

    await _is_booked_late(bench, anna)


@ON_SQLITE
async def test_03_an_order_that_arrives_just_after_its_window_is_refused_and_planned_afresh(
    bench: Bench, anna: Person
):
    bench.hold_orders_for = timedelta(seconds=4.9)
    async with bench.life():
        await bench.connect(anna)
        await bench.turn()
        bench.hold_orders_for = None
        await bench.pass_time(5 * MINUTE)

    await _is_planned_afresh(bench, anna)


async def test_04_killed_after_the_gate_and_before_the_post_it_sends_one_order_in_its_next_life(
    bench: Bench, anna: Person
):
    await _dies(bench, anna, at=f"POST {ORDER} begins")

    assert await _states(bench) == [OrderState.SENDING]
    assert bench.order_posts == 0

    async with bench.life("second"):
        await bench.pass_time(5 * MINUTE)

    assert [(i.state, i.side) for i in await bench.intents()] == [
        (OrderState.NOT_EXECUTED, Side.BUY),
        (OrderState.FILLED, Side.BUY),
    ]
    assert await bench.told(anna) == ["unclear", "never", "filled"]
    await _is_on_target_after_one_order(bench, anna)


async def test_05_killed_after_the_post_and_before_writing_it_down_it_books_in_its_next_life(
    bench: Bench, anna: Person
):
    await _dies(bench, anna, at=f"POST {ORDER} ends")

    assert len(bench.mexc.orders) == 1
    assert await bench.told(anna) == []

    async with bench.life("second"):
        await bench.pass_time(5 * MINUTE)

    await _is_booked_late(bench, anna)


@ON_SQLITE
async def test_05_killed_after_the_post_of_an_order_with_a_bound_it_books_in_its_next_life(
    bench: Bench, anna: Person
):
    await _dies(bench, anna, "/execution auto", at=f"POST {ORDER} ends")

    async with bench.life("second"):
        await bench.pass_time(5 * MINUTE)

    (intent,) = await bench.intents()
    assert (intent.state, intent.order_type) == (OrderState.FILLED, OrderType.IOC)
    assert await bench.told(anna) == ["unclear", "filled"]
    assert abs(bench.usdt(anna) - 40) < Decimal("0.1")


@ON_SQLITE
@pytest.mark.parametrize("is_killed", [False, True], ids=["stopped", "killed"])
async def test_05_an_order_that_waits_ends_with_a_stop_and_after_a_kill_with_the_next_start(
    bench: Bench, anna: Person, is_killed: bool
):
    bench.mexc.deposit(anna.api_key, "USDT", Decimal("43.5") - bench.usdt(anna))
    async with bench.life() as life:
        await bench.connect(anna, "/execution maker")
        await bench.turn()
        (waits,) = bench.resting
        if is_killed:
            await life.kill()
    left = bench.resting
    bench.clock.shift(timedelta(minutes=10))
    async with bench.life("second"):
        await bench.pass_time(2 * MINUTE)

    assert waits.kind == "LIMIT_MAKER"
    assert left == ([waits] if is_killed else [])
    assert [order.status for order in bench.mexc.orders] == ["CANCELED", "FILLED"]
    assert "unclear" not in "".join(bench.texts(anna))
    assert await broken_at_rest(bench) == []


@ON_SQLITE
@pytest.mark.parametrize("when", ["begins", "ends"])
async def test_05_killed_at_its_cancellation_an_order_that_rests_is_gone_in_the_next_life(
    bench: Bench, anna: Person, when: str
):
    """The price has left its bound before it arrives."""
    bench.mexc.ledger.ioc_rests = True
    bench.meanwhile = lambda: bench.mexc.move_price(SYMBOL, Decimal("1.03"))
    await _dies(bench, anna, "/execution auto", at=f"DELETE {ORDER} {when}")

    async with bench.life("second"):
        await bench.pass_time(5 * MINUTE)

    assert await _states(bench) == [OrderState.UNFILLED, OrderState.FILLED]
    assert [intent.order_type for intent in await bench.intents()] == [
        *(OrderType.IOC, OrderType.MARKET)
    ]
    assert [order.status for order in bench.mexc.orders] == ["CANCELED", "FILLED"]
    assert (await bench.told(anna)).count("prices") == 1


@ON_SQLITE
@pytest.mark.parametrize("part", [0, 2500], ids=["NEW", "PARTIALLY_FILLED"])
async def test_05_an_order_with_a_bound_that_rests_is_cancelled_and_its_type_tried_after_a_week(
    bench: Bench, anna: Person, part: int
):
    """Nobody, or not enough, sells within its bound when it arrives."""
    pair, ledger = bench.mexc.ledger.pairs[SYMBOL], bench.mexc.ledger
    plenty, near = list(pair.asks), [(Decimal("0.002002"), Decimal(part))] if part else []
    ledger.ioc_rests = True
    bench.meanwhile = lambda: setattr(pair, "asks", [*near, (Decimal("0.0025"), Decimal(9))])
    async with bench.life():
        await bench.connect(anna, "/execution auto")
        sent_at = bench.clock.now()
        await bench.turn()
        (rested,) = await bench.intents()
        waited = bench.clock.now() - sent_at
        ledger.ioc_rests, pair.asks = False, plenty
        await bench.pass_time(5 * MINUTE)
        bench.clock.shift(timedelta(days=7))
        bench.mexc.deposit(anna.api_key, "USDT", Decimal(20))
        await bench.pass_time(5 * MINUTE)

    assert rested.state is (OrderState.PARTIAL if part else OrderState.UNFILLED)
    assert rested.execution.base_quantity == part
    assert 2 * SECOND <= waited < 6 * SECOND  # it rests for two, and the reads beside it wait too
    assert [(order.kind, order.status) for order in bench.mexc.orders] == [
        ("IMMEDIATE_OR_CANCEL", "PARTIALLY_CANCELED" if part else "CANCELED"),
        ("MARKET", "FILLED"),
        ("IMMEDIATE_OR_CANCEL", "FILLED"),
    ]
    assert (await bench.told(anna)).count("prices") == 1
    assert await broken_at_rest(bench) == []


@pytest.mark.parametrize("when", ["begins", "ends"])
async def test_06_killed_before_the_alert_was_sent_or_noted_as_sent_it_tells_in_its_next_life(
    bench: Bench, anna: Person, when: str
):
    await _dies(bench, anna, at=f"POST /bot{TOKEN}/sendMessage {when}")

    assert await _states(bench) == [OrderState.FILLED]
    assert [row.done_at for row in await bench.outbox()] == [None]

    async with bench.life("second"):
        await bench.pass_time(5 * MINUTE)

    heard = [text for text in bench.texts(anna) if "Bought 8,142 MNTL" in text]

    assert await bench.told(anna) == ["filled"]
    assert len(heard) == (1 if when == "begins" else 2)
    assert heard[-1].endswith("(repeat?)")  # nobody can know which it was
    await _is_on_target_after_one_order(bench, anna)


@pytest.mark.parametrize("reply", sampled(SERVER_ERRORS, every=3))
@ON_SQLITE
async def test_07_a_server_error_after_the_order_was_executed_is_no_refusal(
    bench: Bench, anna: Person, reply: Reply
):
    async with _unclear(bench, anna, Fault("POST", ORDER, reply=reply, executes=True)):
        await bench.pass_time(5 * MINUTE)

    await _is_booked_late(bench, anna)


@pytest.mark.parametrize("reply", sampled(SERVER_ERRORS, every=3))
@ON_SQLITE
async def test_08_a_server_error_instead_of_the_order_is_waited_out_and_planned_afresh(
    bench: Bench, anna: Person, reply: Reply
):
    async with _unclear(bench, anna, Fault("POST", ORDER, reply=reply)):
        await bench.pass_time(5 * MINUTE)

    await _is_planned_afresh(bench, anna)


@pytest.mark.parametrize("reply", sampled(NO_JSON, every=3))
@ON_SQLITE
async def test_09_an_answer_that_is_no_json_leaves_the_outcome_open(
    bench: Bench, anna: Person, reply: Reply, caplog: pytest.LogCaptureFixture
):
    async with _unclear(bench, anna, Fault("POST", ORDER, reply=reply, executes=True)):
        await bench.pass_time(5 * MINUTE)

    assert not [log for log in caplog.records if log.levelno >= logging.ERROR]
    await _is_booked_late(bench, anna)


@pytest.mark.parametrize("reply", sampled(CUT_OFF, every=3))
@ON_SQLITE
async def test_10_an_answer_that_is_cut_off_leaves_the_outcome_open(
    bench: Bench, anna: Person, reply: Reply
):
    async with _unclear(bench, anna, Fault("POST", ORDER, reply=reply, executes=True)):
        await bench.pass_time(5 * MINUTE)

    await _is_booked_late(bench, anna)


@pytest.mark.parametrize("reply", sampled(STRANGE, every=6))
@ON_SQLITE
async def test_11_an_answer_without_an_order_s_id_leaves_the_outcome_open_and_the_reason_written(
    bench: Bench, anna: Person, reply: Reply
):
    async with _unclear(bench, anna, Fault("POST", ORDER, reply=reply, executes=True)):
        await bench.pass_time(5 * MINUTE)
    (intent,) = await bench.intents()
    why = (intent.error or "").removeprefix(f"{intent.client_order_id}: ")

    assert "orderId" in why or "order" in why or f"HTTP {reply.status}, code" in why
    await _is_booked_late(bench, anna)


@ON_SQLITE
async def test_12_one_look_up_that_misses_is_not_believed(bench: Bench, anna: Person):
    """MEXC lags with the order and with the balances, so nothing gives the order away."""
    ledger = bench.mexc.ledger
    ledger.invisible_for = ledger.stale_for = HOUR
    async with _unclear(bench, anna, Fault("POST", ORDER, reply=DROPPED, executes=True)):
        missed = await _after_the_first_miss(bench)
        sent_at = missed.sent_at or missed.created_at

        assert (missed.state, missed.misses) == (OrderState.UNKNOWN, 1)
        assert bench.clock.now() - sent_at > IN_DOUBT

        bench.mexc.orders[0].visible_at = bench.clock.now()
        ledger.accounts[anna.api_key].shown = None
        await bench.pass_time(MINUTE)

    await _is_booked_late(bench, anna)


@ON_SQLITE
async def test_12_balances_that_moved_like_the_order_outweigh_any_number_of_misses(
    bench: Bench, anna: Person
):
    bench.mexc.ledger.invisible_for = 10 * MINUTE
    async with _unclear(bench, anna, Fault("POST", ORDER, reply=DROPPED, executes=True)):
        await bench.pass_time(9 * MINUTE)

        assert await _states(bench) == [OrderState.UNKNOWN]
        assert bench.mexc.requests["GET", ORDER] > 10

        await bench.pass_time(5 * MINUTE)

    await _is_booked_late(bench, anna)


@ON_SQLITE
async def test_13_an_order_that_cannot_be_looked_up_for_an_hour_stops_its_account_and_no_other(
    bench: Bench, anna: Person
):
    """Told at once and after a quarter of an hour, not every half minute."""
    mexc = bench.mexc
    outage = [Fault("GET", path, reply=BAD_GATEWAY, times=None) for path in (ORDER, HISTORY)]
    for fault in outage:
        mexc.inject(fault)
    async with _unclear(bench, anna, Fault("POST", ORDER, reply=DROPPED, executes=True)):
        mexc.deposit(anna.api_key, "USDT", Decimal(100))
        await bench.pass_time(HOUR)
        needs_person = bench.texts(anna)[-1]

        assert await _states(bench) == [OrderState.NEEDS_HUMAN]
        assert bench.order_posts == 1
        assert await bench.told(anna) == ["unclear", "person"]
        assert "I send nothing else until I know" in needs_person
        assert str(mexc.orders[0].client_order_id) in needs_person

        ben = bench.add_person(PEOPLE[1], USDT="57.10", MNTL="100000")
        await bench.connect(ben)
        await bench.pass_time(MINUTE)

        assert await bench.told(ben) == []  # fees come from another endpoint, the end does not

        for fault in outage:
            mexc.remove(fault)
        await bench.pass_time(10 * MINUTE)

    first_three, later = (await bench.told(anna))[:3], (await bench.told(anna))[3:]

    assert first_three == ["unclear", "person", "filled"]
    assert set(later) == {"filled"}
    assert await bench.told(ben) == ["filled"]
    assert all(BAND[0] <= bench.usdt(person) <= BAND[1] for person in (anna, ben))
    assert await broken_at_rest(bench) == []


@ON_SQLITE
async def test_14_a_thin_book_fills_a_part_and_the_rest_is_planned_from_what_is_left(
    bench: Bench, anna: Person
):
    pair = bench.mexc.ledger.pairs[SYMBOL]
    pair.asks, pair.refills = [(Decimal("0.002002"), Decimal(2500))], False
    async with bench.life():
        await bench.connect(anna)
        await bench.turn()
        (part,) = await bench.intents()

        assert part.state is OrderState.PARTIAL
        assert bench.mexc.orders[0].status == "PARTIALLY_CANCELED"
        assert part.execution == Execution(Decimal(2500), Decimal("5.005"))
        assert "Bought 2,500 MNTL" in bench.texts(anna)[-1]
        assert "Only part was filled." in bench.texts(anna)[-1]

        left = bench.usdt(anna)
        pair.asks = [(Decimal("0.002002"), Decimal(250_000))]
        await bench.pass_time(5 * MINUTE)

    rest = (await bench.intents())[1]

    assert await bench.told(anna) == ["partial", "filled"]
    assert rest.quote_before == left
    assert rest.quote_amount == (left - 40).quantize(Decimal("0.01"), ROUND_DOWN)
    assert BAND[0] <= bench.usdt(anna) <= BAND[1]
    assert await broken_at_rest(bench) == []


@ON_SQLITE
async def test_15_an_order_that_would_slip_too_far_is_not_sent_and_the_numbers_are_told(
    bench: Bench, anna: Person
):
    pair = bench.mexc.ledger.pairs[SYMBOL]
    usual = pair.asks
    pair.asks = [(Decimal("0.002002"), Decimal(100)), (Decimal("0.003"), Decimal(250_000))]
    async with bench.life():
        await bench.connect(anna)
        await bench.pass_time(10 * MINUTE)

        assert bench.order_posts == 0
        assert await bench.told(anna) == ["blocked"]
        assert "20%" in bench.texts(anna)[-1]
        assert "/limits price" in bench.texts(anna)[-1]

        pair.asks = usual
        await bench.pass_time(5 * MINUTE)

    assert await bench.told(anna) == ["blocked", "filled"]
    await _is_on_target_after_one_order(bench, anna)


@ON_SQLITE
async def test_15_a_fill_far_worse_than_the_price_that_was_seen_is_booked_and_pauses_trading(
    bench: Bench, anna: Person
):
    bench.meanwhile = lambda: bench.mexc.move_price(SYMBOL, Decimal("1.4"))
    async with bench.life():
        await bench.connect(anna)
        await bench.turn()
        bench.mexc.deposit(anna.api_key, "USDT", Decimal(100))
        await bench.pass_time(10 * MINUTE)

    account = await bench.account(anna)

    assert await bench.told(anna) == ["filled", "bad_fill"]
    assert "Trading is paused" in bench.texts(anna)[-1]
    assert account.settings.paused
    assert len(bench.mexc.orders) == 1
    assert await broken_at_rest(bench) == []


@asynccontextmanager
async def _unclear(bench: Bench, anna: Person, fault: Fault) -> AsyncGenerator[None]:
    """A life whose first order has just met *fault*: nobody knows whether it exists."""
    bench.mexc.inject(fault)
    async with bench.life():
        await bench.connect(anna)
        await bench.turn()

        assert await _states(bench) == [OrderState.UNKNOWN]
        assert await bench.told(anna) == ["unclear"]
        assert "It is not sent again" in bench.texts(anna)[-1]

        yield


async def _dies(bench: Bench, anna: Person, *commands: str, at: str) -> None:
    """The process that sends the first order is killed at that step."""
    life = await bench.start("first")
    await bench.connect(anna, *commands)
    life.fuse.at = at
    await bench.turn()

    assert life.fuse.blown

    await life.kill()


async def _states(bench: Bench) -> list[OrderState]:
    return [intent.state for intent in await bench.intents()]


async def _after_the_first_miss(bench: Bench) -> Order:
    for _ in range(60):
        await bench.pass_time(SECOND)
        (intent,) = await bench.intents()
        if intent.misses:
            return intent
    raise TimeoutError("no look-up missed")


async def _is_booked_late(bench: Bench, anna: Person) -> None:
    """The one order was found, booked with what it did, and told once."""
    (intent,) = await bench.intents()

    assert intent.state is OrderState.FILLED
    assert intent.client_order_id == bench.mexc.orders[0].client_order_id
    assert await bench.told(anna) == ["unclear", "filled"]
    assert "Confirmed late" in bench.texts(anna)[-1]
    assert "Bought 8,142 MNTL" in bench.texts(anna)[-1]
    await _is_on_target_after_one_order(bench, anna)


async def _is_planned_afresh(bench: Bench, anna: Person) -> None:
    """The lost order was given up no earlier than it may be, and a new one did its work."""
    lost, again = await bench.intents()

    assert (lost.state, again.state) == (OrderState.NOT_EXECUTED, OrderState.FILLED)
    assert lost.sent_at is not None
    assert lost.resolved_at is not None
    assert lost.resolved_at - lost.sent_at > IN_DOUBT
    assert again.created_at >= lost.resolved_at
    assert await bench.told(anna) == ["unclear", "never", "filled"]
    assert "No money moved" in bench.texts(anna)[-2]
    assert [order.client_order_id for order in bench.mexc.orders] == [again.client_order_id]
    await _is_on_target_after_one_order(bench, anna)


async def _is_on_target_after_one_order(bench: Bench, anna: Person) -> None:
    least, most = BAND

    assert len(bench.mexc.orders) == 1
    assert least <= bench.usdt(anna) <= most
    assert await broken_at_rest(bench) == []
