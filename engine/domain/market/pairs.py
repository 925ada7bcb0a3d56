"""A trading pair: its name, its two assets, and the exchange's rules for orders in it."""

import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import NewType

from engine.domain.market.decimals import ZERO, ceil_to_step, floor_to_step, is_positive

Symbol = NewType("Symbol", str)
Asset = NewType("Asset", str)

USDT = Asset("USDT")


class Side(Enum):
    BUY = "BUY"
    SELL = "SELL"


class OrderType(Enum):
    """How an order is executed. All but MARKET have a price, and all but LIMIT and LIMIT_MAKER
    end by themselves.
    """

    MARKET = "MARKET"
    LIMIT = "LIMIT"  # rests where nobody takes it
    LIMIT_MAKER = "LIMIT_MAKER"  # as LIMIT, but never trades at once
    IOC = "IOC"  # at the price or better, at once; the rest is dropped

    @property
    def may_rest(self) -> bool:
        return self in (OrderType.LIMIT, OrderType.LIMIT_MAKER)


# "USDT" is four columns of the 20 that a symbol may take; one Chinese character takes two.
_MOST_COLUMNS = 16
# A button carries 64 bytes, and more than the name.
_MOST_BYTES = 48


def is_asset_name(name: str) -> bool:
    """True if an asset may have that name: it is data of the exchange, in any alphabet.

    Letters, digits, marks and symbols are names; blanks, punctuation and what is invisible are not.
    """
    return (
        0 < _columns(name) <= _MOST_COLUMNS
        and all(_names(character) for character in name)  # so it can be encoded
        and len(name.encode()) <= _MOST_BYTES
    )


def _columns(text: str) -> int:
    """Columns that *text* takes in a monospace font."""
    return sum(2 if unicodedata.east_asian_width(c) in {"W", "F"} else 1 for c in text)


def _names(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character == "$"
    return unicodedata.category(character)[0] in "LNMS"


def base_of(symbol: Symbol) -> Asset:
    """The token of a pair quoted in USDT: MNTLUSDT -> MNTL."""
    return Asset(symbol.removesuffix(USDT))


def symbol_of(asset: Asset) -> Symbol:
    """The pair of a token and USDT: MNTL -> MNTLUSDT."""
    return Symbol(asset + USDT)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRules:
    """The exchange's rules of one pair. Amounts in quote are USDT.

    *quantity_step* already combines MEXC's baseAssetPrecision and baseSizePrecision; *quote_step*
    is what `quoteOrderQty` must be a multiple of. The limits of orders with a price are None where
    they are those of MARKET orders.
    """

    symbol: Symbol
    base: Asset
    quote: Asset
    quantity_step: Decimal
    min_quantity: Decimal
    quote_step: Decimal
    price_step: Decimal
    min_notional: Decimal
    max_notional: Decimal
    taker_fee_rate: Decimal
    online: bool = True
    api_allowed: bool = True
    market_orders: bool = True
    buying: bool = True
    selling: bool = True
    limit_min_notional: Decimal | None = None
    limit_max_notional: Decimal | None = None
    maker_fee_rate: Decimal = ZERO
    limit_orders: bool = True
    maker_orders: bool = True

    def __post_init__(self) -> None:
        for name in ("quantity_step", "quote_step", "price_step", "max_notional"):
            if not is_positive(getattr(self, name)):
                raise ValueError(f"{name} of {self.symbol} must be above zero")
        for name in ("min_quantity", "min_notional", "taker_fee_rate", "maker_fee_rate"):
            value: Decimal = getattr(self, name)
            if not value.is_finite() or value < ZERO:
                raise ValueError(f"{name} of {self.symbol} must not be negative")
        if self.limit_min_notional is not None and not self.limit_min_notional >= ZERO:
            raise ValueError(f"the minimum of {self.symbol} must not be negative")
        if self.limit_max_notional is not None and not is_positive(self.limit_max_notional):
            raise ValueError(f"the maximum of {self.symbol} must be above zero")
        if max(self.taker_fee_rate, self.maker_fee_rate) >= 1:
            raise ValueError(f"the fee of {self.symbol} would eat the order")

    @property
    def least_quantity(self) -> Decimal:
        """The smallest quantity an order may have: one step at least."""
        return ceil_to_step(max(self.quantity_step, self.min_quantity), self.quantity_step)

    def floor_quantity(self, quantity: Decimal) -> Decimal:
        """Rounded down: never sell what is not there."""
        return floor_to_step(quantity, self.quantity_step)

    def floor_quote(self, quote_amount: Decimal) -> Decimal:
        """Rounded down: never spend what is not there."""
        return floor_to_step(quote_amount, self.quote_step)

    @property
    def is_open(self) -> bool:
        """True if API keys may place market orders at all."""
        return self.online and self.api_allowed and self.market_orders

    def allows(self, side: Side) -> bool:
        return self.buying if side is Side.BUY else self.selling

    def takes(self, order_type: OrderType) -> bool:
        """True if API keys may place such orders. The exchange does not list IOC: where it lists
        LIMIT, only a try can tell.
        """
        listed = {
            OrderType.MARKET: self.market_orders,
            OrderType.LIMIT: self.limit_orders,
            OrderType.LIMIT_MAKER: self.maker_orders,
            OrderType.IOC: self.limit_orders,
        }
        return self.online and self.api_allowed and listed[order_type]

    def notional_limits(self, order_type: OrderType) -> tuple[Decimal, Decimal]:
        """Returns the least and the most that such an order may be worth."""
        least, most = self.min_notional, self.max_notional
        if order_type is not OrderType.MARKET:
            least = least if self.limit_min_notional is None else self.limit_min_notional
            most = most if self.limit_max_notional is None else self.limit_max_notional
        return least, most
