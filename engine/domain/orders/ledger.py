"""What is kept of an order to tell later what it cost: the market it was decided on, and its end."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from engine.domain.market.order_book import OrderBook


class EndReason(Enum):
    """Why an order has ended."""

    FILLED = "filled"
    BOUND = "bound"  # nothing more was offered within it
    DEADLINE = "deadline"
    PAUSE = "pause"
    CROSSED = "crossed"  # a maker order that would have traded at once
    HALT = "halt"
    REPLANNED = "replanned"  # the plan wants another order, or none
    STOPPED = "stopped"  # with the process
    NOT_HONOURED = "not honoured"  # an IOC that rested all the same
    ELSEWHERE = "elsewhere"  # cancelled by the user, or by the exchange
    REFUSED = "refused"
    NEVER_ARRIVED = "never arrived"


@dataclass(frozen=True, slots=True)
class TopOfBook:
    """The best prices of both sides when an order was decided; None on a side without any. *depth* is
    the quote offered within the order's bound.
    """

    bid: Decimal | None
    ask: Decimal | None
    read_at: datetime
    depth: Decimal | None = None

    @classmethod
    def of(cls, book: OrderBook, *, depth: Decimal | None = None) -> "TopOfBook":
        bid, ask = (levels[0].price if levels else None for levels in (book.bids, book.asks))
        return cls(bid, ask, book.read_at, depth)

    @property
    def mid(self) -> Decimal | None:
        """None unless both sides have a price."""
        if self.bid is None or self.ask is None:
            return None
        return (self.bid + self.ask) / 2
