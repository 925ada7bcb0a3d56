"""Laws of a plan over several pairs, whatever is held. The fewest trades are compared with those of
an optimiser that tries every set.
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, localcontext

from hypothesis import assume, given
from hypothesis import strategies as st

from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.portfolio.fewest import fewest
from engine.domain.portfolio.one_side import only_buys, only_sells
from engine.domain.portfolio.position import (
    PLANNING,
    LegReason,
    Portfolio,
    Position,
    Sizes,
    cash_after,
)
from engine.domain.portfolio.to_centre import to_centre
from engine.domain.targets.bands import ShareBand, Threshold
from engine.domain.targets.goals import Goal, Line, TargetSettings
from engine.domain.targets.target import Basket

_NAMES = [Asset(name) for name in "ABCDE"]
_LEAST = Decimal("1.10")
_COSTS = [ZERO, Decimal("0.0005"), Decimal("0.003"), Decimal("0.02")]
_WAYS = st.sampled_from([ZERO, Decimal("0.5"), ONE])


@st.composite
def portfolios(
    draw: st.DrawFn,
    *,
    tokens: int = 4,
    costs: list[Decimal] = _COSTS,
    steps: bool = False,
    doors: bool = False,
) -> Portfolio:
    """Of some thousand USDT: the least order is small beside the bands. *steps* makes sizes round,
    *doors* closes sides and locks coins.
    """
    count = draw(st.integers(1, tokens))
    names = _NAMES[:count]
    parts = draw(st.lists(st.integers(5, 40), min_size=count, max_size=count))
    drift = Threshold(relative=Decimal(draw(st.integers(5, 25))).scaleb(-2))
    basket = Basket.of([*zip(names, parts, strict=True), (USDT, draw(st.integers(3, 30)))])
    goals = TargetSettings(target=basket, threshold=drift, token=names[0]).goals
    cost_rate = draw(st.sampled_from(costs))
    held = draw(st.lists(st.integers(300, 4000), min_size=count, max_size=count))
    positions = []
    for name, amount in zip(names, held, strict=True):
        value = Decimal(amount)
        closed = [None, None, None, LegReason.SIDE_CLOSED] if doors else [None]
        positions.append(
            Position(
                asset=name,
                value=value,
                goal=goals.of(name),
                free=value * draw(st.sampled_from([ONE, ONE, Decimal("0.1")])) if doors else value,
                cost_rate=cost_rate,
                least=_LEAST,
                inset=_LEAST,
                buy_step=Decimal("0.01") if steps else ZERO,
                sell_step=draw(st.sampled_from([Decimal("0.002"), Decimal("0.7")]))
                if steps
                else ZERO,
                buying=draw(st.sampled_from(closed)),
                selling=draw(st.sampled_from(closed)),
            )
        )
    cash = Decimal(draw(st.integers(0, 2500)))
    return Portfolio(
        cash=cash, cash_goal=goals.of(USDT), positions=positions, floor=ONE if doors else ZERO
    )


def after(portfolio: Portfolio, sizes: Sizes) -> Portfolio:
    """What is there when every trade was filled as planned."""
    with localcontext(PLANNING):
        positions = [
            replace(p, value=p.value + change, free=max(ZERO, p.free + change))
            for p in portfolio.positions
            for change in (sizes.trades.get(p.asset, ZERO),)
        ]
        return replace(portfolio, positions=positions, cash=cash_after(portfolio, sizes.trades))


def outside(portfolio: Portfolio) -> set[Asset]:
    near = portfolio.whole * Decimal("1e-6")
    held = {p.asset: (p.goal, p.value) for p in portfolio.positions}
    held[USDT] = portfolio.cash_goal, portfolio.cash
    found = set()
    for asset, (goal, value) in held.items():
        edges = goal.at(portfolio.whole)
        if not edges.low - near <= value <= edges.high + near:
            found.add(asset)
    return found


def sets_that_work(portfolio: Portfolio) -> Iterator[int]:
    """Tries every set of trades, without costs; yields how many trades each has that can end with
    everything inside.
    """
    whole = portfolio.whole
    cash = portfolio.cash_goal.at(whole)
    options = []
    for position in portfolio.positions:
        edges, value = position.goal.at(whole), position.value
        sold = max(value - edges.high, position.least), min(value - edges.low, position.free)
        bought = max(edges.low - value, position.least), edges.high - value
        near = whole * Decimal("1e-20")  # a quotient was rounded
        ways = [(ZERO, ZERO, 0)] if edges.low - near <= value <= edges.high + near else []
        if position.selling is None and sold[0] <= sold[1]:
            ways.append((*sold, 1))
        if position.buying is None and bought[0] <= bought[1]:
            ways.append((-bought[1], -bought[0], 1))
        options.append(ways)
    for chosen in itertools.product(*options):
        least = portfolio.cash + sum(low for low, _, _ in chosen)
        most = portfolio.cash + sum(high for _, high, _ in chosen)
        if most >= max(cash.low, portfolio.floor) and least <= cash.high:
            yield sum(count for _, _, count in chosen)


@given(portfolio=portfolios(costs=[ZERO]), way=_WAYS)
def test_no_set_of_trades_is_smaller_than_the_fewest(portfolio, way):
    found = fewest(portfolio, way=way)

    best = min(sets_that_work(portfolio), default=None)
    if best is None:
        assert found.reasons
    else:
        assert found.reasons == {}
        assert len(found.trades) == best


@given(portfolio=portfolios(doors=True, steps=True), way=_WAYS)
def test_all_ends_inside_or_has_a_reason_and_nothing_is_pushed_out(portfolio, way):
    found = fewest(portfolio, way=way)

    left = outside(after(portfolio, found))
    assert left <= set(found.reasons)
    # The costs of all trades may still lift what cannot trade over its edge.
    assert not (left - outside(portfolio)) & set(found.trades)


@given(portfolio=portfolios(doors=True, steps=True), way=_WAYS)
def test_every_trade_is_one_that_the_exchange_takes(portfolio, way):
    found = fewest(portfolio, way=way)

    for position in portfolio.positions:
        size = found.trades.get(position.asset, _LEAST)
        assert abs(size) >= position.least
        side = Side.BUY if size > 0 else Side.SELL
        if position.asset in found.trades:
            assert position.closed(side) is None
            assert -size <= position.free
            step = position.buy_step if side is Side.BUY else position.sell_step
            assert size % step == 0


@given(portfolio=portfolios(doors=True, steps=True), way=_WAYS)
def test_cash_is_never_under_its_floor_whatever_the_order_of_the_buys(portfolio, way):
    found = fewest(portfolio, way=way)

    least = min(portfolio.cash, portfolio.floor)
    assert cash_after(portfolio, found.trades) >= least - portfolio.whole * Decimal("1e-11")


@given(portfolio=portfolios(doors=True, steps=True), way=_WAYS)
def test_value_is_conserved(portfolio, way):
    found = fewest(portfolio, way=way)

    with localcontext(PLANNING):
        assert after(portfolio, found).whole == portfolio.whole - found.cost


@given(portfolio=portfolios(costs=[ZERO]), way=_WAYS)
def test_without_costs_what_trades_move_is_what_cash_moves(portfolio, way):
    found = fewest(portfolio, way=way)

    with localcontext(PLANNING):
        change = cash_after(portfolio, found.trades) - portfolio.cash
        assert sum(found.trades.values()) + change == 0


@given(portfolio=portfolios(), way=_WAYS)
def test_planning_what_a_complete_plan_came_to_gives_no_trade(portfolio, way):
    found = fewest(portfolio, way=way)

    assume(not found.reasons)
    assert fewest(after(portfolio, found), way=way).trades == {}


@given(portfolio=portfolios(), way=_WAYS)
def test_seven_times_as_much_trades_seven_times_as_much(portfolio, way):
    larger = replace(
        portfolio,
        cash=portfolio.cash * 7,
        positions=[
            replace(p, value=p.value * 7, free=p.free * 7, least=p.least * 7, inset=p.inset * 7)
            for p in portfolio.positions
        ],
    )
    found, scaled = fewest(portfolio, way=way), fewest(larger, way=way)

    assert found.trades.keys() == scaled.trades.keys()
    assert found.reasons == scaled.reasons
    for asset, size in found.trades.items():
        assert abs(size * 7 - scaled.trades[asset]) < Decimal("1e-9")


@given(portfolio=portfolios(doors=True, steps=True), way=_WAYS)
def test_the_order_of_the_tokens_does_not_matter(portfolio, way):
    turned = replace(portfolio, positions=[*reversed(portfolio.positions)])

    assert fewest(turned, way=way) == fewest(portfolio, way=way)


@given(portfolios())
def test_bands_without_a_width_give_the_closed_form(portfolio):
    narrow = replace(
        portfolio,
        cash_goal=Goal(Line(), portfolio.cash_goal.centre, Line(share=ONE)),
        positions=[
            replace(p, least=ZERO, goal=replace(p.goal, low=p.goal.centre, high=p.goal.centre))
            for p in portfolio.positions
        ],
    )
    centred = to_centre(narrow)
    found = fewest(narrow, way=ONE)

    assume(not found.reasons)
    for asset, size in centred.trades.items():
        assert abs(found.trades.get(asset, ZERO) - size) < Decimal("1e-8")


@given(portfolios())
def test_the_closed_form_ends_at_every_centre(portfolio):
    done = after(portfolio, to_centre(portfolio))

    for goal, value in [
        *((p.goal, p.value) for p in done.positions),
        (done.cash_goal, done.cash),
    ]:
        assert goal.centre is not None
        assert abs(goal.centre.at(done.whole) - value) < Decimal("1e-9")


@given(portfolio=portfolios(), way=_WAYS)
def test_the_fewest_are_no_more_than_all_to_the_centre(portfolio, way):
    assert len(fewest(portfolio, way=way).trades) <= len(to_centre(portfolio).trades)


_AMOUNTS = st.lists(st.integers(0, 3000), min_size=3, max_size=3)
_WEIGHTS = st.lists(st.integers(1, 50), min_size=3, max_size=3)


@given(held=_AMOUNTS, parts=_WEIGHTS, money=st.integers(1, 3000))
def test_buys_alone_spend_all_of_it_on_the_poorest(held, parts, money):
    values = dict(zip(_NAMES, map(Decimal, held), strict=False))
    weights = dict(zip(_NAMES, map(Decimal, parts), strict=False))
    found = only_buys(values, weights, money=Decimal(money))

    near = Decimal("1e-20")
    assert abs(sum(found.amounts.values()) - money) < near
    for asset, value in values.items():
        ratio = (value + found.amounts.get(asset, ZERO)) / weights[asset]
        assert ratio >= found.level - near
        assert asset not in found.amounts or ratio <= found.level + near


@given(held=_AMOUNTS, parts=_WEIGHTS, money=st.integers(1, 9000))
def test_sells_alone_sell_no_more_than_is_held_of_the_richest(held, parts, money):
    values = dict(zip(_NAMES, map(Decimal, held), strict=False))
    weights = dict(zip(_NAMES, map(Decimal, parts), strict=False))
    found = only_sells(values, weights, money=Decimal(money))

    near = Decimal("1e-20")
    assert abs(sum(found.amounts.values()) - min(money, sum(held))) < near
    for asset, value in values.items():
        rest = value - found.amounts.get(asset, ZERO)
        assert rest >= -near
        assert rest / weights[asset] <= found.level + near


def test_equal_thirds_never_leave_a_trade_behind():
    basket = Basket.of([(name, 1) for name in _NAMES[:3]])
    goals = TargetSettings(
        target=basket, threshold=Threshold(relative=Decimal("0.05")), token=_NAMES[0]
    ).goals
    positions = [
        Position(asset=name, value=Decimal(100), goal=goals.of(name), free=Decimal(100))
        for name in _NAMES[:3]
    ]
    even = Portfolio(cash=ZERO, cash_goal=goals.of(USDT), positions=positions)

    assert fewest(even, way=ONE) == Sizes()
    assert ShareBand.around(ONE / 3, Threshold(points=Decimal("0.05"))).holds(ONE / 3)
