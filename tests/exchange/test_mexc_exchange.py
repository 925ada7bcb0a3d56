"""One account at the (fake) MEXC: what a check costs, and whole orders from ticket to fees."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.clock import to_millis
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.orders.order import NOTHING, RECV_WINDOW, VISIBILITY_MARGIN, ClientOrderId, Fees
from engine.errors import (
    BadData,
    BelowMinimum,
    EngineError,
    InsufficientBalance,
    NoCounterpart,
    OrderNotFound,
    PairUnavailable,
    Rejected,
    Unavailable,
)
from engine.exchanges.interface import Exchange, OrderReport, OrderRequest
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.exchange import MexcExchange
from engine.exchanges.mexc.market_data import MexcMarket
from engine.security.credentials import Credentials
from tests.exchange.conftest import API_KEY
from tests.exchange.contract import ALL
from tests.fakes.clock import FakeClock
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_books import ALL_NEEDED

MNTL = Asset("MNTL")
MNTLUSDT = Symbol("MNTLUSDT")
ACCOUNT = ("GET", "/api/v3/account")


@pytest.fixture
async def exchange(mexc_client: MexcClient, credentials: Credentials) -> Exchange:
    exchange = MexcExchange(mexc_client, credentials, MexcMarket(mexc_client))
    await exchange.resync()
    return exchange


def ticket(
    exchange: Exchange, amount: str, *, side: Side = Side.BUY, number: int = 1
) -> OrderRequest:
    return OrderRequest(
        client_order_id=ClientOrderId(f"bl-{number}"),
        symbol=MNTLUSDT,
        side=side,
        quote_amount=Decimal(amount) if side is Side.BUY else None,
        base_quantity=Decimal(amount) if side is Side.SELL else None,
        sent_at=exchange.time(),
    )


async def test_a_check_is_exactly_one_request(mexc: FakeMexc, exchange: Exchange):
    mexc.requests.clear()
    mexc.deposit(API_KEY, "USDT", Decimal("0.123456789012345678"))

    held = await exchange.holdings()

    assert held.of(USDT).free == Decimal("50.123456789012345678")
    assert mexc.requests == {ACCOUNT: 1}


async def test_coins_in_open_orders_are_locked(mexc: FakeMexc, exchange: Exchange):
    mexc.ledger.accounts[API_KEY].of("MNTL").locked = Decimal(7)

    assert (await exchange.holdings()).of(MNTL).locked == 7


async def test_a_buy_spends_up_to_five_percent_less_and_pays_its_fee_in_usdt(
    mexc: FakeMexc, exchange: Exchange
):
    order_id = await exchange.place(ticket(exchange, "10"))
    report = await exchange.order(MNTLUSDT, ClientOrderId("bl-1"))
    fees = await exchange.fees(MNTLUSDT, order_id, **ALL)
    held = await exchange.holdings()

    assert (report.is_final, report.complete, report.exchange_order_id) == (True, True, order_id)
    # floor(10 / 0.0021) at the best ask of 0.002002
    assert report.execution.base_quantity == 4761
    assert Decimal("9.5") <= report.execution.quote_amount <= 10
    assert fees.by_asset == {USDT: report.execution.quote_amount * Decimal("0.0005")}
    assert held.of(USDT).free == 50 - report.execution.quote_amount - fees.in_asset(USDT)
    assert held.of(MNTL).free == 20_000 + report.execution.base_quantity


async def a_buy_of_many_fills(mexc: FakeMexc, exchange: Exchange, fills: int) -> OrderReport:
    """Through a book of that many small offers; *sent_at* is about now."""
    asks = [(Decimal("0.002"), Decimal(100))] * fills
    mexc.ledger.pairs[MNTLUSDT].asks = asks
    await exchange.place(ticket(exchange, "45"))
    return await exchange.order(MNTLUSDT, ClientOrderId("bl-1"))


@pytest.mark.parametrize("fills", [99, 100, 101, 150])
async def test_the_fees_of_an_order_with_more_fills_than_a_page_are_all_counted(
    mexc: FakeMexc, exchange: Exchange, fills: int
):
    report = await a_buy_of_many_fills(mexc, exchange, fills)

    fees = await exchange.fees(
        MNTLUSDT,
        report.exchange_order_id,
        executed=report.execution.base_quantity,
        sent_at=exchange.time(),
    )

    assert len(mexc.orders[0].fills) == fills
    assert fees == Fees({USDT: report.execution.quote_amount * Decimal("0.0005")})
    assert mexc.requests["GET", "/api/v3/myTrades"] == (1 if fills <= 100 else 2)


async def test_fees_of_fills_that_are_not_shown_are_not_complete(
    mexc: FakeMexc, exchange: Exchange
):
    mexc.ledger.fills_shown = 120
    report = await a_buy_of_many_fills(mexc, exchange, 150)

    fees = await exchange.fees(
        MNTLUSDT,
        report.exchange_order_id,
        executed=report.execution.base_quantity,
        sent_at=exchange.time(),
    )

    assert not fees.complete
    assert ZERO < fees.in_asset(USDT) < report.execution.quote_amount * Decimal("0.0005")


async def test_a_sell_brings_what_the_bids_pay_less_its_fee(mexc: FakeMexc, exchange: Exchange):
    order_id = await exchange.place(ticket(exchange, "5000", side=Side.SELL))
    report = await exchange.order(MNTLUSDT, ClientOrderId("bl-1"))
    held = await exchange.holdings()

    assert report.execution.base_quantity == 5000
    assert report.execution.quote_amount == 5000 * Decimal("0.001998")
    assert held.of(USDT).free == 50 + report.execution.quote_amount * Decimal("0.9995")
    assert order_id.startswith("C02__")


async def test_a_book_out_of_reach_fills_nothing_and_that_is_no_error(
    mexc: FakeMexc, exchange: Exchange
):
    pair = mexc.ledger.pairs["MNTLUSDT"]
    pair.asks = [(pair.last * Decimal("1.06"), Decimal(100_000))]
    await exchange.place(ticket(exchange, "10"))
    report = await exchange.order(MNTLUSDT, ClientOrderId("bl-1"))

    assert (report.is_final, report.complete, report.execution) == (True, False, NOTHING)


async def test_a_thin_book_fills_in_part_and_stays_thinner(mexc: FakeMexc, exchange: Exchange):
    pair = mexc.ledger.pairs["MNTLUSDT"]
    pair.refills = False
    for side in (Side.BUY, Side.SELL):
        pair.asks = [(pair.last, Decimal(1000)), (pair.last * 2, Decimal(1))]
        pair.bids = [(pair.last, Decimal(1000)), (pair.last / 2, Decimal(1))]
        number = 1 if side is Side.BUY else 2
        amount = "10" if side is Side.BUY else "5000"
        await exchange.place(ticket(exchange, amount, side=side, number=number))
        report = await exchange.order(MNTLUSDT, ClientOrderId(f"bl-{number}"))

        assert (report.is_final, report.complete) == (True, False)
        assert report.execution.base_quantity == 1000
        assert len(pair.asks if side is Side.BUY else pair.bids) == 1


async def test_a_price_that_moved_changes_what_a_buy_gets(mexc: FakeMexc, exchange: Exchange):
    mexc.move_price("MNTLUSDT", Decimal(2))
    await exchange.place(ticket(exchange, "10"))
    report = await exchange.order(MNTLUSDT, ClientOrderId("bl-1"))

    assert report.execution.base_quantity == 2380


@pytest.mark.parametrize(
    ("amount", "side", "error"),
    [
        ("0.99", Side.BUY, BelowMinimum),
        ("100", Side.SELL, BelowMinimum),
        ("100001", Side.BUY, Rejected),
        ("50", Side.BUY, InsufficientBalance),
        ("20001", Side.SELL, InsufficientBalance),
        ("10.12345678", Side.BUY, Rejected),
        ("1000.5", Side.SELL, Rejected),
    ],
    ids=["small-buy", "small-sell", "huge", "no-fee-left", "oversold", "quote-scale", "scale"],
)
async def test_what_the_exchange_refuses_changes_nothing(
    mexc: FakeMexc, exchange: Exchange, amount: str, side: Side, error: type[EngineError]
):
    before = await exchange.holdings()
    with pytest.raises(error) as caught:
        await exchange.place(ticket(exchange, amount, side=side))

    assert caught.type is error
    assert (await exchange.holdings()).balances == before.balances


@pytest.mark.parametrize(
    "change",
    [
        {"api_allowed": False},
        {"status": "2"},
        {"order_types": ("LIMIT",)},
        {"side_type": 3},
    ],
    ids=range(4),
)
async def test_a_closed_pair_takes_no_order(
    mexc: FakeMexc, exchange: Exchange, change: dict[str, object]
):
    for name, value in change.items():
        setattr(mexc.ledger.pairs["MNTLUSDT"], name, value)

    with pytest.raises(PairUnavailable):
        await exchange.place(ticket(exchange, "10"))


async def test_a_pair_closed_to_this_key_takes_no_order(mexc: FakeMexc, exchange: Exchange):
    mexc.ledger.accounts[API_KEY].pairs = frozenset({"BTCUSDT"})

    with pytest.raises(PairUnavailable):
        await exchange.place(ticket(exchange, "10"))


async def test_an_empty_side_has_no_counterpart(mexc: FakeMexc, exchange: Exchange):
    mexc.ledger.pairs["MNTLUSDT"].asks = []

    with pytest.raises(NoCounterpart):
        await exchange.place(ticket(exchange, "10"))


async def test_an_order_may_be_invisible_for_a_while(
    mexc: FakeMexc, exchange: Exchange, clock: FakeClock
):
    mexc.ledger.invisible_lookups = 1
    mexc.ledger.invisible_for = timedelta(seconds=2)
    order_id = await exchange.place(ticket(exchange, "10"))
    for _ in range(2):
        with pytest.raises(OrderNotFound):
            await exchange.order(MNTLUSDT, ClientOrderId("bl-1"))
    assert await exchange.fees(MNTLUSDT, order_id, **ALL) == Fees({}, complete=False)
    clock.shift(timedelta(seconds=2))

    report = await exchange.order(MNTLUSDT, ClientOrderId("bl-1"))

    assert report.is_final


async def test_the_history_is_asked_for_the_time_in_which_the_order_could_arrive(
    mexc: FakeMexc, exchange: Exchange, clock: FakeClock
):
    await exchange.place(ticket(exchange, "5", number=1))
    clock.shift(timedelta(minutes=1))
    second = ticket(exchange, "6", number=2)
    await exchange.place(second)
    clock.shift(timedelta(minutes=20))
    mexc.orders[0].client_order_id = None  # a trade by hand, a minute before

    report = await exchange.order_in_history(
        MNTLUSDT, second.client_order_id, sent_at=second.sent_at
    )

    assert report == await exchange.order(MNTLUSDT, second.client_order_id)
    [asked] = [seen.query for seen in mexc.seen if seen.path == "/api/v3/allOrders"]
    start, end = int(asked["startTime"]), int(asked["endTime"])
    assert start == to_millis(second.sent_at) - 2000
    assert end == to_millis(second.sent_at + RECV_WINDOW + VISIBILITY_MARGIN)
    mexc.orders.pop()
    with pytest.raises(OrderNotFound):
        await exchange.order_in_history(MNTLUSDT, second.client_order_id, sent_at=second.sent_at)


async def test_a_trade_by_hand_in_the_same_seconds_leaves_the_history_undecided(
    mexc: FakeMexc, exchange: Exchange
):
    by_hand = ticket(exchange, "5")
    await exchange.place(by_hand)
    mexc.orders[0].client_order_id = None

    with pytest.raises(BadData):
        await exchange.order_in_history(MNTLUSDT, ClientOrderId("bl-9"), sent_at=by_hand.sent_at)


async def test_an_order_older_than_the_history_cannot_be_missing_from_it(
    mexc: FakeMexc, exchange: Exchange, clock: FakeClock
):
    sent_at = exchange.time()
    clock.shift(timedelta(days=7))

    with pytest.raises(Unavailable, match="older"):
        await exchange.order_in_history(MNTLUSDT, ClientOrderId("bl-1"), sent_at=sent_at)
    assert mexc.requests["GET", "/api/v3/allOrders"] == 0

    clock.shift(timedelta(hours=-1))
    with pytest.raises(OrderNotFound):
        await exchange.order_in_history(MNTLUSDT, ClientOrderId("bl-1"), sent_at=sent_at)


async def test_balances_may_be_stale_after_a_fill(
    mexc: FakeMexc, exchange: Exchange, clock: FakeClock
):
    mexc.ledger.stale_reads = 1
    mexc.ledger.stale_for = timedelta(seconds=1)
    await exchange.place(ticket(exchange, "10"))
    stale = [(await exchange.holdings()).of(USDT).free for _ in range(2)]
    clock.shift(timedelta(seconds=1))

    assert stale == [50, 50]
    assert (await exchange.holdings()).of(USDT).free < 41


async def test_an_order_of_another_account_is_not_found(
    mexc: FakeMexc, exchange: Exchange, mexc_client: MexcClient
):
    mexc.add_account("other", "secret", USDT="50")
    other = MexcExchange(mexc_client, Credentials("other", "secret"), MexcMarket(mexc_client))
    await other.place(ticket(exchange, "10"))

    with pytest.raises(OrderNotFound):
        await exchange.order(MNTLUSDT, ClientOrderId("bl-1"))
    assert mexc.order_posts == {"bl-1": 1}
    assert [order.api_key for order in mexc.orders] == ["other"]


async def test_a_missing_permission_is_told(mexc: FakeMexc, exchange: Exchange):
    mexc.ledger.accounts[API_KEY].permissions = ALL_NEEDED - {"SPOT_DEAL_WRITE"}

    with pytest.raises(Rejected, match="700007"):
        await exchange.place(ticket(exchange, "10"))
