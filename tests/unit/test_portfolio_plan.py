"""Plans from balances, prices and rules: what is traded, in which order, and what stops a plan."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.risk_limits import Limits, Recent
from engine.domain.execution.bounded_order import Wanted
from engine.domain.market.balances import Balance, Counting, Holdings
from engine.domain.market.decimals import ONE, ZERO, floor_to_step
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.market.quotes import Quote, Quotes
from engine.domain.portfolio.plan import (
    Leg,
    MissingPrices,
    NothingManaged,
    OldPrices,
    PlanInputs,
    PortfolioPlan,
    plan_portfolio,
)
from engine.domain.portfolio.position import LegReason
from engine.domain.portfolio.run import NextOrder, RunEnd, begun, next_order
from engine.domain.rebalancing.leg_order import market_order, wanted_of
from engine.domain.rebalancing.limit_checks import plan_over_limit
from engine.domain.rebalancing.planner import (
    LimitKind,
    MarketBuy,
    MarketSell,
    NothingFree,
    PairClosed,
)
from engine.domain.targets.bands import Threshold
from engine.domain.targets.destination import Destination
from engine.domain.targets.forecast import trade_prices
from engine.domain.targets.goals import TargetSettings
from engine.domain.targets.outside import Beyond
from engine.domain.targets.target import (
    Basket,
    FixedUsdt,
    TokenWorth,
    UsdtRange,
    UsdtShare,
)
from tests.builders import MNTL, book, rules
from tests.fakes.clock import START

BTC, ETH, DOGE = Asset("BTC"), Asset("ETH"), Asset("DOGE")
# The middles are 100,000, 4,000 and 0.002 USDT.
_QUOTES = {
    BTC: Quote(Decimal(99_995), Decimal(100_005)),
    ETH: Quote(Decimal("3999.8"), Decimal("4000.2")),
    MNTL: Quote(Decimal("0.001999"), Decimal("0.002001")),
}
_STEPS = {BTC: "0.00000001", ETH: "0.000001", MNTL: "1"}


def _inputs(held: Mapping[Asset, Any] | None = None, **changes: Any) -> PlanInputs:
    """BTC 50, ETH 30, USDT 20, each within 5 % of its weight; 1,000 USDT at these weights."""
    balances: dict[Asset, Any] = {BTC: "0.005", ETH: "0.075", USDT: 200, **(held or {})}
    values: dict[str, Any] = {
        "settings": TargetSettings(
            target=Basket.of([(BTC, 5), (ETH, 3), (USDT, 2)]),
            threshold=Threshold(relative=Decimal("0.05")),
            token=MNTL,
        ),
        "destination": Destination.HALF,
        "holdings": Holdings(
            {
                asset: b if isinstance(b, Balance) else Balance(Decimal(b))
                for asset, b in balances.items()
            },
            START,
        ),
        "quotes": Quotes(_QUOTES, START),
        "rules": {
            asset: rules(base=asset, symbol=Symbol(asset + USDT), quantity_step=step)
            for asset, step in _STEPS.items()
        },
    }
    return PlanInputs(**(values | changes))


def _plan(held: Mapping[Asset, Any] | None = None, **changes: Any) -> PortfolioPlan:
    plan = plan_portfolio(_inputs(held, **changes), now=START)
    assert isinstance(plan, PortfolioPlan)
    return plan


def _traded(inputs: PlanInputs, leg: Leg, part: Decimal = ONE) -> PlanInputs:
    """After *part* of a leg was filled at the best price of its side, the fee paid in USDT."""
    quote, pair = inputs.quotes.by_asset[leg.asset], inputs.rules[leg.asset]
    usdt, base = inputs.holdings.of(USDT), inputs.holdings.of(leg.asset)
    if leg.base_quantity is not None:
        moved = pair.floor_quantity(leg.base_quantity * part)
        change = moved * quote.bid * (ONE - pair.taker_fee_rate)
        moved = -moved
    else:
        moved = pair.floor_quantity(leg.quote_amount * part / quote.ask)
        change = -moved * quote.ask * (ONE + pair.taker_fee_rate)
    balances = {
        **inputs.holdings.balances,
        USDT: replace(usdt, free=usdt.free + change),
        leg.asset: replace(base, free=base.free + moved),
    }
    return replace(inputs, holdings=replace(inputs.holdings, balances=balances))


def test_inside_every_band_there_is_no_trade():
    plan = _plan()

    assert (plan.whole, plan.outside, plan.legs) == (Decimal(1000), {}, ())


def test_sells_come_first_and_quantities_are_whole_steps():
    plan = _plan({BTC: "0.006", ETH: "0.060", USDT: 160})

    assert [(leg.asset, leg.side) for leg in plan.legs] == [(BTC, Side.SELL), (ETH, Side.BUY)]
    sell, buy = plan.legs
    assert sell.base_quantity == floor_to_step(sell.base_quantity or ZERO, Decimal("0.00000001"))
    assert sell.quote_amount == (sell.base_quantity or ZERO) * 100_000
    assert buy.base_quantity is None
    assert buy.quote_amount == floor_to_step(buy.quote_amount, Decimal("0.01"))
    assert plan.turnover == sell.quote_amount + buy.quote_amount
    assert plan.outside == {BTC: Beyond.HIGH, ETH: Beyond.LOW, USDT: Beyond.LOW}


def test_a_token_that_the_target_does_not_name_is_neither_counted_nor_traded():
    assert _plan({DOGE: 10**6}) == _plan()


def test_a_missing_price_stops_the_plan_and_is_named():
    quotes = Quotes({BTC: _QUOTES[BTC]}, START)

    found = plan_portfolio(_inputs({BTC: "0.009"}, quotes=quotes), now=START)

    assert found == MissingPrices((ETH,))


@pytest.mark.parametrize(
    ("age", "expected"),
    [(timedelta(seconds=5), PortfolioPlan), (timedelta(seconds=5.1), OldPrices)],
)
def test_prices_older_than_five_seconds_are_no_plan(age: timedelta, expected: type):
    assert isinstance(plan_portfolio(_inputs(), now=START + age), expected)


def test_nothing_held_is_said_and_not_divided_by():
    found = plan_portfolio(_inputs({BTC: 0, ETH: 0, USDT: 0}), now=START)

    assert found == NothingManaged()


def test_nothing_is_bought_into_a_protected_amount_that_is_not_held():
    plan = _plan({BTC: "0.001"}, protected={BTC: Decimal("0.005")})

    assert plan.values[BTC] == ZERO
    assert plan.reasons[BTC] is LegReason.PROTECTED
    assert BTC not in {leg.asset for leg in plan.legs}


def test_nothing_is_sold_into_protected_usdt_that_is_not_held():
    plan = _plan({BTC: "0.009", USDT: 20}, protected={USDT: Decimal(50)})

    assert plan.values[USDT] == ZERO
    assert plan.reasons[BTC] is LegReason.PROTECTED
    assert plan.legs == ()


def test_a_deposit_that_waits_is_as_if_it_were_not_there():
    assert _plan({USDT: 700}, waiting=Decimal(500)) == _plan()
    assert _plan({USDT: 700}).legs


def test_a_protected_amount_is_never_sold():
    plan = _plan({BTC: "0.009"}, protected={BTC: Decimal("0.008")})

    sold = sum((leg.base_quantity or ZERO for leg in plan.legs if leg.asset == BTC), ZERO)
    assert plan.values[BTC] == Decimal(100)
    assert sold <= Decimal("0.001")


def test_a_closed_side_is_a_reason():
    closed = {**_inputs().rules, BTC: rules(base=BTC, symbol=Symbol("BTCUSDT"), selling=False)}

    plan = _plan({BTC: "0.009"}, rules=closed)

    assert plan.reasons[BTC] is LegReason.SIDE_CLOSED


def test_usdt_in_open_orders_is_counted_and_not_spent():
    locked = Balance(free=Decimal(20), locked=Decimal(280))

    plan = _plan({ETH: "0.050", USDT: locked})

    assert plan.whole == Decimal(1000)
    bought = sum((leg.quote_amount for leg in plan.legs if leg.side is Side.BUY), ZERO)
    sold = sum((leg.quote_amount for leg in plan.legs if leg.side is Side.SELL), ZERO)
    assert bought <= sold + 20


def test_only_free_coins_count_where_the_chat_says_so():
    locked = Balance(free=Decimal(200), locked=Decimal(500))

    assert _plan({USDT: locked}, counting=Counting.FREE).legs == ()


def test_a_price_that_is_only_outside_in_the_middle_does_not_trade():
    wide = {**_QUOTES, BTC: Quote(Decimal(100_000), Decimal(130_000))}

    plan = _plan(quotes=Quotes(wide, START))

    assert plan.outside
    assert plan.legs == ()


def test_a_person_may_trade_to_the_centre_from_inside():
    inputs = _inputs({BTC: "0.0051", ETH: "0.075", USDT: 190})

    assert _plan({BTC: "0.0051", USDT: 190}).legs == ()
    found = plan_portfolio(inputs, now=START, to_centre=True)
    assert isinstance(found, PortfolioPlan)
    assert [leg.side for leg in found.legs] == [Side.SELL]
    assert abs(found.legs[0].quote_amount - 10) < Decimal("0.02")


def test_a_token_that_is_not_to_be_held_is_sold_whole():
    settings = TargetSettings(
        target=Basket.of([(BTC, 0), (ETH, 1)]),
        threshold=Threshold(relative=Decimal("0.05")),
        token=MNTL,
    )

    plan = _plan({BTC: "0.001", ETH: "0.2", USDT: 10}, settings=settings)

    assert (BTC, Decimal("0.001")) in {(leg.asset, leg.base_quantity) for leg in plan.legs}


_RELATIVE, _POINTS = Threshold(relative=Decimal("0.05")), Threshold(points=Decimal("0.02"))
_SETTINGS = [
    TargetSettings(target=target, threshold=drift, token=BTC)
    for drift in (_RELATIVE, _POINTS, Threshold(quote_amount=Decimal(5)))
    for target in (
        Basket.of([(BTC, 5), (ETH, 3), (USDT, 2)]),
        Basket.of([(BTC, 1), (ETH, 1)]),
        Basket.of([(BTC, 2), (ETH, 1)], fixed_quote=Decimal(60)),
        Basket.of([(BTC, 0), (ETH, 1), (USDT, 1)]),
        UsdtShare(Decimal(25)),
        TokenWorth(BTC, Decimal(100)),
        FixedUsdt(Decimal(120)),
        UsdtRange(low=Decimal(100)),
        UsdtRange(low=Decimal(100), high=Decimal(200)),
    )
]


@given(
    settings=st.sampled_from(_SETTINGS),
    btc=st.integers(0, 300),
    eth=st.integers(0, 300),
    usdt=st.integers(0, 3000),
    part=st.sampled_from([ONE, Decimal("0.6")]),
    way=st.sampled_from(Destination),
)
def test_a_run_ends_with_all_inside_or_says_why_and_cash_stays_above_its_floor(
    settings, btc, eth, usdt, part, way
):
    held = {BTC: Decimal(btc).scaleb(-4), ETH: Decimal(eth).scaleb(-3), USDT: usdt}
    inputs = _inputs(held, settings=settings, destination=way)
    plan = plan_portfolio(inputs, now=START)
    if isinstance(plan, NothingManaged):
        return
    run = None
    for _ in range(9):
        assert isinstance(plan, PortfolioPlan)
        step = next_order(run or begun(plan), plan)
        if isinstance(step, RunEnd):
            break
        run = step.run
        floor = min(plan.values[USDT], ONE)
        inputs = _traded(inputs, step.leg, part)
        assert inputs.holdings.of(USDT).free >= floor - Decimal("0.01")
        plan = plan_portfolio(inputs, now=START)
    else:
        raise AssertionError("the run did not end")

    if part == ONE and way is not Destination.EDGE:
        assert step is RunEnd.INSIDE or plan.reasons
    assert run is None or run.orders <= 4


@given(
    st.integers(1_800_000, 2_200_000)
    | st.integers(1_873_014, 1_873_017)
    | st.integers(2_140_349, 2_140_352)
)
def test_only_a_price_outside_of_the_two_that_were_shown_trades(price):
    settings = TargetSettings(
        target=UsdtShare(Decimal(25)), threshold=Threshold(relative=Decimal("0.05")), token=MNTL
    )
    held = {USDT: Decimal(250), MNTL: Decimal(375_000)}
    ends = trade_prices(settings.goals, held[MNTL], {USDT: held[USDT]}, asset=MNTL)
    mid = Decimal(price).scaleb(-9)
    quotes = Quotes({MNTL: Quote(mid - Decimal("1e-15"), mid + Decimal("1e-15"))}, START)

    plan = _plan(held, settings=settings, quotes=quotes)

    assert ends.below is not None
    assert ends.above is not None
    is_inside = ends.below <= mid <= ends.above
    assert bool(plan.legs) is not is_inside


def test_a_floor_is_raised_to_by_a_smallest_order_more():
    settings = TargetSettings(
        target=UsdtRange(low=Decimal(100)),
        threshold=Threshold(relative=Decimal("0.05")),
        token=BTC,
    )

    plan = _plan({BTC: "0.01", USDT: 90}, settings=settings)

    assert [(leg.asset, leg.side) for leg in plan.legs] == [(BTC, Side.SELL)]
    assert Decimal("11.10") < plan.legs[0].quote_amount < Decimal("11.12")


def test_a_token_that_is_to_be_worth_an_amount_is_bought_up_to_it():
    settings = TargetSettings(
        target=TokenWorth(BTC, Decimal(100)),
        threshold=Threshold(relative=Decimal("0.05")),
        token=MNTL,
    )

    plan = _plan({BTC: 0, USDT: 500}, settings=settings)

    assert [(leg.asset, leg.side) for leg in plan.legs] == [(BTC, Side.BUY)]
    assert Decimal("97.4") < plan.legs[0].quote_amount <= Decimal("97.5")


def test_a_run_without_progress_or_with_too_many_orders_ends():
    plan = _plan({BTC: "0.006", ETH: "0.060", USDT: 160})
    first = next_order(begun(plan), plan)
    assert isinstance(first, NextOrder)
    second = next_order(first.run, plan)
    assert isinstance(second, NextOrder)

    assert next_order(second.run, plan) is RunEnd.NO_PROGRESS
    assert next_order(replace(first.run, orders=4), plan) is RunEnd.MOST_ORDERS
    assert next_order(first.run, replace(plan, legs=())) is RunEnd.NO_LEG
    assert next_order(first.run, replace(plan, legs=(), outside={})) is RunEnd.INSIDE


def test_a_leg_becomes_an_order_in_its_own_book_or_the_reason_for_none():
    pair, market = rules(), book(bids=[("0.0019", 10**7)], asks=[("0.0021", 10**7)])
    sell = Leg(asset=MNTL, side=Side.SELL, quote_amount=Decimal(20), base_quantity=Decimal(10_000))
    buy = Leg(asset=MNTL, side=Side.BUY, quote_amount=Decimal("20.02"))
    held = Holdings({USDT: Balance(Decimal(100)), MNTL: Balance(Decimal(50_000))}, START)

    sold = market_order(sell, holdings=held, rules=pair, book=market)
    bought = market_order(buy, holdings=held, rules=pair, book=market)

    assert isinstance(sold, MarketSell)
    assert sold.base_quantity == Decimal(10_000)
    assert isinstance(bought, MarketBuy)
    assert bought.quote_amount == Decimal("20.02")
    nothing = Holdings({}, START)
    assert isinstance(market_order(buy, holdings=nothing, rules=pair, book=market), NothingFree)
    shut = rules(online=False)
    assert market_order(buy, holdings=held, rules=shut, book=market) == PairClosed()
    assert wanted_of(sell) == Wanted(base_quantity=Decimal(10_000))
    assert wanted_of(buy) == Wanted(quote_amount=Decimal("20.02"))


@pytest.mark.parametrize(
    ("limits", "recent", "kind"),
    [
        (Limits(order=Decimal(50)), Recent(), LimitKind.ORDER),
        (Limits(day=Decimal(200)), Recent(turnover=Decimal(75)), LimitKind.DAY),
        (Limits(orders_per_hour=3), Recent(orders=2), LimitKind.HOUR),
        (Limits(day=Decimal(200), orders_per_hour=2), Recent(), None),
    ],
)
def test_a_plan_whose_orders_together_break_a_limit_is_refused_whole(limits, recent, kind):
    plan = _plan({BTC: "0.006", ETH: "0.060", USDT: 160})
    assert 130 < plan.turnover < 150

    found = plan_over_limit(plan, limits=limits.for_target(Decimal(1000)), recent=recent)

    assert (found and found.kind) is kind
