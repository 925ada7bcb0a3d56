"""What is said before a target is set: money, prices, the least account, costs; or why not."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.market.quotes import Quote, Quotes
from engine.domain.portfolio.consequence import (
    Consequence,
    NeverInside,
    OffCentre,
    consequence,
    refusal,
)
from engine.domain.portfolio.plan import MissingPrices, PlanInputs, PortfolioPlan, plan_portfolio
from engine.domain.rebalancing.planner import MarketBuy, plan
from engine.domain.targets.bands import BandSums, ShareBand, Threshold
from engine.domain.targets.destination import Destination, usual_destination
from engine.domain.targets.goals import TargetSettings
from engine.domain.targets.scaling import daily_volatility
from engine.domain.targets.target import (
    Basket,
    FixedUsdt,
    Target,
    TokenWorth,
    UsdtRange,
    UsdtShare,
)
from tests.builders import MNTL, book, holdings, rules, settings
from tests.fakes.clock import START

A, B = Asset("A"), Asset("B")
MIDDLE = Quote(Decimal("0.001999"), Decimal("0.002001"))
FIVE_PERCENT = Threshold(relative=Decimal("0.05"))


def _target(target: Target, **changes: Any) -> TargetSettings:
    return TargetSettings(
        **({"target": target, "threshold": FIVE_PERCENT, "token": MNTL} | changes)
    )


def _inputs(target: TargetSettings, *, usdt: int, mntl: int, **changes: Any) -> PlanInputs:
    values: dict[str, Any] = {
        "settings": target,
        "destination": usual_destination(target.target),
        "holdings": holdings(usdt=usdt, mntl=mntl),
        "quotes": Quotes({MNTL: MIDDLE}, START),
        "rules": {MNTL: rules()},
    }
    return PlanInputs(**(values | changes))


def _said(
    target: TargetSettings, *, usdt: int = 250, mntl: int = 375_000, **more: Any
) -> Consequence:
    found = consequence(
        _inputs(target, usdt=usdt, mntl=mntl, **more),
        now=START,
        daily_volatility={MNTL: Decimal("0.06")},
    )
    assert isinstance(found, Consequence)
    return found


def test_a_share_says_its_money_its_prices_its_least_account_and_its_cost():
    said = _said(_target(UsdtShare(Decimal(25))))

    assert said.plan.legs == ()
    assert (said.edges[USDT].low, said.edges[USDT].high) == (Decimal("237.5"), Decimal("262.5"))
    prices = said.prices[MNTL]
    assert prices.below is not None
    assert prices.above is not None
    assert round(prices.below, 8) == Decimal("0.00187302")
    assert round(prices.above, 8) == Decimal("0.00214035")
    assert said.least == Decimal(176)
    assert not said.is_too_small
    # 6.75 USDT are traded a day, and a side costs 0.1 %.
    assert said.monthly_cost is not None
    assert round(said.monthly_cost, 4) == Decimal("0.2025")


def test_an_account_that_is_too_small_is_known_before():
    said = _said(_target(UsdtShare(Decimal(25))), usdt=25, mntl=37_500)

    assert said.is_too_small


@pytest.mark.parametrize(
    "target",
    [FixedUsdt(Decimal(300)), UsdtRange(low=Decimal(300)), TokenWorth(MNTL, Decimal(300))],
)
def test_an_amount_that_is_not_there_is_said(target: Target):
    said = _said(_target(target), usdt=50, mntl=50_000)

    assert said.missing == Decimal(150)


def test_an_amount_of_usdt_trades_at_no_price_and_costs_nothing():
    said = _said(_target(FixedUsdt(Decimal(250))))

    assert (said.prices[MNTL].below, said.prices[MNTL].above) == (None, None)
    assert said.monthly_cost == ZERO
    assert said.least is None


def test_without_a_volatility_no_cost_is_told():
    inputs = _inputs(_target(UsdtShare(Decimal(25))), usdt=250, mntl=375_000)

    found = consequence(inputs, now=START, daily_volatility={MNTL: None})

    assert isinstance(found, Consequence)
    assert found.monthly_cost is None


def test_without_a_price_nothing_is_said_but_that():
    inputs = _inputs(_target(UsdtShare(Decimal(25))), usdt=1, mntl=1, quotes=Quotes({}, START))

    assert consequence(inputs, now=START, daily_volatility={}) == MissingPrices((MNTL,))


def _bands(**edges: tuple[str, str]) -> dict[Asset, ShareBand]:
    return {
        Asset(asset): ShareBand(Decimal(low), Decimal(high))
        for asset, (low, high) in edges.items()
    }


def test_bands_that_no_account_can_meet_are_refused_with_their_sums():
    basket = Basket.of([(A, 60), (B, 30), (USDT, 10)])
    bands = _bands(A=("0.55", "0.7"), B=("0.35", "0.5"), USDT=("0.15", "0.2"))

    refused = refusal(_target(basket, bands=bands))

    assert refused == NeverInside(BandSums(Decimal("1.05"), Decimal("1.4")))


@pytest.mark.parametrize(
    ("bands", "assets"),
    [
        (_bands(A=("0.61", "0.7")), (A,)),
        (_bands(A=("0.6", "0.9"), B=("0.1", "0.29")), (B,)),
        (_bands(MX=("0.1", "0.2")), (Asset("MX"),)),
    ],
)
def test_a_band_that_does_not_hold_its_weight_is_refused(bands, assets):
    basket = Basket.of([(A, 60), (B, 30), (USDT, 10)])

    assert refusal(_target(basket, bands=bands)) == OffCentre(assets)


@pytest.mark.parametrize(
    "target", [Basket.of([(A, 60), (B, 30), (USDT, 10)]), UsdtShare(Decimal(25)), FixedUsdt(ONE)]
)
@pytest.mark.parametrize("drift", [FIVE_PERCENT, Threshold(quote_amount=ONE)])
def test_a_drift_around_each_weight_can_always_be_met(target: Target, drift: Threshold):
    assert refusal(_target(target, threshold=drift)) is None


def test_a_band_may_be_wider_on_one_side():
    basket = Basket.of([(A, 60), (B, 30), (USDT, 10)])

    assert refusal(_target(basket, bands=_bands(A=("0.6", "0.9")))) is None


def test_hours_with_trades_give_a_volatility_and_too_few_give_none():
    closes = [Decimal(100 + number % 2) for number in range(168)]
    found = daily_volatility(closes)

    assert found is not None
    assert Decimal("0.048") < found < Decimal("0.050")
    assert daily_volatility(closes[:99]) is None


@given(usdt=st.integers(0, 2000), mntl=st.integers(0, 2_000_000), target=st.integers(10, 1000))
def test_a_fixed_target_is_planned_the_same_beside_other_pairs(usdt, mntl, target):
    """The planner of one order knows the book, this one the best prices: they agree to the cost."""
    held = holdings(usdt=usdt, mntl=mntl)
    deep = book(bids=[("0.001999", 10**9)], asks=[("0.002001", 10**9)])
    one = plan(holdings=held, settings=settings(target=target), rules=rules(), book=deep)
    inputs = _inputs(_target(FixedUsdt(Decimal(target))), usdt=usdt, mntl=mntl)
    several = plan_portfolio(inputs, now=START)

    if not isinstance(several, PortfolioPlan) or usdt + mntl * Decimal("0.002") < target + 1:
        return
    legs = several.legs
    if one.order is None:  # beside others, a smaller drift is enlarged to the smallest order
        assert all(leg.quote_amount < Decimal("1.2") for leg in legs)
    else:
        assert [leg.side for leg in legs] == [one.order.side]
        buys = isinstance(one.order, MarketBuy)
        amount = legs[0].quote_amount * (1 if buys else Decimal("0.9995"))
        allowed = Decimal("0.02") + one.order.expected_quote * Decimal("0.002")
        assert abs(amount - one.order.expected_quote) <= allowed


def test_a_person_sees_which_legs_a_new_basket_begins_with():
    names = {A: "0.000001", B: "0.000001"}
    inputs = PlanInputs(
        settings=_target(Basket.of([(A, 5), (B, 3), (USDT, 2)])),
        destination=Destination.CENTRE,
        holdings=Holdings({USDT: Balance(Decimal(1000))}, START),
        quotes=Quotes({a: Quote(Decimal("0.9999"), Decimal("1.0001")) for a in names}, START),
        rules={
            a: rules(base=a, symbol=Symbol(a + USDT), quantity_step=s) for a, s in names.items()
        },
    )

    found = consequence(inputs, now=START, daily_volatility={})

    assert isinstance(found, Consequence)
    legs = [(leg.asset, leg.side, round(leg.quote_amount)) for leg in found.plan.legs]
    assert legs == [(A, Side.BUY, 500), (B, Side.BUY, 300)]


def test_the_next_prices_are_those_after_the_first_trades():
    """A29 again, reached from 100 USDT too much: half way inside, the edges are as far as they are."""
    said = _said(_target(UsdtShare(Decimal(25))), usdt=350, mntl=325_000)

    prices = said.prices[MNTL]
    assert [leg.side for leg in said.plan.legs] == [Side.BUY]
    assert prices.below is not None
    assert prices.above is not None
    assert prices.below < said.mids[MNTL] < prices.above
