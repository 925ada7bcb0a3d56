"""Which assets are outside their bands, and which of them surely are. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import USDT, Asset
from engine.domain.market.quotes import Quote
from engine.domain.targets.destination import Edges
from engine.domain.targets.goals import Goals

_FAR = 3


class Beyond(Enum):
    """The edge that an asset is beyond."""

    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Deviation:
    """*share* of the whole, and its distance from the weight: in *points* (as a fraction of the
    whole) and *relative* to the weight, which must not be zero.
    """

    share: Decimal
    points: Decimal
    relative: Decimal | None


def deviations(
    values: Mapping[Asset, Decimal], weights: Mapping[Asset, Decimal]
) -> Mapping[Asset, Deviation] | None:
    """Returns each asset's distance from its weight; None where nothing is held."""
    whole = sum(values.values(), ZERO)
    if whole == ZERO:
        return None
    found = {}
    for asset, weight in weights.items():
        share = values[asset] / whole
        relative = share / weight - ONE if weight else None
        found[asset] = Deviation(share, share - weight, relative)
    return found


def outside(goals: Goals, values: Mapping[Asset, Decimal]) -> Mapping[Asset, Beyond]:
    """Returns the assets that are beyond an edge, USDT too. An edge itself is inside."""
    whole = sum((values[asset] for asset in goals.by_asset), ZERO)
    found = {}
    for asset, goal in goals.by_asset.items():
        edges, value = goal.at(whole), values[asset]
        if not edges.holds(value):
            found[asset] = Beyond.HIGH if value > edges.high else Beyond.LOW
    return found


def is_far_outside(goals: Goals, values: Mapping[Asset, Decimal]) -> bool:
    """True if an asset is three times as far from its centre as its edge is."""
    whole = sum((values[asset] for asset in goals.by_asset), ZERO)
    for asset, goal in goals.by_asset.items():
        edges, value = goal.at(whole), values[asset]
        if is_far_from(edges, value):
            return True
    return False


def is_far_from(edges: Edges, value: Decimal) -> bool:
    """The same of one asset; False where it has no centre."""
    if edges.centre is None or edges.holds(value):
        return False
    edge = edges.high if value > edges.high else edges.low
    return (value - edges.centre).copy_abs() > _FAR * (edge - edges.centre).copy_abs()


def surely_outside(
    goals: Goals, quantities: Mapping[Asset, Decimal], quotes: Mapping[Asset, Quote]
) -> Mapping[Asset, Beyond]:
    """Returns the assets that are beyond the same edge at all best bids and at all best asks.

    In a thin book the middle jumps when one price goes; that alone is no reason to trade.
    """
    at_bid = outside(goals, _values(quantities, {a: quote.bid for a, quote in quotes.items()}))
    at_ask = outside(goals, _values(quantities, {a: quote.ask for a, quote in quotes.items()}))
    return {asset: edge for asset, edge in at_bid.items() if at_ask.get(asset) is edge}


def _values(
    quantities: Mapping[Asset, Decimal], prices: Mapping[Asset, Decimal]
) -> Mapping[Asset, Decimal]:
    return {
        asset: quantity if asset == USDT else quantity * prices[asset]
        for asset, quantity in quantities.items()
    }
