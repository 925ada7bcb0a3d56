"""Which orders are sent, in words: for the commands, the panel, the card and the check-up."""

from collections.abc import Mapping, Sequence

from bot.parsing.execution import slippage_text
from engine.domain.accounts.settings import Settings
from engine.domain.execution.bound import ExecutionMode

ORDERS: Mapping[ExecutionMode, str] = {
    ExecutionMode.AUTO: "orders with a bound near the middle price.",
    ExecutionMode.MARKET: "market orders, up to 5% from the last price.",
}


def how_sent(settings: Settings, *, is_market_only: bool = False) -> str:
    """For a row. *is_market_only*: the exchange takes no other orders of the key in the pair."""
    if settings.execution is ExecutionMode.MARKET:
        return "market"
    return "only market here" if is_market_only else f"within {slippage_text(settings.slippage)}"


def order_lines(settings: Settings) -> Sequence[str]:
    """How far from the price orders trade."""
    if settings.execution is ExecutionMode.MARKET:
        return ["Market orders trade up to 5% from the last price."]
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
