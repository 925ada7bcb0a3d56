"""Targets as values: none exists wrong, and with one token each is an amount of USDT to hold."""

from decimal import Decimal
from typing import Any

import pytest

from engine.domain.market.balances import Counting
from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import USDT, Asset
from engine.domain.market.quotes import Quote
from engine.domain.portfolio.fewest import fewest
from engine.domain.portfolio.one_side import only_buys
from engine.domain.portfolio.position import Portfolio, Position, Sizes
from engine.domain.portfolio.to_centre import to_centre
from engine.domain.rebalancing.planner import MarketBuy, MarketSell, plan_to
from engine.domain.targets.bands import ShareBand, Threshold
from engine.domain.targets.crash_guard import CrashGuard
from engine.domain.targets.destination import Destination, Edges
from engine.domain.targets.forecast import least_account, likely_cost
from engine.domain.targets.goals import Goal, Goals, Line, TargetSettings, missing_fixed
from engine.domain.targets.target import (
    MOST_PARTS,
    MOST_TOKENS,
    Basket,
    FixedUsdt,
    Target,
    TokenWorth,
    UsdtRange,
    UsdtShare,
)
from engine.domain.targets.usdt_goal import needs_price, usdt_goal
from tests.builders import MNTL, book, holdings, rules

FORTY, HALF = Decimal(40), Decimal("0.5")
BTC = Asset("BTC")
FIVE_PERCENT = Threshold(relative=Decimal("0.05"))

WRONG: list[tuple[type, dict[str, Any], str]] = [
    (FixedUsdt, {"quote_amount": ZERO}, "above zero"),
    (UsdtRange, {}, "an edge at least"),
    (UsdtRange, {"low": ZERO}, "above zero"),
    (UsdtRange, {"low": FORTY, "high": FORTY}, "under the high one"),
    (UsdtRange, {"low": FORTY, "centre": FORTY}, "between two edges"),
    (UsdtRange, {"low": ONE, "high": HALF + 1, "centre": FORTY}, "between two edges"),
    (UsdtShare, {"percent": Decimal(100)}, "under 100 %"),
    (TokenWorth, {"asset": USDT, "quote_amount": FORTY}, "worth itself"),
    (TokenWorth, {"asset": MNTL, "quote_amount": -ONE}, "above zero"),
    (Basket, {"parts": ((USDT, 1),)}, "a token at least"),
    (Basket, {"parts": ((MNTL, 1), (MNTL, 2))}, "each asset once"),
    (Basket, {"parts": ((MNTL, 2), (USDT, 2))}, "no common divisor"),
    (Basket, {"parts": ((MNTL, -1), (USDT, 2))}, "below zero"),
    (Basket, {"parts": ((MNTL, MOST_PARTS + 1), (USDT, 1))}, "no common divisor"),
    (Basket, {"parts": ((MNTL, 1), (USDT, 1)), "fixed_quote": FORTY}, "either fixed"),
    (Basket, {"parts": ((MNTL, 1),), "fixed_quote": ZERO}, "above zero"),
    (
        Basket,
        {"parts": tuple((Asset(f"T{n}"), 1) for n in range(MOST_TOKENS + 1))},
        "at most 20 tokens",
    ),
    (Threshold, {}, "fraction or an amount"),
    (Threshold, {"points": HALF, "quote_amount": ONE}, "fraction or an amount"),
    (Threshold, {"relative": ONE}, "under 100 %"),
    (Threshold, {"quote_amount": ZERO}, "above zero"),
    (ShareBand, {"low": HALF, "high": Decimal("0.4")}, "within 0 and 1"),
    (ShareBand, {"low": Decimal("NaN"), "high": ONE}, "cannot be"),
    (Quote, {"bid": ONE, "ask": ONE}, "no prices"),
    (CrashGuard, {"fall": ONE}, "under 100 %"),
]


@pytest.mark.parametrize(("kind", "fields", "words"), WRONG)
def test_no_value_exists_wrong(kind: type, fields: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=words):
        kind(**fields)


def test_parts_without_a_sum_are_refused():
    with pytest.raises(ValueError, match="common divisor"):
        Basket.of([(MNTL, 0), (USDT, 0)])


def test_parts_are_reduced_and_a_share_names_the_token():
    assert Basket.of([(MNTL, 50), (USDT, 50)]).parts == ((MNTL, 1), (USDT, 1))
    assert UsdtShare(Decimal("12.5")).basket_with(MNTL).parts == ((MNTL, 7), (USDT, 1))
    assert Basket.of([(MNTL, 0), (BTC, 3)]).sold_out == (MNTL,)


def _settings(target: Target, drift: Threshold = FIVE_PERCENT) -> TargetSettings:
    return TargetSettings(target=target, threshold=drift, token=MNTL)


@pytest.mark.parametrize(
    ("target", "drift", "edges"),
    [
        (UsdtShare(Decimal(25)), FIVE_PERCENT, ("237.5", "250", "262.5")),
        (UsdtShare(Decimal(25)), Threshold(points=Decimal("0.05")), ("200", "250", "300")),
        (UsdtShare(Decimal(25)), Threshold(quote_amount=ONE), ("249", "250", "251")),
        (TokenWorth(MNTL, Decimal(100)), FIVE_PERCENT, ("895", "900", "905")),
        (FixedUsdt(FORTY), Threshold(points=Decimal("0.01")), ("30", "40", "50")),
        (Basket(((MNTL, 1),)), FIVE_PERCENT, ("0", "0", "50")),
        (Basket(((MNTL, 1),), fixed_quote=FORTY), FIVE_PERCENT, ("38", "40", "42")),
    ],
)
def test_a_target_of_one_token_is_an_amount_of_usdt(
    target: Target, drift: Threshold, edges: tuple[str, str, str]
):
    settings = _settings(target, drift)

    goal = usdt_goal(settings, destination=Destination.HALF, whole=Decimal(1000), reserve=ONE)

    assert needs_price(settings)
    assert goal.edges == Edges(*map(Decimal, edges))
    assert goal.low == max(ONE, Decimal(edges[0]))


def test_an_amount_of_usdt_needs_no_price_and_a_share_does():
    for target in (FixedUsdt(FORTY), UsdtRange(low=FORTY), UsdtRange(low=ONE, high=FORTY)):
        assert not needs_price(_settings(target))
    with pytest.raises(ValueError, match="price"):
        usdt_goal(_settings(UsdtShare(FORTY)), destination=Destination.HALF)
    with pytest.raises(ValueError, match="several tokens"):
        usdt_goal(_settings(Basket(((MNTL, 1), (BTC, 1)))), destination=Destination.HALF)


@pytest.mark.parametrize(("usdt", "amount"), [(300, "43.75"), (200, None), (260, None)])
def test_a_share_is_traded_half_way_by_the_planner_of_one_order(usdt: int, amount: str | None):
    goal = usdt_goal(
        _settings(UsdtShare(Decimal(25))), destination=Destination.HALF, whole=Decimal(1000)
    )

    found = plan_to(
        goal,
        counting=Counting.HELD,
        holdings=holdings(usdt=usdt, mntl=400_000),
        rules=rules(),
        book=book(),
    )

    if usdt == 200:
        assert isinstance(found.order, MarketSell)
        assert Decimal("43.70") < found.order.expected_quote <= Decimal("43.75")
    else:
        assert found.order is None or isinstance(found.order, MarketBuy)
        assert (found.order and found.order.expected_quote) == (amount and Decimal(amount))


def test_what_is_fixed_may_be_missing():
    basket = Basket(((MNTL, 2), (BTC, 1)), fixed_quote=FORTY)

    assert missing_fixed(basket, Decimal(30)) == Decimal(10)
    assert missing_fixed(UsdtShare(FORTY), ZERO) == ZERO
    edges = _settings(basket).goals.of(MNTL).at(Decimal(30))
    assert (edges.low, edges.centre, edges.high) == (ZERO, ZERO, ZERO)


def test_a_rest_is_split_by_the_parts_and_follows_its_own_drift():
    basket = Basket(((MNTL, 3), (BTC, 1)), fixed_quote=FORTY)

    goals = _settings(basket).goals
    assert goals.of(MNTL).at(Decimal(440)) == Edges(Decimal(285), Decimal(300), Decimal(315))
    assert goals.of(USDT).at(Decimal(440)) == Edges(Decimal(38), FORTY, Decimal(42))
    assert _settings(basket, Threshold(quote_amount=ONE)).goals.of(BTC).at(Decimal(440)) == Edges(
        Decimal(99), Decimal(100), Decimal(101)
    )


def test_the_worth_of_a_token_costs_what_its_price_moves():
    cost = {"daily_volatility": {MNTL: Decimal("0.06")}, "cost_rate": {MNTL: Decimal("0.003")}}
    worth = _settings(TokenWorth(MNTL, Decimal(100)))

    found = likely_cost(worth, whole=Decimal(1000), way=ONE, **cost)

    # 6 USDT a day, squared, over a half-width of 5: 7.20 a day, for 30 days at 0.3 %.
    assert round(found, 6) == Decimal("0.648")
    wide = _settings(TokenWorth(MNTL, Decimal(100)), Threshold(points=Decimal("0.005")))
    assert likely_cost(wide, whole=Decimal(1000), way=ONE, **cost) == found
    poor = _settings(Basket(((MNTL, 1),), fixed_quote=FORTY))
    assert likely_cost(poor, whole=FORTY, way=ONE, **cost) == ZERO


def test_amounts_as_edges_have_no_least_account():
    assert (
        least_account(_settings(UsdtShare(FORTY), Threshold(quote_amount=ONE)), way=HALF) is None
    )
    assert least_account(_settings(FixedUsdt(FORTY)), way=HALF) is None
    fixed = Basket(((MNTL, 1), (BTC, 1)), fixed_quote=FORTY)
    assert least_account(_settings(fixed), way=HALF) == Decimal(128)


def test_an_empty_portfolio_and_one_without_centres_are_no_plans():
    goal = Goal(Line(), None, Line(share=ONE))
    position = Position(asset=MNTL, value=ZERO, goal=goal, free=ZERO)
    empty = Portfolio(cash=ZERO, cash_goal=goal, positions=[position])

    assert fewest(empty, way=ONE) == Sizes()
    assert Goals({MNTL: goal}).tokens == (MNTL,)
    with pytest.raises(ValueError, match="no centre"):
        to_centre(empty)
    with pytest.raises(ValueError, match="no token has a weight"):
        only_buys({MNTL: ONE}, {MNTL: ZERO}, money=ONE)
