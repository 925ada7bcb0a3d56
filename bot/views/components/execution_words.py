"""Which orders are sent, in words: for the commands, the panel, the card and the check-up."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.parsing.execution import slippage_text
from engine.domain.accounts.settings import Settings
from engine.domain.execution.bound import ExecutionMode
from engine.domain.execution.capability import Capability, is_market_only

ORDERS: Mapping[ExecutionMode, str] = {
    ExecutionMode.AUTO: "orders with a bound near the middle price.",
    ExecutionMode.MAKER: "orders that wait 45 s first, then those with a bound.",
    ExecutionMode.MARKET: "market orders, up to 5% from the last price.",
}
_WAITING = (
    "Waiting saves the fee and half the spread if somebody takes the order. If nobody does, the "
    "price may be worse 45 s later. Far from the target, or at your tap, I trade at once."
)


def chosen(settings: Settings) -> str:
    """For a row: which orders the settings ask for."""
    if settings.execution is ExecutionMode.MARKET:
        return "market"
    if settings.execution is ExecutionMode.MAKER:
        return f"maker, {slippage_text(settings.slippage)}"
    return f"within {slippage_text(settings.slippage)}"


def how_sent(settings: Settings, *, ioc: Capability, now: datetime) -> str:
    """For a row: which are sent. *ioc* is what is known of orders with a bound."""
    market_only = is_market_only(settings.execution, ioc=ioc, now=now)
    return "only market here" if market_only else chosen(settings)


def order_lines(settings: Settings) -> Sequence[str]:
    """How far from the price orders trade."""
    if settings.execution is ExecutionMode.MARKET:
        return ["Market orders trade up to 5% from the last price."]
    if settings.execution is ExecutionMode.MAKER:
        return [_WAITING, *bound_lines(settings)]
    return bound_lines(settings)


def bound_lines(settings: Settings) -> Sequence[str]:
    """How far from the price orders with a bound trade, whether such are sent or not."""
    far = slippage_text(settings.slippage).partition(" ")[0]
    lines = [
        f"An order with a bound trades at most {far} from the middle of the order book.",
        "If too little is offered there, I wait, however long that takes."
        if settings.slippage.strict
        else "If too little is offered there for 15 minutes, one order may go up to 5%.",
    ]
    if settings.execution is ExecutionMode.MARKET:
        lines.append("It counts for orders with a bound only: /execution auto")
    return lines
