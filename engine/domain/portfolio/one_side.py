"""Trades on one side only: buys lift the poorest to one level, sells lower the richest. Pure.

For a deposit, or where the other side is closed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import Asset
from engine.domain.portfolio.position import PLANNING


@dataclass(frozen=True, slots=True)
class Levelled:
    """*amounts* to trade, all above zero. *level* is value / weight of every token traded."""

    amounts: Mapping[Asset, Decimal]
    level: Decimal


def only_buys(
    values: Mapping[Asset, Decimal],
    weights: Mapping[Asset, Decimal],
    *,
    money: Decimal,
    cost_rate: Decimal = ZERO,
) -> Levelled:
    """Spends *money*, its costs included, on the tokens that are poorest for their weight.
    Tokens without a weight are left out. Raises ValueError if none has one.
    """
    return _levelled(values, weights, money=money / (ONE + cost_rate), sign=1)


def only_sells(
    values: Mapping[Asset, Decimal], weights: Mapping[Asset, Decimal], *, money: Decimal
) -> Levelled:
    """Sells for *money*, before costs, of the tokens that are richest for their weight; all of
    them at most.
    """
    held = sum((values[asset] for asset, weight in weights.items() if weight), ZERO)
    return _levelled(values, weights, money=min(money, held), sign=-1)


def _levelled(
    values: Mapping[Asset, Decimal], weights: Mapping[Asset, Decimal], *, money: Decimal, sign: int
) -> Levelled:
    with localcontext(PLANNING):
        ratios = {asset: values[asset] / weight for asset, weight in weights.items() if weight}
        if not ratios:
            raise ValueError("no token has a weight")
        line = sorted(ratios, key=lambda asset: (sign * ratios[asset], asset))
        value = weight = level = ZERO
        for number, asset in enumerate(line):
            value, weight = value + values[asset], weight + weights[asset]
            level = (value + sign * money) / weight
            following = line[number + 1 : number + 2]
            if all(sign * level <= sign * ratios[other] for other in following):
                break
        sizes = {asset: sign * (level * weights[asset] - values[asset]) for asset in line}
        return Levelled({asset: size for asset, size in sizes.items() if size > ZERO}, level)
