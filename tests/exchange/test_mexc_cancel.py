"""Orders with a price at MEXC, and DELETE /order: one request, whose answer proves nothing."""

from decimal import Decimal

import pytest

from engine.domain.market.pairs import USDT, OrderType, Side, Symbol
from engine.domain.orders.order import NOTHING, ClientOrderId, Fees
from engine.errors import (
    BadCredentials,
    ClockRefused,
    ClockUnsure,
    EngineError,
    OrderNotFound,
    OutcomeUnknown,
    PairUnavailable,
    PriceOutOfRange,
    RateLimited,
    Rejected,
    Unavailable,
)
from engine.exchanges.interface import OrderRequest
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.exchange import MexcExchange, order_params
from engine.exchanges.mexc.market_data import MexcMarket
from engine.security.credentials import Credentials
from tests.exchange.conftest import API_KEY, API_SECRET
from tests.exchange.test_mexc_orders import UNCLEAR
from tests.fakes.clock import FakeClock
from tests.fakes.http import Reply
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_faults import Fault, refusal

ORDER = "/api/v3/order"
MNTLUSDT = Symbol("MNTLUSDT")
OUR_ID = ClientOrderId("bl-rests-1")


@pytest.fixture
async def exchange(mexc_client: MexcClient, credentials: Credentials) -> MexcExchange:
    exchange = MexcExchange(mexc_client, credentials, MexcMarket(mexc_client))
    await exchange.resync()
    return exchange


@pytest.fixture
async def resting(exchange: MexcExchange) -> OrderRequest:
    ticket = priced(exchange)
    await exchange.place(ticket)
    return ticket


def priced(
    exchange: MexcExchange,
    order_type: OrderType = OrderType.LIMIT,
    *,
    quantity: str = "5000",
    price: str = "0.0019",
) -> OrderRequest:
    return OrderRequest(
        client_order_id=OUR_ID,
        symbol=MNTLUSDT,
        side=Side.BUY,
        quote_amount=None,
        base_quantity=Decimal(quantity),
        sent_at=exchange.time(),
        order_type=order_type,
        price=Decimal(price),
    )


def deletes(mexc: FakeMexc) -> int:
    return mexc.requests["DELETE", ORDER]


@pytest.mark.parametrize(
    ("order_type", "name"),
    [
        (OrderType.LIMIT, "LIMIT"),
        (OrderType.LIMIT_MAKER, "LIMIT_MAKER"),
        (OrderType.IOC, "IMMEDIATE_OR_CANCEL"),
    ],
)
def test_the_type_says_how_an_order_is_executed_and_no_time_in_force(
    order_type: OrderType, name: str
):
    ticket = OrderRequest(
        client_order_id=OUR_ID,
        symbol=MNTLUSDT,
        side=Side.SELL,
        quote_amount=None,
        base_quantity=Decimal("1E+4"),
        sent_at=FakeClock().now(),
        order_type=order_type,
        price=Decimal("1.990E-3"),
    )

    assert order_params(ticket) == [
        ("symbol", "MNTLUSDT"),
        ("side", "SELL"),
        ("type", name),
        ("quantity", "10000"),
        ("price", "0.00199"),
        ("newClientOrderId", OUR_ID),
    ]


@pytest.mark.parametrize(
    ("order_type", "quote", "base", "price"),
    [
        (OrderType.MARKET, "1", None, "0.002"),
        (OrderType.IOC, None, "1", None),
        (OrderType.IOC, "1", None, "0.002"),
        (OrderType.IOC, "1", "1", "0.002"),
    ],
)
def test_an_order_has_a_price_or_is_a_market_order(
    order_type: OrderType, quote: str | None, base: str | None, price: str | None
):
    quote_amount, base_quantity, at_price = (
        None if value is None else Decimal(value) for value in (quote, base, price)
    )
    with pytest.raises(ValueError, match="order"):
        OrderRequest(
            client_order_id=OUR_ID,
            symbol=MNTLUSDT,
            side=Side.BUY,
            quote_amount=quote_amount,
            base_quantity=base_quantity,
            sent_at=FakeClock().now(),
            order_type=order_type,
            price=at_price,
        )


async def test_a_cancellation_is_one_signed_request_by_our_own_id(
    mexc: FakeMexc, exchange: MexcExchange, resting: OrderRequest
):
    await exchange.cancel(MNTLUSDT, OUR_ID)

    query = mexc.seen[-1].query
    assert deletes(mexc) == 1
    assert mexc.seen[-1].body == b""
    assert (query["symbol"], query["origClientOrderId"]) == ("MNTLUSDT", OUR_ID)
    assert query["recvWindow"] == "5000"
    assert (await exchange.order(MNTLUSDT, OUR_ID)).is_final


@pytest.mark.parametrize("executes", [True, False], ids=["cancelled", "still-there"])
@pytest.mark.parametrize(
    "reply",
    [
        reply
        for name, reply in UNCLEAR
        if name
        not in {"not-found-code", "200-without-order-id", "200-with-odd-order-id", "200-list"}
    ],
)
async def test_whatever_is_not_a_clear_answer_leaves_the_cancellation_open(
    mexc: FakeMexc, exchange: MexcExchange, resting: OrderRequest, reply: Reply, executes: bool
):
    mexc.inject(Fault("DELETE", ORDER, reply=reply, executes=executes))
    with pytest.raises(OutcomeUnknown, match=OUR_ID):
        await exchange.cancel(MNTLUSDT, OUR_ID)

    assert deletes(mexc) == 1
    assert (mexc.orders[0].status == "CANCELED") is executes


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal(-2011, "Unknown order sent."), OrderNotFound),
        (refusal(-2013, "Order does not exist."), OrderNotFound),
        (refusal(700003), ClockRefused),
        (refusal(700002), BadCredentials),
        (refusal(30016), PairUnavailable),
        (refusal(700004), Rejected),
        (refusal(-2011, status=429), OutcomeUnknown),
    ],
    ids=range(7),
)
async def test_a_listed_refusal_of_a_cancellation_is_definite(
    mexc: FakeMexc,
    exchange: MexcExchange,
    resting: OrderRequest,
    reply: Reply,
    error: type[EngineError],
):
    mexc.inject(Fault("DELETE", ORDER, reply=reply))
    with pytest.raises(error) as caught:
        await exchange.cancel(MNTLUSDT, OUR_ID)

    assert caught.type is error
    assert deletes(mexc) == 1


@pytest.mark.parametrize("says_new", [False, True])
async def test_an_answer_is_not_read_for_the_state_of_the_order(
    mexc: FakeMexc, exchange: MexcExchange, resting: OrderRequest, says_new: bool
):
    mexc.cancelled_says_new = says_new
    await exchange.cancel(MNTLUSDT, OUR_ID)

    assert (await exchange.order(MNTLUSDT, OUR_ID)).is_final


async def test_a_partly_filled_order_that_is_cancelled_is_over_with_its_fills(
    mexc: FakeMexc, exchange: MexcExchange, resting: OrderRequest
):
    mexc.ledger.fill(mexc.orders[0], Decimal(2000))
    open_report = await exchange.order(MNTLUSDT, OUR_ID)
    await exchange.cancel(MNTLUSDT, OUR_ID)
    report = await exchange.order(MNTLUSDT, OUR_ID)
    sent_at = resting.sent_at
    fees = await exchange.fees(
        MNTLUSDT, report.exchange_order_id, executed=Decimal(2000), sent_at=sent_at
    )

    assert mexc.orders[0].status == "PARTIALLY_CANCELED"
    assert (open_report.is_final, report.is_final, report.complete) == (False, True, False)
    assert report.execution.base_quantity == open_report.execution.base_quantity == 2000
    assert fees == Fees({USDT: Decimal(0)})


async def test_an_order_that_was_filled_a_moment_ago_cannot_be_cancelled(
    mexc: FakeMexc, exchange: MexcExchange, resting: OrderRequest
):
    mexc.move_price("MNTLUSDT", Decimal("0.9"))
    with pytest.raises(OrderNotFound, match="-2011"):
        await exchange.cancel(MNTLUSDT, OUR_ID)

    report = await exchange.order(MNTLUSDT, OUR_ID)
    assert (report.is_final, report.complete) == (True, True)
    assert report.execution.quote_amount == 5000 * Decimal("0.0019")


async def test_an_ioc_that_is_not_honoured_is_found_resting(
    mexc: FakeMexc, exchange: MexcExchange
):
    mexc.ledger.ioc_rests = True
    await exchange.place(priced(exchange, OrderType.IOC))
    report = await exchange.order(MNTLUSDT, OUR_ID)
    await exchange.cancel(MNTLUSDT, OUR_ID)

    assert (report.is_final, report.execution) == (False, NOTHING)
    assert (await exchange.order(MNTLUSDT, OUR_ID)).is_final


async def test_a_maker_order_that_would_trade_is_refused_or_over_at_once(
    mexc: FakeMexc, exchange: MexcExchange
):
    ticket = priced(exchange, OrderType.LIMIT_MAKER, price="0.00201")
    with pytest.raises(Rejected):
        await exchange.place(ticket)
    mexc.ledger.refuses_crossing = False
    await exchange.place(ticket)
    report = await exchange.order(MNTLUSDT, OUR_ID)

    assert (report.is_final, report.execution) == (True, NOTHING)


async def test_a_pair_that_takes_no_ioc_says_so(mexc: FakeMexc, exchange: MexcExchange):
    mexc.ledger.pairs["MNTLUSDT"].ioc = False
    with pytest.raises(PairUnavailable) as refused:
        await exchange.place(priced(exchange, OrderType.IOC))

    assert refused.value.code == 30041


async def test_a_price_too_far_from_the_market_says_so(mexc: FakeMexc, exchange: MexcExchange):
    mexc.ledger.pairs["MNTLUSDT"].price_band = Decimal("0.01")
    with pytest.raises(PriceOutOfRange):
        await exchange.place(priced(exchange))

    assert mexc.orders == []


async def test_without_a_connection_or_a_known_clock_no_cancellation_leaves(
    mexc: FakeMexc, exchange: MexcExchange, mexc_client: MexcClient
):
    mexc_client.time.distrust()
    with pytest.raises(ClockUnsure):
        await exchange.cancel(MNTLUSDT, OUR_ID)
    await exchange.resync()
    mexc_client._base_url = "http://127.0.0.1:1"
    with pytest.raises(Unavailable, match="cannot connect"):
        await exchange.cancel(MNTLUSDT, OUR_ID)

    assert deletes(mexc) == 0


async def test_a_limit_met_by_a_cancellation_silences_all_requests(
    mexc: FakeMexc, exchange: MexcExchange, resting: OrderRequest
):
    mexc.inject(Fault("DELETE", ORDER, reply=Reply(status=429, headers={"retry-after": "9"})))
    with pytest.raises(OutcomeUnknown):
        await exchange.cancel(MNTLUSDT, OUR_ID)

    with pytest.raises(RateLimited):
        await exchange.cancel(MNTLUSDT, OUR_ID)


async def test_an_unclear_cancellation_shows_no_secret(
    mexc: FakeMexc, exchange: MexcExchange, resting: OrderRequest, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    mexc.inject(Fault("DELETE", ORDER, reply=refusal(424242, f"{API_KEY} {API_SECRET}")))
    with pytest.raises(OutcomeUnknown) as caught:
        await exchange.cancel(MNTLUSDT, OUR_ID)

    shown = f"{caught.value!r} {[vars(record) for record in caplog.records]}"
    assert API_KEY not in shown
    assert API_SECRET not in shown
    assert "signature=" not in shown
