"""Published vectors of targets: bands, destinations, prices of the next trade, and what they cost."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.domain.market.balances import Balance, Counting
from engine.domain.market.decimals import ZERO, floor_to_step
from engine.domain.market.pairs import USDT, Asset
from engine.domain.market.quotes import Quote
from engine.domain.portfolio.consequence import refusal
from engine.domain.targets.bands import ShareBand, Threshold, sums_of
from engine.domain.targets.destination import Destination, Edges
from engine.domain.targets.forecast import (
    expected,
    least_account,
    share_deviation,
    trade_prices,
)
from engine.domain.targets.goals import TargetSettings, goal_amounts
from engine.domain.targets.outside import deviations, outside, surely_outside
from engine.domain.targets.protection import managed
from engine.domain.targets.scaling import next_widths, scaled_settings, width_factor
from engine.domain.targets.target import Basket, FixedUsdt, UsdtRange, UsdtShare
from engine.domain.targets.usdt_goal import usdt_goal
from tests.builders import MNTL
from tests.fakes.clock import START

_VECTORS = {
    vector["id"]: vector
    for vector in json.loads(Path(__file__).with_name("target_vectors.json").read_text("utf-8"))
}
_NEAR = Decimal("1e-11")


def _vector(name: str) -> tuple[Any, Any]:
    return _VECTORS[name]["given"], _VECTORS[name]["expect"]


def _is_near(found: Decimal | None, expected: str) -> bool:
    return found is not None and abs(found - Decimal(expected)) < _NEAR


def _quarter(relative: str = "0.05") -> TargetSettings:
    return TargetSettings(
        target=UsdtShare(Decimal(25)), threshold=Threshold(relative=Decimal(relative)), token=MNTL
    )


def test_a_share_and_its_two_deviations_are_those_of_the_vector() -> None:
    given, expect = _vector("A01")
    values = {a: Decimal(q) * Decimal(given["price"].get(a, 1)) for a, q in given["qty"].items()}
    weights = {asset: Decimal(weight) for asset, weight in given["weights"].items()}
    found = deviations(values, weights)

    assert values == {asset: Decimal(value) for asset, value in expect["values"].items()}
    assert found is not None
    for asset, told in expect["deviation"].items():
        assert _is_near(found[asset].share, told["share"])
        assert _is_near(found[asset].points, told["absolute"])
        assert _is_near(found[asset].relative, told["relative"])


def test_nothing_held_has_no_share_and_nothing_outside() -> None:
    given, _ = _vector("A34")
    values = {Asset(asset): Decimal(value) for asset, value in given["values"].items()}

    assert deviations(values, {Asset("A"): Decimal(1)}) is None
    settings = TargetSettings(
        target=UsdtShare(Decimal(25)),
        threshold=Threshold(points=Decimal("0.05")),
        token=Asset("A"),
    )
    assert outside(settings.goals, values) == {}


@pytest.mark.parametrize("name", ["A02a", "A02b", "A02c", "A02d"])
def test_an_edge_is_inside_and_beyond_it_the_centre_is_aimed_at(name: str) -> None:
    given, expect = _vector(name)
    edges = Edges(Decimal(given["lo"]), Decimal(40), Decimal(given["hi"]))
    held = Decimal(given["held"])

    assert edges.holds(held) is not expect["trade"]
    assert edges.aim(held, way=Destination.CENTRE.way) - held == Decimal(expect["to_centre"])


@pytest.mark.parametrize("name", ["A03e", "A03h", "A03c"])
def test_the_destination_is_that_of_the_vector(name: str) -> None:
    given, expect = _vector(name)
    target = UsdtRange(low=Decimal(given["lo"]), high=Decimal(given["hi"]))
    settings = TargetSettings(
        target=target, threshold=Threshold(relative=Decimal("0.05")), token=MNTL
    )
    way = {"0": Destination.EDGE, "0.5": Destination.HALF, "1": Destination.CENTRE}[given["theta"]]
    goal = usdt_goal(settings, destination=way)
    held = Decimal(given["held"])

    assert goal.aim(held, least=ZERO) == Decimal(expect["goal"])
    assert goal.aim(held, least=ZERO) - held == Decimal(expect["trade"])


@pytest.mark.parametrize("way", Destination)
def test_a_floor_is_raised_to_by_a_smallest_order_more_and_never_sold_down_to(way) -> None:
    given, expect = _vector("A04")
    settings = TargetSettings(
        target=UsdtRange(low=Decimal(given["lo"])),
        threshold=Threshold(relative=Decimal("0.05")),
        token=MNTL,
    )
    goal = usdt_goal(settings, destination=way)
    held = Decimal(given["held"])

    assert goal.aim(held, least=Decimal(given["inset"])) - held == Decimal(expect["raise_by"])
    assert goal.edges.holds(Decimal("1e9"))


def test_of_points_and_a_part_of_the_weight_the_narrower_counts() -> None:
    given, expect = _vector("A05")
    drift = Threshold(points=Decimal(given["absolute"]), relative=Decimal(given["relative"]))
    for asset, weight in given["weights"].items():
        band = ShareBand.around(Decimal(weight), drift)

        assert [band.low, band.high] == [Decimal(edge) for edge in expect[asset]]


def test_bands_that_no_account_can_meet_are_known_by_their_sums() -> None:
    given, expect = _vector("A06")
    sums = sums_of(ShareBand(Decimal(low), Decimal(high)) for low, high in given["bands"].values())

    assert (sums.low, sums.high) == (Decimal(expect["sum_low"]), Decimal(expect["sum_high"]))
    assert sums.is_satisfiable is expect["feasible"]


def test_a_protected_amount_is_neither_counted_nor_sold() -> None:
    given, expect = _vector("A22")
    part = managed(
        Balance(Decimal(given["qty"]["MNTL"])),
        counting=Counting.HELD,
        protected=Decimal(given["protected"]["MNTL"]),
    )

    assert part.quantity * Decimal(given["price"]["MNTL"]) == Decimal(expect["managed"]["MNTL"])
    assert part.free == Decimal(expect["most_to_sell"])
    assert part.buying


def test_nothing_is_bought_into_a_protected_amount_that_is_not_held() -> None:
    given, expect = _vector("A23")
    part = managed(
        Balance(Decimal(given["qty"]["MNTL"])),
        counting=Counting.HELD,
        protected=Decimal(given["protected"]["MNTL"]),
    )

    assert part.quantity == Decimal(expect["managed"]["MNTL"])
    assert not part.buying


def test_the_rest_is_split_in_whole_cents_and_what_is_left_over_is_usdt() -> None:
    given, expect = _vector("A27")
    basket = Basket.of(given["parts"].items(), fixed_quote=Decimal(given["fixed_usdt"]))
    amounts = goal_amounts(basket, Decimal(given["value"]))

    assert amounts[USDT] == Decimal(expect["cash"])
    assert {a: v for a, v in amounts.items() if a != USDT} == {
        asset: Decimal(amount) for asset, amount in expect["goals"].items()
    }


def test_the_prices_of_the_next_trade_are_those_of_the_vector() -> None:
    given, expect = _vector("A29")
    goals = _quarter().goals
    quantity, cash = Decimal(given["qty"]), Decimal(given["cash"])
    found = trade_prices(goals, quantity, {USDT: cash}, asset=MNTL)

    assert _is_near(found.below, expect["below"])
    assert _is_near(found.above, expect["above"])


def test_whole_tokens_are_floored() -> None:
    given, expect = _vector("A30")
    quote, price, step = (Decimal(given[name]) for name in ("quote", "price", "step"))

    assert floor_to_step(quote / price, step) == Decimal(expect["qty"])
    assert floor_to_step(Decimal("0.001") / price, step) == Decimal(expect["none"])


@pytest.mark.parametrize("name", ["A31c", "A31h", "A317"])
def test_what_a_setting_costs_is_that_of_the_vector(name: str) -> None:
    given, expect = _vector(name)
    given = {key: Decimal(value) for key, value in given.items()}
    deviation = share_deviation(given["weight"], given["sigma_day"])
    found = expected(
        daily_deviation=deviation,
        half_width=given["h"],
        left=given["a"],
        cost_rate=given["cost_rate"],
        worth=given["value"],
    )

    assert deviation == Decimal(expect["s"])
    assert _is_near(found.trades_a_day, expect["trades_per_day"])
    assert _is_near(found.turnover_a_day, expect["turnover_per_day"])
    assert _is_near(found.cost_a_month, expect["cost_30_days"])
    assert _is_near(found.drift * 100, expect["rms_drift_points"])


def test_a_band_that_follows_volatility_and_cost_is_that_of_the_vector() -> None:
    given, expect = _vector("A32")
    given = {key: Decimal(value) for key, value in given.items()}
    volatility = {"volatility": given["sigma"], "usual_volatility": given["sigma0"]}
    costs = {"cost": given["cost"], "usual_cost": given["cost0"]}

    assert _is_near(given["h0"] * width_factor(**volatility), expect["only_sigma"])
    assert _is_near(given["h0"] * width_factor(**volatility, **costs), expect["both"])


@pytest.mark.parametrize(("volatility", "factor"), [("100", "3"), ("0.0001", "0.5"), ("0", "0.5")])
def test_a_band_is_never_narrower_than_half_and_never_wider_than_three_times(volatility, factor):
    found = width_factor(volatility=Decimal(volatility), usual_volatility=Decimal("0.04"))

    assert found == Decimal(factor)


def test_scaled_bands_stay_around_their_weights_and_leave_room():
    token, other = Asset("A"), Asset("B")
    settings = TargetSettings(
        target=Basket.of([(token, 5), (other, 3), (USDT, 2)]),
        threshold=Threshold(relative=Decimal("0.1")),
        token=MNTL,
        bands={other: ShareBand(Decimal("0.3"), Decimal("0.4"))},
    )

    scaled = scaled_settings(settings, {token: Decimal(2), other: Decimal("0.5")})

    assert scaled.bands[token] == ShareBand(Decimal("0.4"), Decimal("0.6"))
    assert scaled.bands[other] == ShareBand(Decimal("0.3"), Decimal("0.35"))
    # The mean of the tokens' factors: (0.5 x 2 + 0.3 x 0.5) / 0.8 = 1.4375.
    assert scaled.bands[USDT] == ShareBand(Decimal("0.17125"), Decimal("0.22875"))
    assert refusal(scaled) is None
    fixed = replace(settings, target=FixedUsdt(Decimal(40)), bands={})
    assert scaled_settings(fixed, {MNTL: Decimal(2)}) == fixed


def test_a_wide_spread_is_not_surely_outside() -> None:
    given, expect = _vector("A36")
    goals = _quarter().goals
    quantities = {USDT: Decimal(given["cash"]), MNTL: Decimal(given["qty"])}
    quote = Quote(Decimal(given["bid"]), Decimal(given["ask"]))
    at_mid = {USDT: quantities[USDT], MNTL: quantities[MNTL] * quote.mid}

    assert bool(outside(goals, at_mid)) is expect["outside_mid"]
    assert surely_outside(goals, quantities, {MNTL: quote}) == {}


def test_the_least_account_is_that_of_the_vector() -> None:
    given, expect = _vector("A37")
    token, other = Asset("A"), Asset("B")
    settings = TargetSettings(
        target=Basket.of([(token, 5), (other, 95)]),
        threshold=Threshold(relative=Decimal(given["relative"])),
        token=MNTL,
    )

    found = least_account(settings, way=Decimal(given["theta"]))

    assert found is not None
    assert _is_near(found, expect["least_value"])


def test_the_widths_of_a_day_are_measured_by_the_first_volatility_that_was_known():
    other = Asset("MX")
    first = next_widths(None, {MNTL: Decimal("0.04"), other: None}, now=START)
    later = next_widths(first, {MNTL: Decimal("0.08"), other: Decimal("0.1")}, now=first.until)

    assert first.factors == {MNTL: 1, other: 1}
    assert first.holds([MNTL, other], now=first.until - timedelta(seconds=1))
    assert not first.holds([MNTL, other], now=first.until)
    assert not first.holds([MNTL, USDT], now=START)
    assert later.factors == {MNTL: Decimal("1.5874"), other: 1}
    assert later.usual == {MNTL: Decimal("0.04"), other: Decimal("0.1")}
    assert later.until == first.until + timedelta(days=1)
