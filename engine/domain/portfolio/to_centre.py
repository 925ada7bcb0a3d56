"""All assets to their centres, costs included, in closed form. Pure.

Without the costs, cash would end that much under its centre: 3.2 USDT of 1,000 at 2 % a side.
"""

from collections.abc import Mapping
from decimal import Decimal, localcontext

from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import Asset
from engine.domain.portfolio.position import PLANNING, Portfolio, Position, Sizes, cost_of
from engine.domain.targets.goals import Line

_ROUNDS = 10


def to_centre(portfolio: Portfolio) -> Sizes:
    """Returns the trades that bring every token to its centre, at what the whole is worth after
    them. Exact sizes: steps, minimums and what is free are not looked at.
    """
    with localcontext(PLANNING):
        cost = ZERO
        for _ in range(_ROUNDS):  # until no trade changes its side; two or three are enough
            sides = {
                p.asset: _sign(_centre(p).at(portfolio.whole - cost) - p.value)
                for p in portfolio.positions
            }
            last, cost = cost, _cost(portfolio, sides)
            if cost == last:
                break
        wanted = {
            p.asset: _centre(p).at(portfolio.whole - cost) - p.value for p in portfolio.positions
        }
        trades = {asset: size for asset, size in wanted.items() if size}
        return Sizes(trades=trades, cost=cost_of(portfolio.positions, trades))


def _cost(portfolio: Portfolio, sides: Mapping[Asset, int]) -> Decimal:
    """Solves cost = sum of rate x side x (centre at (whole - cost) - value)."""
    fixed, follows = ZERO, ONE
    for position in portfolio.positions:
        centre = _centre(position)
        rate = position.cost_rate * sides[position.asset]
        at_whole = centre.at(portfolio.whole)
        fixed += rate * (at_whole - position.value)
        follows += rate * (centre.share if at_whole else ZERO)
    return fixed / follows


def _centre(position: Position) -> Line:
    """Raises ValueError for a floor or a ceiling, which has no centre."""
    if position.goal.centre is None:
        raise ValueError(f"{position.asset} has no centre")
    return position.goal.centre


def _sign(amount: Decimal) -> int:
    return (amount > ZERO) - (amount < ZERO)
