"""Liquidity of a pair: its spread, and the depth near the best prices."""

from decimal import Decimal

from engine.domain.market.decimals import ZERO
from engine.domain.market.order_book import OrderBook


def spread(book: OrderBook) -> Decimal | None:
    """The gap as a fraction of the middle; None unless both sides have a price."""
    mid = book.mid
    return None if mid is None else (book.asks[0].price - book.bids[0].price) / mid


def depth(book: OrderBook, *, within: Decimal) -> tuple[Decimal, Decimal]:
    """Returns asks and bids in quote up to *within* (a fraction) from the middle.
    Zero on both sides where there is no middle.
    """
    mid = book.mid
    if mid is None:
        return ZERO, ZERO
    offered = [a.price * a.quantity for a in book.asks if a.price <= mid * (1 + within)]
    wanted = [b.price * b.quantity for b in book.bids if b.price >= mid * (1 - within)]
    return sum(offered, ZERO), sum(wanted, ZERO)
