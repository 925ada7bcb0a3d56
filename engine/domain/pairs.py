"""A trading pair: its name, its two assets, and the exchange's rules for orders in it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import NewType

from engine.domain.money import ZERO, ceil_to_step, floor_to_step, is_positive

Symbol = NewType("Symbol", str)
Asset = NewType("Asset", str)

USDT = Asset("USDT")


class Side(Enum):
    BUY = "BUY"
    SELL = "SELL"


def base_of(symbol: Symbol) -> Asset:
    """The token of a pair quoted in USDT: MNTLUSDT -> MNTL."""
    return Asset(symbol.removesuffix(USDT))


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRules:
    """What the exchange accepts in one pair. Amounts in quote are USDT.

    *quantity_step* already combines MEXC's baseAssetPrecision and baseSizePrecision;
    *quote_step* is what `quoteOrderQty` must be a multiple of.
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

    def __post_init__(self) -> None:
        for name in ("quantity_step", "quote_step", "price_step", "max_notional"):
            if not is_positive(getattr(self, name)):
                raise ValueError(f"{name} of {self.symbol} must be above zero")
        for name in ("min_quantity", "min_notional", "taker_fee_rate"):
            value: Decimal = getattr(self, name)
            if not value.is_finite() or value < ZERO:
                raise ValueError(f"{name} of {self.symbol} must not be negative")
        if self.taker_fee_rate >= 1:
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
        """Whether API keys may place market orders at all."""
        return self.online and self.api_allowed and self.market_orders

    def allows(self, side: Side) -> bool:
        return self.buying if side is Side.BUY else self.selling
