"""POST /order: exactly one request, and the right verdict for everything that can come of it."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.market.pairs import Side, Symbol
from engine.domain.orders.order import ClientOrderId
from engine.errors import (
    BadCredentials,
    ClockRefused,
    EngineError,
    InsufficientBalance,
    OutcomeUnknown,
    PairUnavailable,
    RateLimited,
    Rejected,
    Unavailable,
)
from engine.exchanges.interface import OrderRequest
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.exchange import MexcExchange, market_order
from engine.exchanges.mexc.market_data import MexcMarket
from engine.exchanges.rate_limiter import Priority, RateLimiter
from engine.security.credentials import Credentials
from tests.exchange.conftest import API_KEY, API_SECRET
from tests.fakes.clock import FakeClock
from tests.fakes.http import Reply
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_faults import BAD_GATEWAY, DROPPED, TRUNCATED, Fault, json_reply, refusal

ORDER = "/api/v3/order"
MNTLUSDT = Symbol("MNTLUSDT")
OUR_ID = ClientOrderId("bl-order-1")


@pytest.fixture
async def exchange(mexc_client: MexcClient, credentials: Credentials) -> MexcExchange:
    exchange = MexcExchange(mexc_client, credentials, MexcMarket(mexc_client))
    await exchange.resync()
    return exchange


def buy(exchange: MexcExchange, quote: str = "10") -> OrderRequest:
    return OrderRequest(
        client_order_id=OUR_ID,
        symbol=MNTLUSDT,
        side=Side.BUY,
        quote_amount=Decimal(quote),
        base_quantity=None,
        sent_at=exchange.time(),
    )


UNCLEAR = [
    ("dropped", DROPPED),
    ("truncated", TRUNCATED),
    ("502-html", BAD_GATEWAY),
    ("500", refusal(500, status=500)),
    ("503-with-a-listed-code", refusal(30004, status=503)),
    ("internal-20002", refusal(20002)),
    ("internal-730000", refusal(730000)),
    ("unlisted-code", refusal(424242)),
    ("not-found-code", refusal(-2013)),
    ("listed-code-with-200", refusal(30004, status=200)),
    ("400-without-json", Reply(status=400, body=b"Bad Request")),
    ("400-without-code", json_reply({"msg": "no"}, status=400)),
    ("401-html", Reply(status=401, body=b"<html>")),
    ("404-html", Reply(status=404, body=b"<html>")),
    ("302", Reply(status=302, headers={"location": "/elsewhere"})),
    ("200-html", Reply(body=b"<html>hello</html>", content_type="text/html")),
    ("200-without-order-id", json_reply({"symbol": "MNTLUSDT"})),
    ("200-with-odd-order-id", json_reply({"orderId": None})),
    ("200-list", json_reply([])),
    ("200-nesting", Reply(body=b"[" * 100_000)),
    ("200-too-long", Reply(body=b" " * 1_100_000)),
    ("200-bad-gzip", Reply(headers={"content-encoding": "gzip"})),
    ("429", refusal(429, status=429)),
    ("418", refusal(418, status=418)),
    ("403-html", Reply(status=403, body=b"<HTML>Access Denied")),
    ("429-with-a-listed-code", refusal(30004, status=429)),
]


@pytest.mark.parametrize("executes", [True, False], ids=["executed", "not-executed"])
@pytest.mark.parametrize("reply", [r for _, r in UNCLEAR], ids=[name for name, _ in UNCLEAR])
async def test_whatever_is_not_a_clear_answer_leaves_the_outcome_unknown(
    mexc: FakeMexc, exchange: MexcExchange, reply: Reply, executes: bool
):
    mexc.inject(Fault("POST", ORDER, reply=reply, executes=executes))
    with pytest.raises(OutcomeUnknown, match=OUR_ID):
        await exchange.place(buy(exchange))

    assert mexc.order_posts == {OUR_ID: 1}
    assert len(mexc.orders) == int(executes)


async def test_an_answer_that_never_comes_leaves_the_outcome_unknown(
    mexc: FakeMexc, exchange: MexcExchange
):
    mexc.inject(Fault("POST", ORDER, hang=True, executes=True))
    with pytest.raises(OutcomeUnknown):
        await exchange.place(buy(exchange))

    assert mexc.order_posts == {OUR_ID: 1}


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal(30004), InsufficientBalance),
        (refusal(700003), ClockRefused),
        (refusal(700002), BadCredentials),
        (refusal(10007), PairUnavailable),
        (refusal(400, " amount scale is invalid"), Rejected),
        (refusal(401, "No authority", status=401), BadCredentials),
        (refusal(70011, status=403), PairUnavailable),
    ],
    ids=range(7),
)
async def test_a_listed_refusal_is_definite(
    mexc: FakeMexc, exchange: MexcExchange, reply: Reply, error: type[EngineError]
):
    mexc.inject(Fault("POST", ORDER, reply=reply))
    with pytest.raises(error) as caught:
        await exchange.place(buy(exchange))

    assert caught.type is error
    assert mexc.order_posts == {OUR_ID: 1}


async def test_a_limit_met_by_an_order_silences_all_requests_too(
    mexc: FakeMexc, exchange: MexcExchange
):
    mexc.inject(Fault("POST", ORDER, reply=Reply(status=429, headers={"retry-after": "9"})))
    with pytest.raises(OutcomeUnknown):
        await exchange.place(buy(exchange))

    with pytest.raises(RateLimited) as silenced:
        await exchange.holdings()

    assert silenced.value.retry_after == 9


async def test_without_a_connection_nothing_left(exchange: MexcExchange, mexc_client: MexcClient):
    mexc_client._base_url = "http://127.0.0.1:1"

    with pytest.raises(Unavailable, match="cannot connect"):
        await exchange.place(buy(exchange))


async def test_while_blocked_nothing_left(
    mexc: FakeMexc, exchange: MexcExchange, budget: RateLimiter, clock: FakeClock
):
    budget.block_until(clock.now() + timedelta(minutes=1))
    with pytest.raises(RateLimited):
        await exchange.place(buy(exchange))

    assert mexc.order_posts == {}


async def test_an_order_whose_stamp_expired_in_the_line_never_leaves(
    mexc: FakeMexc, exchange: MexcExchange, budget: RateLimiter
):
    ticket = buy(exchange)
    async with budget.acquire(299, Priority.ORDER):
        pass
    with pytest.raises(Unavailable, match="expired"):
        await exchange.place(ticket)

    assert mexc.order_posts == {}


async def test_no_order_leaves_before_the_clock_is_known(
    mexc: FakeMexc, mexc_client: MexcClient, credentials: Credentials
):
    exchange = MexcExchange(mexc_client, credentials, MexcMarket(mexc_client))
    with pytest.raises(Unavailable, match="time"):
        await exchange.place(buy(exchange))

    assert mexc.requests.total() == 0


async def test_the_signature_carries_the_ticket_s_own_stamp(
    mexc: FakeMexc, exchange: MexcExchange, clock: FakeClock
):
    ticket = buy(exchange)
    clock.shift(timedelta(seconds=3))
    await exchange.place(ticket)

    query = mexc.seen[-1].query
    assert (query["timestamp"], query["recvWindow"]) == (str(1795348799800), "5000")
    assert mexc.seen[-1].body == b""


async def test_an_order_that_arrives_after_its_window_is_refused(
    mexc: FakeMexc, exchange: MexcExchange, clock: FakeClock
):
    ticket = buy(exchange)
    mexc.clock_offset = timedelta(seconds=6)
    with pytest.raises(ClockRefused):
        await exchange.place(ticket)

    assert mexc.orders == []


async def test_a_cancelled_send_stays_cancelled(mexc: FakeMexc, exchange: MexcExchange):
    mexc.inject(Fault("POST", ORDER, hang=True))
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(exchange.place(buy(exchange)))
        while not mexc.order_posts:
            await FakeClock().advance(timedelta())
        sending.cancel()

    assert sending.cancelled()
    assert mexc.order_posts == {OUR_ID: 1}


async def test_an_unclear_outcome_shows_no_secret(
    mexc: FakeMexc, exchange: MexcExchange, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    shown = []
    for _, reply in UNCLEAR[:-4]:
        mexc.inject(Fault("POST", ORDER, reply=reply))
        try:
            await exchange.place(buy(exchange))
        except OutcomeUnknown as e:
            shown += [str(e), repr(e), str(e.__cause__), repr(e.__cause__)]

    logged = "".join(str(vars(record)) for record in caplog.records)
    for text in (logged, "".join(shown)):
        assert ORDER in text or OUR_ID in text
        assert API_KEY not in text
        assert API_SECRET not in text
        assert "signature=" not in text


def test_a_ticket_names_exactly_the_amount_its_side_needs():
    def ticket(side: Side, quote: str | None, base: str | None) -> OrderRequest:
        return OrderRequest(
            client_order_id=OUR_ID,
            symbol=MNTLUSDT,
            side=side,
            quote_amount=Decimal(quote) if quote else None,
            base_quantity=Decimal(base) if base else None,
            sent_at=FakeClock().now(),
        )

    assert ("quoteOrderQty", "100") in market_order(ticket(Side.BUY, "1E+2", None))
    assert ("quantity", "0.00001") in market_order(ticket(Side.SELL, None, "1E-5"))
    for wrong in (ticket(Side.BUY, None, "1"), ticket(Side.SELL, "1", None)):
        with pytest.raises(ValueError, match="names"):
            market_order(wrong)
