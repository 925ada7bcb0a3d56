"""How far prices may move before anything is outside its band: one fraction for all of them. Pure.

What an asset is worth and its edges are linear in the prices. So the worst of all moves up to a
fraction is known at once, whichever prices rise and whichever fall.
"""

from collections.abc import Mapping
from decimal import Decimal

from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import USDT, Asset
from engine.domain.targets.goals import Goals, Line


def room(goals: Goals, values: Mapping[Asset, Decimal]) -> Decimal:
    """Returns the largest fraction by which every price may rise or fall at the same time, each its
    own way, so that nothing is beyond an edge: at most 1, and 0 where something is beyond one now.
    *values* are in USDT, of all assets of *goals*.
    """
    held = {asset: values[asset] for asset in goals.by_asset}
    least = ONE
    for asset, goal in goals.by_asset.items():
        least = min(
            least, _room(held, asset, goal.high, sign=1), _room(held, asset, goal.low, sign=-1)
        )
    return max(ZERO, least)


def room_of_worth(values: Mapping[Asset, Decimal], *, low: Decimal, high: Decimal) -> Decimal:
    """The same for what all of them are worth together, which may be from *low* to *high*."""
    whole = sum(values.values(), ZERO)
    moving = whole - values.get(USDT, ZERO)
    if not low <= whole <= high:
        return ZERO
    return min(ONE, (whole - low) / moving, (high - whole) / moving) if moving else ONE


def _room(values: Mapping[Asset, Decimal], asset: Asset, edge: Line, *, sign: int) -> Decimal:
    """Until *asset* is worth more than its high *edge*, or with *sign* -1 less than its low one."""
    whole, value = sum(values.values(), ZERO), values[asset]
    # An edge is never below zero and never above the whole: nothing is beyond those.
    if value == (ZERO if sign > 0 else whole):
        return ONE
    inside = sign * (edge.fixed + edge.share * whole - value)
    if inside < ZERO:
        return ZERO
    slope = sum(
        (
            worth * ((ONE if one == asset else ZERO) - edge.share).copy_abs()
            for one, worth in values.items()
            if one != USDT
        ),
        ZERO,
    )
    return ONE if slope == ZERO else inside / slope
