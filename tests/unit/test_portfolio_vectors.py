"""Published vectors of plans over several pairs, computed by a reference outside this project with
50 digits.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.domain.market.decimals import ONE
from engine.domain.portfolio.fewest import fewest
from engine.domain.portfolio.one_side import only_buys, only_sells
from engine.domain.portfolio.position import LegReason, Portfolio, Position, Sizes, cash_after
from engine.domain.portfolio.to_centre import to_centre
from engine.domain.targets.goals import Goal, Line

_VECTORS = {
    vector["id"]: vector
    for vector in json.loads(Path(__file__).with_name("target_vectors.json").read_text("utf-8"))
}
_NEAR = Decimal("1e-11")


def _goal(weight: str, band: tuple[str, str]) -> Goal:
    low, high = (Line(share=Decimal(edge)) for edge in band)
    return Goal(low, Line(share=Decimal(weight)), high)


def _portfolio(given: Any) -> Portfolio:
    weights = given["weights"]
    bands = given.get("bands") or {asset: (weight, weight) for asset, weight in weights.items()}
    positions = [
        Position(
            asset=asset,
            value=Decimal(value),
            goal=_goal(weights[asset], bands[asset]),
            free=Decimal(given.get("sell_cap", {}).get(asset, value)),
            cost_rate=Decimal(given["cost_rate"]),
            least=Decimal(given.get("minimum", {}).get(asset, 0)),
            selling=None if given.get("can_sell", {}).get(asset, True) else LegReason.SIDE_CLOSED,
        )
        for asset, value in given["values"].items()
        if asset != "USDT"
    ]
    cash_goal = _goal(weights["USDT"], bands["USDT"])
    return Portfolio(
        cash=Decimal(given["values"]["USDT"]), cash_goal=cash_goal, positions=positions
    )


def _are_near(found: Any, expected: dict[str, str]) -> bool:
    return set(found) == set(expected) and all(
        abs(found[asset] - Decimal(amount)) < _NEAR for asset, amount in expected.items()
    )


def _shares_after(portfolio: Portfolio, sizes: Sizes) -> dict[str, Decimal]:
    whole = portfolio.whole - sizes.cost
    after = {p.asset: p.value + sizes.trades.get(p.asset, 0) for p in portfolio.positions}
    return {a: v / whole for a, v in after.items()} | {
        "USDT": cash_after(portfolio, sizes.trades) / whole
    }


@pytest.mark.parametrize("name", ["A07", "A08", "A09", "A10"])
def test_all_to_the_centre_is_that_of_the_vector(name: str) -> None:
    given, expected = _VECTORS[name]["given"], _VECTORS[name]["expect"]
    portfolio = _portfolio(given)
    found = to_centre(portfolio)

    assert _are_near(found.trades, expected["trades"])
    assert abs(found.cost - Decimal(expected["cost"])) < _NEAR
    cash = cash_after(portfolio, found.trades)
    goal = Decimal(given["weights"]["USDT"]) * (portfolio.whole - found.cost)
    assert abs(cash - goal) < _NEAR


@pytest.mark.parametrize(
    "name",
    ["A11", "A12", "A13", "A14", "A15", "A16", "A17", "A18", "A19", "A20", "A21", "A35"],
)
def test_the_fewest_trades_are_those_of_the_vector(name: str) -> None:
    given, expected = _VECTORS[name]["given"], _VECTORS[name]["expect"]
    portfolio = _portfolio(given)
    found = fewest(portfolio, way=Decimal(given["theta"]))

    assert _are_near(found.trades, expected["trades"])
    assert {asset: reason.value for asset, reason in found.reasons.items()} == expected["reasons"]
    assert _are_near(_shares_after(portfolio, found), expected["shares_after"])


@pytest.mark.parametrize("name", ["A24", "A25", "A26"])
def test_trades_on_one_side_are_those_of_the_vector(name: str) -> None:
    given, expected = _VECTORS[name]["given"], _VECTORS[name]["expect"]
    values = {asset: Decimal(value) for asset, value in given["values"].items()}
    weights = {asset: Decimal(weight) for asset, weight in given["weights"].items()}
    trade = only_buys if "buys" in expected else only_sells
    found = trade(values, weights, money=Decimal(given["money"]))

    assert _are_near(found.amounts, expected.get("buys") or expected["sells"])
    assert found.level == Decimal(expected["level"])


def test_buys_after_a_partial_fill_are_planned_from_the_cash_that_came() -> None:
    given, expected = _VECTORS["A28"]["given"], _VECTORS["A28"]["expect"]
    weights = {"B": Decimal("0.3"), "C": Decimal("0.2")}
    values = {a: 1000 * weights[a] - Decimal(short) for a, short in given["shortfalls"].items()}
    cash = Decimal(given["cash_before"]) + Decimal(given["received"])
    money = cash - Decimal(given["cash_floor"])
    found = only_buys(values, weights, money=money, cost_rate=Decimal("0.0005"))  # type: ignore[arg-type]

    assert _are_near(found.amounts, expected["buys"])
    assert abs(sum(found.amounts.values()) * (ONE + Decimal("0.0005")) - money) < _NEAR
