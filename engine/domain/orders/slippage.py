"""Measures the distance of a fill's price from the price when it was planned."""

from decimal import Decimal

from engine.domain.market.decimals import is_positive
from engine.domain.market.pairs import Side
from engine.domain.orders.order import Order


def slippage(order: Order) -> Decimal | None:
    """Returns a fraction of the price seen: above zero where the fill was worse.
    None where nothing was filled or no price was kept.
    """
    paid, seen = order.execution.average_price, order.price
    if paid is None or seen is None or not is_positive(seen):
        return None
    dearer = (paid - seen) / seen
    return dearer if order.side is Side.BUY else -dearer
