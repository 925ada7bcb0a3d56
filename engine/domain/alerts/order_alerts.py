"""What a chat must be told of orders that rest at the exchange."""

from dataclasses import dataclass
from decimal import Decimal

from engine.domain.alerts.key_alerts import InMode
from engine.domain.alerts.traits import AlertFacts, AlertKind
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseAnswerSettled(
    AlertFacts, stored_as="pause_answer_settled", kind=AlertKind.TRADE, needed=True
):
    """The order has ended of which an answer to a pause said that it may still fill. Message
    *message_id* shows *payload*, in which *doubt* is replaced by what became of the order.
    """

    symbol: Symbol
    side: Side
    base_quantity: Decimal
    quote_amount: Decimal
    message_id: int
    payload: str
    doubt: str
