"""Laws the planner keeps whatever the market, the balances and the settings are.

The central one: trade a plan at the book's prices and plan again. The second plan never turns
round; and unless the first order was held back by what is free, by the exchange's maximum or by
the depth of the book, it has no order, but for one smallest sell where a step is worth more than
the band is wide.
"""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from decimal import Decimal, localcontext
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from engine.domain.accounts.settings import Settings
from engine.domain.execution.bounded_order import BoundedOrder
from engine.domain.market.balances import Balance, Counting, Holdings
from engine.domain.market.decimals import (
    CENT,
    EXACT_OR_LESS,
    ONE,
    decimal_from_text,
    floor_to_step,
    plain,
)
from engine.domain.market.order_book import OrderBook, PriceLevel
from engine.domain.market.pairs import USDT, PairRules, Side
from engine.domain.orders.matching import match_market_order
from engine.domain.rebalancing.planner import (
    FEE_RESERVE,
    MARKET_REACH,
    InsideBand,
    MarketBuy,
    MarketSell,
    Plan,
    StepTooCoarse,
    at_rest,
    goal_of,
    plan,
    plan_to,
    smallest_order,
)
from engine.domain.targets.destination import Destination, Edges, usual_destination
from engine.domain.targets.goals import TargetSettings
from engine.domain.targets.target import FixedUsdt
from engine.domain.targets.usdt_goal import NO_EDGE, UsdtGoal, needs_price, usdt_goal
from tests.builders import MNTL, book, holdings, rules, settings


@dataclass(frozen=True)
class Situation:
    holdings: Holdings
    settings: Settings
    rules: PairRules
    book: OrderBook
    ignore_band: bool = False

    def plan(self) -> Plan:
        return plan(
            holdings=self.holdings,
            settings=self.settings,
            rules=self.rules,
            book=self.book,
            ignore_band=self.ignore_band,
        )


def amounts(low: str, high: str, *, places: int) -> st.SearchStrategy[Decimal]:
    bounds = [int(EXACT_OR_LESS.scaleb(Decimal(bound), places)) for bound in (low, high)]
    return st.integers(*bounds).map(lambda digits: EXACT_OR_LESS.scaleb(Decimal(digits), -places))


def powers_of_ten(lowest: int, highest: int) -> st.SearchStrategy[Decimal]:
    return st.integers(lowest, highest).map(Decimal(1).scaleb)


def any_balances(high: str) -> st.SearchStrategy[Balance]:
    return st.builds(
        Balance, free=amounts("0", high, places=18), locked=amounts("0", high, places=18)
    )


@st.composite
def any_books(draw: st.DrawFn) -> OrderBook:
    """Up to six levels on each side, from 1e-12 to 1e6 a token, with cliffs and dust."""
    tick = draw(powers_of_ten(-12, -3))
    mid = draw(st.integers(1_000, 1_000_000_000))
    quantities = st.one_of(amounts("0.01", "100", places=2), amounts("1", "1e15", places=0))

    def levels(ticks: Iterable[int]) -> tuple[PriceLevel, ...]:
        return tuple(PriceLevel(count * tick, draw(quantities)) for count in ticks)

    asks = draw(st.lists(st.integers(mid, mid * 3), max_size=6, unique=True))
    bids = draw(st.lists(st.integers(1, mid - 1), max_size=6, unique=True))
    return replace(book(), bids=levels(sorted(bids, reverse=True)), asks=levels(sorted(asks)))


@st.composite
def any_rules(draw: st.DrawFn) -> PairRules:
    return rules(
        quantity_step=draw(powers_of_ten(-8, 4)),
        min_quantity=draw(amounts("0", "2000", places=1)),
        quote_step=draw(powers_of_ten(-8, 1)),
        min_notional=draw(amounts("0", "10", places=2)),
        max_notional=draw(amounts("1", "1e9", places=3)),
        taker_fee_rate=draw(amounts("0", "0.99", places=4)),
        **{
            door: draw(st.sampled_from([True, True, True, False]))
            for door in ("online", "api_allowed", "market_orders", "buying", "selling")
        },
    )


@st.composite
def any_settings(draw: st.DrawFn) -> Settings:
    in_quote = draw(st.booleans())
    fractions = amounts("0.0001", "0.99", places=4)
    sums = amounts("0.01", "1000", places=2)
    return settings(
        target=draw(amounts("0.01", "1e9", places=2)),
        threshold=draw(sums if in_quote else fractions),
        in_quote=in_quote,
        counting=draw(st.sampled_from(Counting)),
    )


wild_situations = st.builds(
    Situation,
    holdings=st.builds(
        Holdings,
        st.fixed_dictionaries({USDT: any_balances("1e12"), MNTL: any_balances("1e15")}),
        read_at=st.just(book().read_at),
    ),
    settings=any_settings(),
    rules=any_rules(),
    book=any_books(),
    ignore_band=st.booleans(),
)


# Strategies are built once: to build them anew for each example would take most of the time.
_TARGETS = amounts("10", "1000000", places=2)
_TICKS = powers_of_ten(-12, 0)
_MIDS = st.integers(1_000, 100_000)
_SIDES = st.sampled_from(Side)
_DRIFTS = {Side.BUY: amounts("0", "9", places=6), Side.SELL: amounts("0", "1", places=6)}
_THRESHOLDS = amounts("0.0001", "0.2", places=4)
_FINENESS = st.integers(0, 6)
_FEES = st.sampled_from([Decimal(0), Decimal("0.0005"), Decimal("0.003"), Decimal("0.4")])
_LEAST_STEPS = st.sampled_from([Decimal(0), Decimal(1), Decimal("1.5"), Decimal(3)])
_QUOTE_STEPS = powers_of_ten(-8, 0)
# Levels as (how far from the best price in thousandths, how many hundredths of the target).
_FAR_AND_THIN = st.lists(
    st.tuples(st.integers(0, 900), st.integers(1, 500)), min_size=1, max_size=4
)
_NEAR_AND_DEEP = st.lists(
    st.tuples(st.integers(0, 45), st.integers(1000, 2000)), min_size=1, max_size=4
)


@st.composite
def likely_trades(draw: st.DrawFn, side: Side | None = None, *, ample: bool = False) -> Situation:
    """Situations where everything is in proportion, so that most of them give an order.

    *ample*: there is enough of everything, so that only the drift decides how large it is.
    """
    target, tick, mid = draw(_TARGETS), draw(_TICKS), draw(_MIDS)
    tokens = target / (mid * tick)  # worth the target
    side = side or draw(_SIDES)
    drift = draw(_DRIFTS[side]) * target
    total = target + (drift if side is Side.BUY else -drift)
    locked = total / 2 if not ample and draw(st.booleans()) else Decimal(0)
    step = Decimal(1).scaleb(tokens.adjusted() - draw(_FINENESS))
    depth = _NEAR_AND_DEEP if ample else _FAR_AND_THIN

    def levels(direction: int) -> tuple[PriceLevel, ...]:
        return tuple(
            PriceLevel((mid + direction * (1 + mid * far // 1000)) * tick, tokens * share / 100)
            for far, share in sorted(draw(depth))
        )

    return Situation(
        holdings=holdings(
            usdt=total - locked,
            usdt_locked=locked,
            mntl=tokens * 4 if ample else tokens * draw(_FAR_AND_THIN)[0][1] / 100,
        ),
        settings=settings(target=target, threshold=draw(_THRESHOLDS)),
        rules=rules(
            quantity_step=step,
            min_quantity=step * draw(_LEAST_STEPS),
            quote_step=draw(_QUOTE_STEPS),
            max_notional=target * 100 if ample or draw(st.booleans()) else target / 3,
            taker_fee_rate=draw(_FEES),
        ),
        book=replace(book(), bids=levels(-1), asks=levels(1)),
        ignore_band=draw(st.booleans()),
    )


any_situations = st.one_of(wild_situations, likely_trades())


def trade(situation: Situation, order: MarketBuy | MarketSell) -> Situation:
    """After a perfect fill: the fee paid in USDT, the book as deep as before, no person asking."""
    fee_rate = situation.rules.taker_fee_rate
    quote, base = situation.holdings.of(USDT), situation.holdings.of(MNTL)
    buying = isinstance(order, MarketBuy)
    left = order.quote_amount if isinstance(order, MarketBuy) else order.base_quantity
    base_moved = quote_moved = Decimal(0)
    for level in situation.book.asks if buying else situation.book.bids:
        taken = min(level.quantity, _divide(left, level.price) if buying else left)
        base_moved = EXACT_OR_LESS.add(base_moved, taken)
        value = EXACT_OR_LESS.multiply(taken, level.price)
        quote_moved = EXACT_OR_LESS.add(quote_moved, value)
        left = EXACT_OR_LESS.subtract(left, value if buying else taken)
    factor = -ONE - fee_rate if buying else ONE - fee_rate
    after = replace(
        situation.holdings,
        balances={
            USDT: _changed(quote, EXACT_OR_LESS.multiply(quote_moved, factor)),
            MNTL: _changed(base, base_moved if buying else -base_moved),
        },
    )
    return replace(situation, holdings=after, ignore_band=False)


def _divide(dividend: Decimal, divisor: Decimal) -> Decimal:
    return EXACT_OR_LESS.divide(dividend, divisor)


def _changed(balance: Balance, change: Decimal) -> Balance:
    """Raises ValueError if it would go below zero."""
    return replace(balance, free=EXACT_OR_LESS.add(balance.free, change))


def reachable(value: Any) -> Iterable[Any]:
    """Everything inside a value, however deep."""
    if hasattr(value, "__dataclass_fields__"):
        yield from reachable(astuple(value))
    elif isinstance(value, tuple):
        for part in value:
            yield from reachable(part)
    else:
        yield value


def exact_product(*factors: Decimal) -> Decimal:
    product = ONE
    for factor in factors:
        product = EXACT_OR_LESS.multiply(product, factor)
    return product


@given(any_situations)
@example(
    Situation(
        holdings(usdt="1e-18", mntl="1e15"),
        settings(target=10**9),
        rules(quantity_step="1e-8"),
        book(bids=[("1e-9", "1e15")], asks=[("1.1e-9", "1e15")]),
    )
)
def test_a_plan_is_an_order_or_a_reason_and_always_the_same_one(situation):
    decided = situation.plan()

    assert (decided.order is None) != (decided.reason is None)
    assert situation.plan() == decided


@given(any_situations)
def test_a_balance_inside_its_band_is_traded_only_when_a_person_asks(situation):
    decided = replace(situation, ignore_band=False).plan()

    rests = at_rest(situation.holdings, situation.settings)
    assert rests == (decided.reason if decided.reason == InsideBand() else None)


@given(likely_trades(Side.SELL))
def test_no_more_is_sold_than_is_free(situation):
    order = situation.plan().order

    assume(isinstance(order, MarketSell))
    assert isinstance(order, MarketSell)
    assert 0 < order.base_quantity <= situation.holdings.of(MNTL).free


@given(likely_trades(Side.BUY))
def test_no_more_is_spent_than_is_free_with_the_fee_and_a_reserve(situation):
    order = situation.plan().order

    assume(isinstance(order, MarketBuy))
    assert isinstance(order, MarketBuy)
    extra = ONE + max(situation.rules.taker_fee_rate, FEE_RESERVE)
    assert 0 < exact_product(order.quote_amount, extra) <= situation.holdings.of(USDT).free


@given(likely_trades())
def test_an_order_is_on_the_side_of_the_drift_and_no_larger_than_it(situation):
    decided = situation.plan()

    assume(decided.order is not None)
    assert decided.order is not None
    drift = decided.held - situation.settings.fixed_goal.target
    assert decided.order.side is (Side.BUY if drift > 0 else Side.SELL)
    if isinstance(decided.order, MarketBuy):
        assert decided.order.quote_amount <= drift


@given(any_situations)
def test_amounts_are_multiples_of_the_pairs_steps_and_never_finer_than_a_cent(situation):
    order = situation.plan().order

    if isinstance(order, MarketBuy):
        step = situation.rules.quote_step
        assert order.quote_amount == floor_to_step(order.quote_amount, step)
        assert order.quote_amount == floor_to_step(order.quote_amount, CENT)
    if isinstance(order, MarketSell):
        step = situation.rules.quantity_step
        assert order.base_quantity == floor_to_step(order.base_quantity, step)


@given(any_situations)
def test_nothing_is_sent_under_the_exchanges_minimums_or_above_its_maximum(situation):
    order, limits = situation.plan().order, situation.rules

    if isinstance(order, MarketBuy):
        assert limits.min_notional < order.quote_amount <= limits.max_notional
    if isinstance(order, MarketSell):
        assert order.base_quantity >= limits.min_quantity
        value = exact_product(order.base_quantity, situation.book.bids[0].price)
        assert limits.min_notional < value <= limits.max_notional


@given(likely_trades(Side.BUY))
def test_a_buy_is_worth_a_step_even_at_the_worst_price_the_exchange_takes(situation):
    order = situation.plan().order

    assume(isinstance(order, MarketBuy))
    assert isinstance(order, MarketBuy)
    worst = exact_product(situation.book.asks[0].price, ONE + MARKET_REACH)
    quantity = situation.rules.floor_quantity(_divide(order.quote_amount, worst))
    assert quantity >= max(situation.rules.quantity_step, situation.rules.min_quantity)


@given(situation=likely_trades(ample=True), share=st.integers(0, 100))
def test_no_order_is_one_that_the_exchange_refuses(situation, share):
    order = situation.plan().order
    bid, ask = situation.book.bids[0].price, situation.book.asks[0].price

    assume(order is not None)
    assert order is not None
    buying = isinstance(order, MarketBuy)
    match_market_order(
        side=order.side,
        amount=order.quote_amount if isinstance(order, MarketBuy) else order.base_quantity,
        free=situation.holdings.of(USDT if buying else MNTL).free,
        last_price=bid + (ask - bid) * share / 100,
        book=situation.book,
        rules=situation.rules,
    )


@given(likely_trades(Side.SELL))
def test_a_sell_that_meets_the_best_bid_all_the_way_overshoots_by_no_more_than_the_reach(
    situation,
):
    decided = situation.plan()

    assume(isinstance(decided.order, MarketSell))
    assert isinstance(decided.order, MarketSell)
    quantity = decided.order.base_quantity
    assume(quantity > situation.rules.least_quantity)
    gross = exact_product(quantity, situation.book.bids[0].price)
    arrives = exact_product(gross, ONE - situation.rules.taker_fee_rate)
    shortfall = situation.settings.fixed_goal.target - decided.held
    assert exact_product(arrives, ONE - MARKET_REACH) <= shortfall


@given(any_situations)
def test_there_is_no_float_and_no_exponent_anywhere_in_a_plan(situation):
    for value in reachable(situation.plan()):
        assert not isinstance(value, float)
        if isinstance(value, Decimal):
            assert value.is_finite()
            assert "e" not in plain(value).lower()


@given(any_situations)
def test_every_amount_of_a_plan_survives_being_written_down(situation):
    for value in reachable(situation.plan()):
        if isinstance(value, Decimal):
            assert decimal_from_text(plain(value)) == value


@given(likely_trades())
def test_after_a_perfect_fill_the_next_plan_never_turns_round(situation):
    order = situation.plan().order

    assume(order is not None)
    assert order is not None
    again = trade(situation, order).plan()
    assert again.order is None or again.order.side is order.side


@given(likely_trades(ample=True))
def test_after_a_perfect_fill_that_nothing_held_back_there_is_no_order(situation):
    first = situation.plan()
    order = first.order

    assume(order is not None)
    assert order is not None
    traded = trade(situation, order)
    assume(not held_back(situation, first))
    again = traded.plan()
    if isinstance(again.order, MarketSell):
        assert again.order.base_quantity == situation.rules.least_quantity
        last = trade(traded, again.order)
        assert last.plan().order is None
    else:
        assert again.order is None


@given(likely_trades())
def test_every_perfect_fill_brings_the_balance_nearer_or_into_its_band(situation):
    decided = situation.plan()

    assume(decided.order is not None)
    assert decided.order is not None
    held = trade(situation, decided.order).plan().held
    target, band = situation.settings.fixed_goal.target, situation.settings.fixed_goal.band
    assert abs(held - target) < abs(decided.held - target) or band.holds(held)


@given(any_situations)
def test_a_step_is_called_too_coarse_only_where_it_would_leave_the_band(situation):
    decided = situation.plan()

    if isinstance(decided.reason, StepTooCoarse):
        assert decided.reason.step_value > decided.reason.shortfall > 0


def held_back(situation: Situation, decided: Plan) -> bool:
    """Whether one step more was refused by something other than the drift."""
    order, limits = decided.order, situation.rules
    if isinstance(order, MarketBuy):
        one_more = order.quote_amount + max(limits.quote_step, CENT)
        extra = ONE + max(limits.taker_fee_rate, FEE_RESERVE)
        return (
            one_more > limits.max_notional
            or exact_product(one_more, extra) > situation.holdings.of(USDT).free
        )
    if isinstance(order, MarketSell):
        one_more = order.base_quantity + limits.quantity_step
        best = situation.book.bids[0].price
        worst = situation.book.bids[-1].price
        return (
            one_more > situation.holdings.of(MNTL).free
            or exact_product(one_more, best) > limits.max_notional
            or worst < exact_product(best, ONE - MARKET_REACH)
            or one_more > sum(level.quantity for level in situation.book.bids)
        )
    return False


@given(any_situations)
def test_a_fixed_target_of_the_new_kind_is_planned_as_ever(situation):
    settings = situation.settings
    target = TargetSettings(
        target=FixedUsdt(settings.fixed_goal.target), threshold=settings.threshold, token=MNTL
    )
    with localcontext(EXACT_OR_LESS):
        goal = usdt_goal(target, destination=usual_destination(target.target))

    assert goal == goal_of(settings)
    assert not needs_price(target)
    assert situation.plan() == plan_to(
        goal,
        counting=settings.counting,
        holdings=situation.holdings,
        rules=situation.rules,
        book=situation.book,
        ignore_band=situation.ignore_band,
    )


_WAYS = st.sampled_from(Destination).map(lambda destination: destination.way)


@st.composite
def wide_goals(draw: st.DrawFn) -> tuple[Situation, UsdtGoal]:
    """A band around the target that an order fits into: with a centre, or a floor or a ceiling."""
    situation = draw(likely_trades(ample=True))
    target = situation.settings.fixed_goal.target
    reach = max(target * draw(st.integers(1, 20)) / 100, 4 * smallest_order(situation.rules))
    edges = Edges(max(Decimal(0), target - reach), target, target + reach)
    shape = draw(st.sampled_from(["band", "floor", "ceiling"]))
    if shape != "band":
        edges = replace(edges, centre=None, high=NO_EDGE) if shape == "floor" else edges
        edges = replace(edges, centre=None, low=Decimal(0)) if shape == "ceiling" else edges
    return replace(situation, ignore_band=False), UsdtGoal(edges, draw(_WAYS))


def planned(situation: Situation, goal: UsdtGoal) -> Plan:
    return plan_to(
        goal,
        counting=situation.settings.counting,
        holdings=situation.holdings,
        rules=situation.rules,
        book=situation.book,
    )


@given(wide_goals())
def test_a_trade_of_any_goal_leads_inside_and_never_beyond_its_centre(case):
    situation, goal = case
    decided = planned(situation, goal)
    order, held, edges = decided.order, decided.held, goal.edges

    if order is None or isinstance(order, BoundedOrder):
        return
    assert not edges.holds(held)
    assert (order.side is Side.BUY) is (held > edges.high)
    if isinstance(order, MarketBuy):
        inside = edges.low if edges.centre is None else edges.centre
        assert order.quote_amount <= held - inside
    after = trade(situation, order)
    again = planned(after, goal)
    assert again.order is None or again.order.side is order.side
    if isinstance(order, MarketBuy) and not held_back(situation, decided):
        assert again.order is None
