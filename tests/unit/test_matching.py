from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.domain.market.order_book import OrderBook, PriceLevel
from engine.domain.market.pairs import USDT, Asset, OrderType, PairRules, Side, Symbol
from engine.domain.orders.matching import (
    Match,
    bound_price,
    match_market_order,
    match_priced_order,
)
from engine.errors import (
    BelowMinimum,
    InsufficientBalance,
    NoCounterpart,
    PairUnavailable,
    Rejected,
)

MNTL = Symbol("MNTLUSDT")
RULES = PairRules(
    symbol=MNTL,
    base=Asset("MNTL"),
    quote=USDT,
    quantity_step=Decimal(1),
    min_quantity=Decimal(1),
    quote_step=Decimal("0.01"),
    price_step=Decimal("0.000001"),
    min_notional=Decimal(1),
    max_notional=Decimal(1000),
    taker_fee_rate=Decimal("0.0005"),
)
LAST = Decimal("0.002")
READ_AT = datetime(2026, 11, 22, tzinfo=UTC)


def a_level(price: str, quantity: str) -> PriceLevel:
    return PriceLevel(Decimal(price), Decimal(quantity))


def a_book(
    *, asks: tuple[PriceLevel, ...] | None = None, bids: tuple[PriceLevel, ...] | None = None
) -> OrderBook:
    return OrderBook(
        symbol=MNTL,
        bids=(a_level("0.001998", "90000"),) if bids is None else bids,
        asks=(a_level("0.002002", "90000"),) if asks is None else asks,
        read_at=READ_AT,
    )


def matched(
    side: Side,
    amount: str,
    *,
    free: str = "1000000",
    book: OrderBook | None = None,
    last_price: Decimal = LAST,
    rules: PairRules = RULES,
) -> Match:
    return match_market_order(
        side=side,
        amount=Decimal(amount),
        free=Decimal(free),
        last_price=last_price,
        book=book or a_book(),
        rules=rules,
    )


def test_a_buy_is_sized_by_the_price_5_percent_above_the_last_trade():
    match = matched(Side.BUY, "17.10")

    # 17.10 / 0.0021 = 8142.86 MNTL, at 0.002002
    assert match.execution.base_quantity == Decimal(8142)
    assert match.execution.quote_amount == Decimal("16.300284")
    assert match.fee == Decimal("0.008150142")
    assert match.complete


@pytest.mark.parametrize(
    ("asked", "last", "step", "quantity"),
    [
        # Seen live: facts about MEXC, 3.2.
        ("6", "0.174765", "0.01", "32.69"),
        ("8", "0.007028", "0.01", "1084.09"),
    ],
)
def test_observed_orders_come_out_as_they_did_at_mexc(asked, last, step, quantity):
    rules = replace(RULES, quantity_step=Decimal(step))
    book = a_book(asks=(a_level(last, "90000"),), bids=())

    match = matched(Side.BUY, asked, book=book, last_price=Decimal(last), rules=rules)

    assert match.execution.base_quantity == Decimal(quantity)


def test_a_sell_walks_down_the_bids():
    book = a_book(bids=(a_level("0.002", "600"), a_level("0.0019", "5000")))

    match = matched(Side.SELL, "1000", book=book)

    assert match.execution.base_quantity == Decimal(1000)
    assert match.execution.quote_amount == Decimal("1.96")
    assert match.fee == Decimal("0.00098")
    assert match.complete


def test_what_lies_beyond_the_bound_is_not_taken():
    asks = (a_level("0.0021", "500"), a_level("0.002101", "90000"))
    bids = (a_level("0.0019", "700"), a_level("0.001899", "90000"))

    bought = matched(Side.BUY, "17.10", book=a_book(asks=asks, bids=()))
    sold = matched(Side.SELL, "9000", book=a_book(asks=(), bids=bids))

    assert (bought.execution.base_quantity, bought.complete) == (Decimal(500), False)
    assert (sold.execution.base_quantity, sold.complete) == (Decimal(700), False)


def test_a_stale_last_price_may_fill_nothing_at_all():
    match = matched(Side.BUY, "17.10", last_price=Decimal("0.0015"))

    assert match.execution.base_quantity == 0
    assert match.fee == 0
    assert not match.complete


@pytest.mark.parametrize(
    ("side", "closed", "code"),
    [
        (Side.BUY, {"online": False}, 30016),
        (Side.BUY, {"api_allowed": False}, 10007),
        (Side.SELL, {"market_orders": False}, 30051),
        (Side.BUY, {"buying": False}, 30001),
        (Side.SELL, {"selling": False}, 30001),
    ],
)
def test_a_closed_pair_or_side_takes_no_order(side, closed, code):
    with pytest.raises(PairUnavailable) as refusal:
        matched(side, "5000" if side is Side.SELL else "10", rules=replace(RULES, **closed))

    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("side", "amount"), [(Side.BUY, "0.99"), (Side.SELL, "499"), (Side.SELL, "1")]
)
def test_an_order_under_the_minimum_value_is_refused(side, amount):
    with pytest.raises(BelowMinimum, match="less than:1USDT"):
        matched(side, amount)


def test_an_order_under_the_minimum_quantity_is_refused():
    rules = replace(RULES, min_quantity=Decimal(10_000))
    coarse = replace(RULES, quantity_step=Decimal(10_000))

    for side, amount, its_rules in (
        (Side.BUY, "10", rules),
        (Side.SELL, "9999", rules),
        (Side.BUY, "10", coarse),
    ):
        with pytest.raises(BelowMinimum, match="quantity"):
            matched(side, amount, rules=its_rules)


@pytest.mark.parametrize(("side", "amount"), [(Side.BUY, "1000.01"), (Side.SELL, "500001")])
def test_an_order_over_the_maximum_is_refused(side, amount):
    with pytest.raises(Rejected, match="greater than:1000USDT") as refusal:
        matched(side, amount)

    assert refusal.value.code == 30003


@pytest.mark.parametrize(
    ("side", "amount"),
    [
        (Side.BUY, "10.001"),
        (Side.SELL, "900.5"),
        (Side.BUY, "0"),
        (Side.SELL, "-5"),
        (Side.BUY, "NaN"),
    ],
)
def test_an_amount_off_the_step_is_refused(side, amount):
    with pytest.raises(Rejected, match="amount scale is invalid"):
        matched(side, amount)


def test_a_buy_needs_its_fee_beside_what_it_spends():
    assert matched(Side.BUY, "20", free="20.01").complete
    with pytest.raises(InsufficientBalance):
        matched(Side.BUY, "20", free="20.0099")


def test_a_sell_needs_what_it_sells():
    assert matched(Side.SELL, "5000", free="5000").complete
    with pytest.raises(InsufficientBalance):
        matched(Side.SELL, "5000", free="4999")


def test_an_empty_other_side_refuses_the_order():
    with pytest.raises(NoCounterpart):
        matched(Side.BUY, "20", book=a_book(asks=()))
    with pytest.raises(NoCounterpart):
        matched(Side.SELL, "5000", book=a_book(bids=()))


def test_a_buy_at_an_endless_quotient_still_spends_no_more_than_asked():
    rules = replace(RULES, quantity_step=Decimal("1e-18"))
    last = Decimal("0.000000000003")
    book = a_book(
        asks=(PriceLevel(bound_price(Side.BUY, last_price=last), Decimal("1e15")),), bids=()
    )

    match = matched(Side.BUY, "1", book=book, last_price=last, rules=rules)

    assert match.execution.quote_amount <= 1


PRICES = st.integers(1, 4000).map(lambda ticks: ticks * RULES.price_step)


@st.composite
def markets(draw) -> tuple[Decimal, OrderBook, PairRules]:
    prices = sorted(draw(st.sets(PRICES, min_size=2, max_size=12)))
    step = Decimal(draw(st.sampled_from(["0.001", "0.5", "1", "7", "100"])))
    levels = [PriceLevel(price, draw(st.integers(1, 50_000)) * step) for price in prices]
    middle = draw(st.integers(1, len(prices) - 1))
    asks, bids = tuple(levels[middle:]), tuple(reversed(levels[:middle]))
    fee_rate = draw(st.sampled_from(["0", "0.0005", "0.01"]))
    rules = replace(RULES, quantity_step=step, taker_fee_rate=Decimal(fee_rate))
    return draw(st.sampled_from(prices)), a_book(asks=asks, bids=bids), rules


@given(market=markets(), cents=st.integers(1, 100_000))
def test_a_buy_keeps_every_promise(market, cents):
    last_price, book, rules = market
    asked = Decimal(cents).scaleb(-2)
    free = asked * (1 + rules.taker_fee_rate)
    try:
        match = matched(
            Side.BUY, str(asked), free=str(free), book=book, last_price=last_price, rules=rules
        )
    except BelowMinimum:
        return
    done = match.execution

    assert done.quote_amount <= asked
    assert done.quote_amount + match.fee <= free
    assert match.fee == done.quote_amount * rules.taker_fee_rate
    assert done.base_quantity % rules.quantity_step == 0
    assert done.average_price is None or done.average_price <= last_price * Decimal("1.05")
    assert done.base_quantity <= sum(level.quantity for level in book.asks)


@given(market=markets(), steps=st.integers(1, 100_000))
def test_a_sell_keeps_every_promise(market, steps):
    last_price, book, rules = market
    asked = steps * rules.quantity_step
    assume(rules.min_notional <= asked * last_price <= rules.max_notional)
    assume(asked >= rules.min_quantity)
    match = matched(
        Side.SELL, str(asked), free=str(asked), book=book, last_price=last_price, rules=rules
    )
    done = match.execution

    assert done.base_quantity <= asked
    assert done.base_quantity % rules.quantity_step == 0
    assert match.complete == (done.base_quantity == asked)
    assert match.fee <= done.quote_amount
    assert done.average_price is None or done.average_price >= last_price * Decimal("0.95")


@pytest.mark.parametrize(
    ("changes", "refusal", "code"),
    [
        ({"limit_orders": False}, PairUnavailable, 30041),
        ({"buying": False}, PairUnavailable, 30001),
        ({"min_quantity": Decimal(5001)}, BelowMinimum, 30002),
        ({"limit_max_notional": Decimal(9)}, Rejected, 30003),
        ({"limit_min_notional": Decimal(11)}, BelowMinimum, 30002),
    ],
)
def test_an_order_with_a_price_is_refused_by_the_pair_s_rules(
    changes: dict[str, Any], refusal: type[Rejected], code: int
):
    with pytest.raises(refusal) as refused:
        match_priced_order(
            side=Side.BUY,
            order_type=OrderType.IOC,
            base_quantity=Decimal(5000),
            price=LAST,
            free=Decimal(100),
            book=a_book(),
            rules=replace(RULES, **changes),
        )

    assert refused.value.code == code
