"""The best prices of many pairs at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Self

from engine.domain.market.decimals import is_positive
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import Asset

MOST_AGE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Quote:
    """The best prices of a token in USDT, on both sides: with one side there is no price."""

    bid: Decimal
    ask: Decimal

    def __post_init__(self) -> None:
        if not is_positive(self.bid) or not is_positive(self.ask) or self.bid >= self.ask:
            raise ValueError(f"no prices: {self.bid} and {self.ask}")

    @classmethod
    def of(cls, book: OrderBook) -> Self | None:
        """None unless both sides have a price."""
        if not book.bids or not book.asks:
            return None
        return cls(book.bids[0].price, book.asks[0].price)

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2

    @property
    def half_spread(self) -> Decimal:
        """As a fraction of the middle."""
        return (self.ask - self.bid) / (self.ask + self.bid)


@dataclass(frozen=True, slots=True)
class Quotes:
    """A token without a price is not listed."""

    by_asset: Mapping[Asset, Quote]
    read_at: datetime

    def is_fresh(self, now: datetime) -> bool:
        return now - self.read_at <= MOST_AGE
