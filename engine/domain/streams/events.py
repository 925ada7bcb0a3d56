"""What a stream tells of an account. An event says when to look, never what to do.

*at* is when it arrived here, by the steady clock.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from engine.domain.market.pairs import Asset, Symbol
from engine.domain.orders.order import Fill

# What is free, and what is locked in open orders.
Amounts = tuple[Decimal, Decimal]


class Cause(Enum):
    """Why a balance changed. The exchange's list is open: what it does not name is OTHER."""

    TRADE = "trade"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceEvent:
    """An asset's *free* and *locked* amounts, and what they were *before*; *order* is when the
    exchange made and pushed it, of which the greater counts.
    """

    asset: Asset
    free: Decimal
    locked: Decimal
    before: Amounts
    cause: Cause
    order: tuple[int, int]
    at: datetime

    @property
    def amounts(self) -> Amounts:
        return self.free, self.locked


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """How much of an order is *executed*, in base, and whether that is its end. *client_order_id*
    is empty where the order has none.
    """

    symbol: Symbol
    exchange_order_id: str
    client_order_id: str
    executed: Decimal
    is_final: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FillEvent:
    """One fill of an order, with its fee."""

    symbol: Symbol
    exchange_order_id: str
    client_order_id: str
    fill: Fill
    at: datetime


AccountEvent = BalanceEvent | OrderEvent | FillEvent
