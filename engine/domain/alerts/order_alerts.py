"""What a chat must be told of orders that rest at the exchange."""

from dataclasses import dataclass
from decimal import Decimal

from engine.domain.alerts.key_alerts import InMode
from engine.domain.alerts.traits import AlertKind
from engine.domain.market.pairs import Side, Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayOrderFound(InMode, stored_as="stray_order", kind=AlertKind.ERROR, needed=True):
    """An order rests that is made as ours are, and is not known here. *executed* of it is filled."""

    symbol: Symbol
    side: Side
    price: Decimal
    base_quantity: Decimal
    executed: Decimal
    client_order_id: str
