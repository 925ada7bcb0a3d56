"""Laws of an order at a bound, whatever the book, the rules and the balances are."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from engine.domain.execution.bound import BOOK_LIVES, Slippage, bound_of
from engine.domain.execution.bounded_order import (
    BoundedOrder,
    Obstacle,
    Wanted,
    auto_order,
    bounded_order,
    least_wanted,
    smallest_order,
)
from engine.domain.execution.maker_order import maker_order
from engine.domain.market.decimals import EXACT_OR_LESS, floor_to_step
from engine.domain.market.order_book import OrderBook, PriceLevel
from engine.domain.market.pairs import OrderType, PairRules, Side
from engine.domain.orders.matching import match_priced_order
from tests import builders
from tests.fakes.clock import START

D = Decimal
_AMPLE = D(10) ** 15
sides = st.sampled_from(Side)
# Up to 9 %, an order of the smallest worth is above the exchange's minimum at its bound as well.
fractions = st.integers(1, 900).map(lambda bp: D(bp) / 10_000)
quotes = st.integers(1, 10_000_000).map(lambda cents: D(cents) / 100)


@st.composite
def books(draw: st.DrawFn) -> OrderBook:
    """Around 0.002 on a grid of a millionth or finer, with cliffs and dust."""
    tick = D(1).scaleb(-draw(st.integers(6, 9)))
    mid = int(D("0.002") / tick)
    quantities = st.integers(1, 10**9).map(lambda n: D(n) / 100)

    def levels(first: int, direction: int) -> tuple[PriceLevel, ...]:
        gaps = draw(st.lists(st.integers(1, mid // 20), min_size=1, max_size=5))
        ticks = [first + direction * sum(gaps[: n + 1]) for n in range(len(gaps))]
        return tuple(PriceLevel(n * tick, draw(quantities)) for n in ticks)

    return replace(builders.book(), bids=levels(mid, -1), asks=levels(mid, 1))


@st.composite
def pair_rules(draw: st.DrawFn) -> PairRules:
    return builders.rules(
        quantity_step=D(1).scaleb(-draw(st.integers(0, 3))),
        min_quantity=draw(st.sampled_from(["0", "0.5", "300"])),
        price_step=D(1).scaleb(-draw(st.integers(6, 9))),
        min_notional=draw(st.sampled_from(["0", "1", "5"])),
        taker_fee_rate=draw(st.sampled_from(["0", "0.0005", "0.02"])),
        max_notional=draw(st.sampled_from(["100", "100000"])),
    )


def _is_lawful(order: BoundedOrder, free: Decimal, rules: PairRules) -> None:
    side, quantity, expected = order.side, order.base_quantity, order.expected
    least, most = rules.notional_limits(order.order_type)
    assert floor_to_step(quantity, rules.quantity_step) == quantity == expected.base_quantity
    assert floor_to_step(order.price, rules.price_step) == order.price
    assert quantity >= rules.least_quantity
    assert expected.quote_amount >= smallest_order(rules, order.order_type)
    assert least <= quantity * order.price <= most
    fee = order.fee_rate if side is Side.BUY else D(0)
    assert order.frozen_amount * (1 + fee) <= free
    worst = expected.worst
    assert worst <= order.price if side is Side.BUY else worst >= order.price


@given(sides, quotes, quotes, books(), pair_rules(), fractions)
def test_never_over_the_bound_never_more_than_is_free_never_under_the_minimum(
    side: Side,
    wanted: Decimal,
    free: Decimal,
    book: OrderBook,
    rules: PairRules,
    slippage: Decimal,
) -> None:
    free = free if side is Side.BUY else free * 500
    order = bounded_order(
        side, Wanted(wanted), free=free, book=book, rules=rules, slippage=slippage
    )
    if not isinstance(order, BoundedOrder):
        return
    _is_lawful(order, free, rules)
    mid = order.arrival.mid
    if side is Side.BUY:
        assert order.price <= mid * (1 + slippage)
        assert order.expected.quote_amount <= wanted
    else:
        assert order.price >= mid * (1 - slippage)
        # A step less would bring too little: what is rounded down never sells for more.
        assert order.expected_quote <= wanted
    assert order.expected.quote_amount <= order.arrival.depth


@given(sides, quotes, books(), pair_rules(), fractions, fractions)
def test_a_wider_bound_never_trades_less(
    side: Side, wanted: Decimal, book: OrderBook, rules: PairRules, one: Decimal, other: Decimal
) -> None:
    rules = replace(rules, max_notional=_AMPLE)

    def sized(slippage: Decimal) -> Decimal:
        order = bounded_order(
            side, Wanted(wanted), free=_AMPLE, book=book, rules=rules, slippage=slippage
        )
        return order.base_quantity if isinstance(order, BoundedOrder) else D(0)

    assert sized(min(one, other)) <= sized(max(one, other))


@given(sides, books(), pair_rules(), fractions)
def test_what_is_said_to_be_enough_makes_an_order_where_it_is_offered(
    side: Side, book: OrderBook, rules: PairRules, slippage: Decimal
) -> None:
    amount = least_wanted(side, rules=rules, book=book, slippage=slippage)
    mid = book.mid
    assert mid is not None
    bound = bound_of(side, mid=mid, fraction=slippage, rules=rules)
    offered = sum((level.price * level.quantity for level in bound.within(book)), D(0))
    assume(offered * (1 - rules.taker_fee_rate) > amount)
    found = bounded_order(
        side, Wanted(amount), free=_AMPLE, book=book, rules=rules, slippage=slippage
    )

    assert isinstance(found, BoundedOrder)


@given(sides, quotes, quotes, books(), pair_rules(), fractions, fractions, st.booleans())
def test_a_wider_order_stays_within_the_reach_of_a_market_order_and_the_price_limit(
    side: Side,
    wanted: Decimal,
    last_bp: Decimal,
    book: OrderBook,
    rules: PairRules,
    slippage: Decimal,
    limit: Decimal,
    strict: bool,
) -> None:
    last = D("0.0019") + last_bp / 500_000_000

    def auto(free: Decimal) -> BoundedOrder | Obstacle:
        return auto_order(
            side,
            Wanted(wanted),
            free=free,
            book=book,
            rules=rules,
            slippage=Slippage(slippage, strict=strict),
            last_price=last,
            price_limit=limit,
            outside_since=START - BOOK_LIVES * 1000,
            now=START,
        )

    order = auto(_AMPLE)
    if not isinstance(order, BoundedOrder):
        return
    _is_lawful(order, _AMPLE, rules)
    mid = order.arrival.mid
    if not order.widened:
        return
    assert not strict
    with_floor = order.price if side is Side.BUY else -order.price
    with_floor = with_floor - (mid if side is Side.BUY else -mid)
    assert with_floor <= mid * limit
    reach = last * D("1.05") if side is Side.BUY else last * D("0.95")
    assert order.price <= reach if side is Side.BUY else order.price >= reach


@given(sides, quotes, quotes, books(), pair_rules(), st.booleans())
def test_a_maker_order_never_crosses_and_keeps_the_same_laws(
    side: Side, wanted: Decimal, free: Decimal, book: OrderBook, rules: PairRules, improve: bool
) -> None:
    rules = replace(rules, maker_fee_rate=rules.taker_fee_rate / 2)
    free = free if side is Side.BUY else free * 500
    # Best prices off the exchange's grid do not exist: here they may.
    assume(floor_to_step(book.asks[0].price, rules.price_step) == book.asks[0].price)
    assume(floor_to_step(book.bids[0].price, rules.price_step) == book.bids[0].price)
    order = maker_order(side, Wanted(wanted), free=free, book=book, rules=rules, improve=improve)
    if not isinstance(order, BoundedOrder):
        return
    _is_lawful(order, free, rules)
    assert order.order_type is OrderType.LIMIT_MAKER
    assert (
        order.price < book.asks[0].price if side is Side.BUY else order.price > book.bids[0].price
    )
    match = match_priced_order(
        side=side,
        order_type=order.order_type,
        base_quantity=order.base_quantity,
        price=order.price,
        free=free,
        book=book,
        rules=rules,
    )
    assert not match.execution.base_quantity
    with_fee = EXACT_OR_LESS.multiply(order.expected.quote_amount, 1 - order.fee_rate)
    assert (order.expected.quote_amount if side is Side.BUY else with_fee) <= wanted


@given(sides, quotes, quotes, books(), pair_rules(), fractions)
def test_what_an_order_expects_is_what_the_exchange_makes_of_it(
    side: Side,
    wanted: Decimal,
    free: Decimal,
    book: OrderBook,
    rules: PairRules,
    slippage: Decimal,
) -> None:
    free = free if side is Side.BUY else free * 500
    order = bounded_order(
        side, Wanted(wanted), free=free, book=book, rules=rules, slippage=slippage
    )
    if not isinstance(order, BoundedOrder):
        return
    match = match_priced_order(
        side=side,
        order_type=OrderType.IOC,
        base_quantity=order.base_quantity,
        price=order.price,
        free=free,
        book=book,
        rules=rules,
    )

    assert match.complete
    assert match.execution.quote_amount == order.expected.quote_amount
    assert match.fee == order.expected_fee
