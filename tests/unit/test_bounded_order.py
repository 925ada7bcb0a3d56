"""Orders at a bounded price: the published vectors, computed outside this project with 50 digits."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.domain.execution.bound import (
    WIDENS_AFTER,
    Slippage,
    bound_of,
    is_old,
    worse_by_bp,
)
from engine.domain.execution.bounded_order import (
    BeyondBound,
    BoundedOrder,
    Obstacle,
    OneSidedBook,
    ThinBook,
    TooLittleFree,
    TooSmall,
    TypeClosed,
    Wanted,
    auto_order,
    bounded_order,
    least_wanted,
    walk,
)
from engine.domain.execution.maker_order import maker_order, maker_price
from engine.domain.market.order_book import OrderBook, base_bought
from engine.domain.market.pairs import OrderType, PairRules, Side
from engine.domain.orders.matching import match_market_order, match_priced_order
from tests import builders
from tests.fakes.clock import START

D = Decimal
_FILE = json.loads(Path(__file__).with_name("execution_vectors.json").read_text("utf-8"))
VECTORS = {vector["id"]: vector for vector in _FILE["vectors"]}
BOOK = builders.book(**_FILE["book"])
RULES = builders.rules()
PLENTY = D(1_000_000)
_NEAR = D("1e-12")


def _vector(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return VECTORS[name]["given"], VECTORS[name]["expect"]


def _ordered(name: str) -> BoundedOrder | Obstacle:
    given, _ = _vector(name)
    side = Side.BUY if "free_quote" in given else Side.SELL
    return bounded_order(
        side,
        Wanted(D(given["want_quote"])),
        free=D(given.get("free_quote") or given["free_base"]),
        book=BOOK,
        rules=RULES,
        slippage=D(given["bps"]) / 10_000,
    )


def _auto(
    side: Side = Side.BUY,
    amount: str = "17.1",
    *,
    book: OrderBook = BOOK,
    slippage: Slippage | None = None,
    waited: timedelta | None = WIDENS_AFTER,
    last_price: str = "0.002",
    price_limit: str = "0.2",
    free: Decimal = PLENTY,
    rules: PairRules = RULES,
) -> BoundedOrder | Obstacle:
    return auto_order(
        side,
        Wanted(D(amount)),
        free=free,
        book=book,
        rules=rules,
        slippage=slippage or Slippage(D("0.0005")),
        last_price=D(last_price),
        price_limit=D(price_limit),
        outside_since=None if waited is None else START - waited,
        now=START,
    )


@pytest.mark.parametrize("name", ["B01", "B02", "B04", "B05", "B06"])
def test_an_order_at_a_bound_is_that_of_the_vector(name: str):
    _, expected = _vector(name)
    order = _ordered(name)

    assert isinstance(order, BoundedOrder)
    assert (order.order_type, order.arrival.mid) == (OrderType.IOC, D(expected["mid"]))
    assert order.price == D(expected["bound"])
    assert order.base_quantity == order.expected.base_quantity == D(expected["qty"])
    assert order.expected.quote_amount == D(expected["cost"])
    assert order.expected_fee == D(expected["fee"])
    assert order.expected.worst == D(expected["worst"])
    assert abs(order.expected.average - D(expected["average"])) < _NEAR
    assert abs(order.slippage_bp - D(expected["slip_bps"])) < _NEAR
    if order.side is Side.BUY:
        assert order.frozen_amount == D(expected["freeze"])
        assert order.expected_quote == D(expected["cost"])
    else:
        assert order.frozen_amount == D(expected["qty"])
        assert order.expected_quote == D(expected["net"])


def test_an_offer_beyond_the_bound_is_the_reason_for_no_order():
    _, expected = _vector("B03")
    found = _ordered("B03")

    assert isinstance(found, BeyondBound)
    assert (found.bound.price, found.bound.mid) == (D(expected["bound"]), D(expected["mid"]))
    assert (found.nearest, found.nearest_bp) == (D("0.002002"), D(10))


@pytest.mark.parametrize("name", ["B07", "B08"])
def test_a_market_order_does_worse_as_the_vector_says(name: str):
    given, expected = _vector(name)
    match = match_market_order(
        side=Side.BUY,
        amount=D(given["quote"]),
        free=PLENTY,
        last_price=D(given["last"]),
        book=BOOK,
        rules=RULES,
    )

    assert match.execution.base_quantity == D(expected["filled"])
    assert match.execution.quote_amount == D(expected["cost"])
    if "short" in expected:
        assert D(given["quote"]) - match.execution.quote_amount == D(expected["short"])
        assert match.execution.average_price is not None
        assert abs(match.execution.average_price - D(expected["average"])) < _NEAR


def test_a_walk_into_the_asks_is_that_of_the_vector():
    given, expected = _vector("B09")
    quantity = base_bought(D(given["quote"]), asks=BOOK.asks)
    walked = walk(quantity, BOOK.asks)

    assert abs(quantity - D(expected["base"])) < _NEAR
    assert abs(walked.quote_amount - D(expected["spent"])) < _NEAR
    assert walked.worst == D(expected["worst"])


@pytest.mark.parametrize("name", ["B14", "B15"])
@pytest.mark.parametrize("improve", [False, True])
def test_a_maker_joins_the_best_bid_or_improves_it_where_that_does_not_cross(
    name: str, improve: bool
):
    given, expected = _vector(name)
    prices = {part: D(given[part]) for part in ("bid", "ask", "tick")}
    bid = maker_price(Side.BUY, **prices, improve=improve)
    mirrored = maker_price(Side.SELL, **prices, improve=improve)

    assert bid == D(expected["improve" if improve else "join"])
    assert bid - prices["bid"] == prices["ask"] - mirrored


def test_the_worth_that_an_order_moves_is_stated_with_its_fee():
    order = _ordered("B01")

    assert isinstance(order, BoundedOrder)
    assert order.cost_bp == pytest.approx(D("38.12"), abs=D("0.01"))
    assert (order.arrival.bid, order.arrival.ask) == (D("0.001998"), D("0.002002"))
    assert order.arrival.depth == 3000 * D("0.002002") + 4000 * D("0.002005") + 10000 * D(
        "0.00202"
    )


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_without_both_sides_of_the_book_nothing_is_ordered(side: Side):
    book = replace(BOOK, bids=())

    for found in (
        _auto(side, book=book),
        maker_order(side, Wanted(D(9)), free=PLENTY, book=book, rules=RULES),
    ):
        assert found == OneSidedBook(side)


@pytest.mark.parametrize(
    ("amount", "free", "reason"),
    [
        ("1.09", PLENTY, TooSmall(Side.BUY, D("1.09"), D("1.1"))),
        ("17.1", D("1.1"), TooLittleFree(Side.BUY, D("1.1"), D("1.1"))),
        ("17.1", D(0), TooLittleFree(Side.BUY, D(0), D("1.1"))),
    ],
)
def test_what_is_too_small_or_not_free_is_said_and_never_widens(
    amount: str, free: Decimal, reason: Obstacle
):
    found = _auto(amount=amount, free=free, slippage=Slippage())

    assert found == reason


def test_less_than_the_smallest_order_within_the_bound_is_a_thin_book():
    book = builders.book(asks=[("0.002002", 500), ("0.0023", 90_000)], bids=[("0.001998", 500)])
    found = _auto(book=book, slippage=Slippage(), waited=None)

    assert isinstance(found, ThinBook)
    assert (found.offered, found.minimum) == (D("1.001"), D("1.1"))


@pytest.mark.parametrize(
    "changes",
    [{"buying": False}, {"limit_orders": False}, {"online": False}, {"api_allowed": False}],
)
def test_a_pair_that_takes_no_such_order_is_a_reason(changes: dict[str, Any]):
    rules = builders.rules(**changes)

    assert _auto(rules=rules) == TypeClosed(Side.BUY, OrderType.IOC)


def test_a_pair_without_market_orders_takes_orders_at_a_bound():
    assert isinstance(
        _auto(rules=builders.rules(market_orders=False), slippage=Slippage()), BoundedOrder
    )


def test_the_limits_of_orders_with_a_price_count_and_not_those_of_market_orders():
    rules = replace(RULES, limit_min_notional=D(5), limit_max_notional=D(10))
    small, large = (
        _auto(amount=amount, rules=rules, slippage=Slippage()) for amount in ("5.4", "17")
    )

    assert small == TooSmall(Side.BUY, D("5.4"), D("5.5"))
    assert isinstance(large, BoundedOrder)
    assert large.base_quantity == 4950  # 10 USDT at 0.00202


def test_a_balance_that_waited_long_gets_one_order_at_the_reach_of_a_market_order():
    early = _auto(waited=WIDENS_AFTER - timedelta(seconds=1))
    late = _auto()

    assert isinstance(early, BeyondBound)
    assert isinstance(late, BoundedOrder)
    assert (late.order_type, late.price, late.widened) == (OrderType.IOC, D("0.0021"), True)
    assert late.base_quantity == 8521


def test_a_sell_widens_downwards():
    late = _auto(Side.SELL, "8.8")

    assert isinstance(late, BoundedOrder)
    assert (late.price, late.widened, late.base_quantity) == (D("0.0019"), True, D(4412))


def test_a_wider_bound_stays_within_the_limit_on_prices():
    late = _auto(price_limit="0.01")

    assert isinstance(late, BoundedOrder)
    assert late.price == D("0.00202")


def test_a_strict_slippage_waits_for_ever():
    found = _auto(slippage=Slippage(D("0.0005"), strict=True), waited=timedelta(days=30))

    assert isinstance(found, BeyondBound)


def test_a_stale_last_price_does_not_bring_the_bound_nearer():
    # A MARKET order would reach to 0.001995 from there: less far than the bound itself.
    found = _auto(last_price="0.0019")

    assert isinstance(found, BeyondBound)
    assert not found.bound.widened


def test_what_fits_within_the_bound_is_never_ordered_beyond_it():
    order = _auto(slippage=Slippage(D("0.005")), waited=timedelta(days=1))

    assert isinstance(order, BoundedOrder)
    assert (order.price, order.base_quantity, order.widened) == (D("0.00201"), D(7000), False)


def test_a_maker_order_is_worth_what_is_wanted_at_its_own_price():
    buy = maker_order(Side.BUY, Wanted(D("17.1")), free=D("57.1"), book=BOOK, rules=RULES)
    sell = maker_order(
        Side.SELL, Wanted(base_quantity=D(4000)), free=D(3000), book=BOOK, rules=RULES
    )

    assert isinstance(buy, BoundedOrder)
    assert (buy.order_type, buy.price, buy.base_quantity) == (
        OrderType.LIMIT_MAKER,
        D("0.001999"),
        D(8554),
    )
    assert (buy.expected_fee, buy.slippage_bp) == (D(0), D(-5))
    assert isinstance(sell, BoundedOrder)
    assert (sell.price, sell.base_quantity) == (D("0.002001"), D(3000))


@pytest.mark.parametrize(
    ("amount", "free", "reason"),
    [("1", PLENTY, TooSmall), ("17", D(1), TooLittleFree), ("17", D(0), TooLittleFree)],
)
def test_a_maker_order_keeps_the_minimum(amount: str, free: Decimal, reason: type):
    found = maker_order(Side.BUY, Wanted(D(amount)), free=free, book=BOOK, rules=RULES)

    assert isinstance(found, reason)


@pytest.mark.parametrize(
    ("quantity", "free", "ordered"), [("4000.9", "91858", 4000), ("90000", "5000.5", 5000)]
)
def test_a_sell_may_be_of_a_quantity_as_far_as_that_is_free(
    quantity: str, free: str, ordered: int
):
    order = bounded_order(
        Side.SELL,
        Wanted(base_quantity=D(quantity)),
        free=D(free),
        book=BOOK,
        rules=RULES,
        slippage=D("0.01"),
    )

    assert isinstance(order, BoundedOrder)
    assert order.base_quantity == order.frozen_amount == ordered


def test_a_quantity_worth_less_than_the_smallest_order_is_too_small():
    found = bounded_order(
        Side.SELL,
        Wanted(base_quantity=D(550)),
        free=PLENTY,
        book=BOOK,
        rules=RULES,
        slippage=D("0.01"),
    )

    assert found == TooSmall(Side.SELL, D("1.0989"), D("1.1"))


def test_a_pair_that_takes_no_maker_orders_is_a_reason():
    rules = builders.rules(maker_orders=False)
    found = maker_order(Side.SELL, Wanted(D(9)), free=PLENTY, book=BOOK, rules=rules)

    assert found == TypeClosed(Side.SELL, OrderType.LIMIT_MAKER)


def test_without_a_middle_nothing_can_be_said_to_be_enough():
    book = replace(BOOK, asks=())

    assert least_wanted(Side.SELL, rules=RULES, book=book, slippage=D("0.01")) == 0


def test_bounds_are_rounded_towards_the_middle():
    rules = builders.rules(price_step="0.0001")
    buy, sell = (
        bound_of(side, mid=D("0.00205"), fraction=D("0.05"), rules=rules)
        for side in (Side.BUY, Side.SELL)
    )

    assert (buy.price, sell.price) == (D("0.0021"), D("0.0020"))
    assert worse_by_bp(Side.SELL, D("0.0019"), mid=D("0.002")) == 500


def test_a_book_is_old_after_three_seconds():
    assert not is_old(BOOK, now=START + timedelta(seconds=3))
    assert is_old(BOOK, now=START + timedelta(seconds=4))


@pytest.mark.parametrize("fraction", ["0", "-0.01", "0.00001", "0.21", "0.00015", "NaN"])
def test_a_slippage_is_whole_basis_points_up_to_a_fifth(fraction: str):
    with pytest.raises(ValueError, match="slippage"):
        Slippage(D(fraction))


def test_an_order_wants_an_amount_or_a_quantity():
    for wanted in ({}, {"quote_amount": D(1), "base_quantity": D(1)}):
        with pytest.raises(ValueError, match="both"):
            Wanted(**wanted)


def test_a_deposit_at_the_readme_s_example_is_one_order_and_ends_at_the_target():
    order = _ordered("B01")
    assert isinstance(order, BoundedOrder)
    match = match_priced_order(
        side=order.side,
        order_type=order.order_type,
        base_quantity=order.base_quantity,
        price=order.price,
        free=D("57.10"),
        book=BOOK,
        rules=RULES,
    )
    held = D("57.10") - match.execution.quote_amount - match.fee

    assert match.complete
    assert abs(held - 40) < D("0.1")
