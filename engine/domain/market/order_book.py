"""The order book of one pair at one moment, and what a market order would find in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.market.decimals import ONE, ZERO, is_positive
from engine.domain.market.pairs import Symbol


@dataclass(frozen=True, slots=True)
class PriceLevel:
    """*quantity* of the base offered or wanted at *price*; both finite and above zero."""

    price: Decimal
    quantity: Decimal

    def __post_init__(self) -> None:
        if not is_positive(self.price) or not is_positive(self.quantity):
            raise ValueError(f"a book level must be above zero: {self.price} x {self.quantity}")


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Best prices first on both sides. A side may be empty; a crossed book cannot exist.
    *update_id* grows with each change of the book; None where the exchange has none.
    """

    symbol: Symbol
    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]
    read_at: datetime
    update_id: int | None = None

    def __post_init__(self) -> None:
        bids = [level.price for level in self.bids]
        asks = [level.price for level in self.asks]
        if bids != sorted(bids, reverse=True) or asks != sorted(asks):
            raise ValueError(f"the book of {self.symbol} is not in price order")
        if bids and asks and bids[0] >= asks[0]:
            raise ValueError(f"the book of {self.symbol} is crossed")

    @property
    def mid(self) -> Decimal | None:
        """Halfway between the best prices; None unless both sides have one."""
        if not self.bids or not self.asks:
            return None
        return (self.bids[0].price + self.asks[0].price) / 2

    def is_before(self, update_id: int | None) -> bool:
        """True if it is known to be of a moment before *update_id*."""
        return self.update_id is not None and update_id is not None and self.update_id < update_id


def priced_at_least(bids: Sequence[PriceLevel], *, price: Decimal) -> Sequence[PriceLevel]:
    """Returns *bids* with a minimum of *price*."""
    return [PriceLevel(max(level.price, price), level.quantity) for level in bids]


def quantity_to_receive(
    net_quote: Decimal, *, bids: Sequence[PriceLevel], fee_rate: Decimal
) -> Decimal:
    """Base to sell into *bids* so that *net_quote* arrives after the fee (unrounded).

    Where the bids are too thin for that, everything they can take.
    """
    wanted = net_quote / (ONE - fee_rate)
    quantity = ZERO
    for level in bids:
        value = level.price * level.quantity
        if value >= wanted:
            return quantity + wanted / level.price
        quantity += level.quantity
        wanted -= value
    return quantity


def quote_received(quantity: Decimal, *, bids: Sequence[PriceLevel], fee_rate: Decimal) -> Decimal:
    """Returns the quote from selling *quantity* into *bids*, after the fee.
    The part that they cannot take brings 0.
    """
    gross = ZERO
    for level in bids:
        taken = min(quantity, level.quantity)
        gross += taken * level.price
        quantity -= taken
        if not quantity:
            break
    return gross * (ONE - fee_rate)


def base_bought(quote_amount: Decimal, *, asks: Sequence[PriceLevel]) -> Decimal:
    """Returns what spending *quote_amount* on *asks* buys, as far as they reach (unrounded)."""
    quantity = ZERO
    for level in asks:
        value = level.price * level.quantity
        if value >= quote_amount:
            return quantity + quote_amount / level.price
        quantity += level.quantity
        quote_amount -= value
    return quantity


def average_when_buying(quote_amount: Decimal, *, asks: Sequence[PriceLevel]) -> Decimal:
    """Returns the average price of spending *quote_amount* on *asks*, not empty."""
    reach = sum((level.price * level.quantity for level in asks), ZERO)
    return min(quote_amount, reach) / base_bought(quote_amount, asks=asks)


def average_when_selling(quantity: Decimal, *, bids: Sequence[PriceLevel]) -> Decimal:
    """The price that selling *quantity* brings, as far as the *bids* reach; there are some."""
    reach = sum((level.quantity for level in bids), ZERO)
    return quote_received(quantity, bids=bids, fee_rate=ZERO) / min(quantity, reach)
