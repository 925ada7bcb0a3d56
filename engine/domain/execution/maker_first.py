"""Whether an order waits as a maker first, and how a stored one that may rest stands. Pure."""

from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.execution.maker_order import RESTS_FOR
from engine.domain.market.decimals import EXACT_OR_LESS
from engine.domain.orders.ledger import EndReason
from engine.domain.orders.order import Order, OrderState

# After a maker that was not filled whole, the next order within this time trades at once.
TRIED_LATELY = timedelta(minutes=15)
_HALF_WIDTHS = 2


def is_near(held: Decimal, *, low: Decimal, high: Decimal) -> bool:
    """True if *held* is at most twice the band's half width from its middle: that is not urgent."""
    twice = EXACT_OR_LESS.multiply(EXACT_OR_LESS.subtract(high, low), _HALF_WIDTHS)
    from_middle = EXACT_OR_LESS.subtract(held * 2, EXACT_OR_LESS.add(low, high))
    return abs(from_middle) <= twice


def has_waited(last: Order | None, *, now: datetime) -> bool:
    """True if the account's *last* order rested, or would have, and left something to trade."""
    if last is None or not last.order_type.may_rest or last.state is OrderState.FILLED:
        return False
    return last.resolved_at is None or now - last.resolved_at < TRIED_LATELY


def rests(order: Order) -> bool:
    """True if the exchange has taken an order that may rest, and its end is not known."""
    return order.state is OrderState.ACKED and order.order_type.may_rest


def deadline_of(order: Order) -> datetime:
    """Returns when, by the exchange's clock, an order that rests is cancelled."""
    return (order.sent_at or order.created_at) + RESTS_FOR


def unwanted(
    order: Order, *, version: int, is_paused: bool, is_halted: bool, is_asked: bool
) -> EndReason | None:
    """Returns why an order that rests is cancelled before its time; None where it may go on.

    *version* is the account's: whatever changed since the plan, another plan may be right. A user's
    tap (*is_asked*) does not wait for it.
    """
    if is_halted:
        return EndReason.HALT
    if is_paused:
        return EndReason.PAUSE
    return EndReason.REPLANNED if is_asked or order.account_version != version else None
