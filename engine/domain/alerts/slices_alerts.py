"""What a chat must be told of a trade over time when it is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.alerts.key_alerts import InMode
from engine.domain.alerts.traits import AlertKind
from engine.domain.execution.slices import SlicesEnd
from engine.domain.market.pairs import Asset, Side, Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicedTradeOver(InMode, stored_as="sliced_trade_over", kind=AlertKind.TRADE, needed=True):
    """A trade over time is over: *orders* of its *slices* traded. *left* was not, in the token where
    *in_base*, else in USDT. *cost* is what it lost against the prices seen, with the fees in USDT.
    *target* is the new one, if there is. *by_itself*: trading goes on, and asks nobody.
    """

    symbol: Symbol
    side: Side
    end: SlicesEnd
    slices: int
    orders: int
    base_quantity: Decimal
    quote_amount: Decimal
    fees: Mapping[Asset, Decimal]
    fees_complete: bool
    cost: Decimal
    left: Decimal
    in_base: bool = False
    target: Decimal | None = None
    by_itself: bool = True
