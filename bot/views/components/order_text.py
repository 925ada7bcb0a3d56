"""An order in words: what it is for, and what it cost."""

from collections.abc import Mapping
from decimal import Decimal

from bot.views.components.amounts import fee, price, usdt
from bot.views.components.layout import escape
from bot.views.components.times import wall_time
from engine.domain.execution.maker_first import deadline_of
from engine.domain.market.pairs import Asset, Side, Symbol, base_of
from engine.domain.orders.order import Order, OrderState

# What became of an order, in a few words.
OUTCOMES: Mapping[OrderState, str] = {
    OrderState.PLANNED: "on its way",
    OrderState.SENDING: "on its way",
    OrderState.ACKED: "on its way",
    OrderState.UNKNOWN: "not confirmed yet",
    OrderState.NEEDS_HUMAN: "unclear, look at MEXC",
    OrderState.SET_ASIDE: "unclear, look at MEXC",
    OrderState.FILLED: "filled",
    OrderState.PARTIAL: "filled in part",
    OrderState.UNFILLED: "not filled",
    OrderState.REJECTED: "refused",
    OrderState.NOT_EXECUTED: "never arrived",
    OrderState.DROPPED: "never arrived",
}
# The same for an order that traded nothing.
NOTHING_TRADED: Mapping[OrderState, str] = {
    **OUTCOMES,
    OrderState.FILLED: "not filled",
    OrderState.PARTIAL: "not filled",
    OrderState.REJECTED: "refused, nothing moved",
}


def order_sentence(
    side: Side, symbol: Symbol, quote_amount: Decimal, *, buy: str, sell: str
) -> str:
    """*buy* or *sell*, a whole sentence each, with {base} and {amount} filled in; escaped."""
    sentence = buy if side is Side.BUY else sell
    return sentence.format(base=escape(base_of(symbol)), amount=usdt(quote_amount))


def order_line(side: Side, symbol: Symbol, quote_amount: Decimal) -> str:
    """Which order it is, in a line of its own."""
    return order_sentence(
        side,
        symbol,
        quote_amount,
        buy="Order: buy {base} for about {amount}",
        sell="Order: sell {base} for about {amount}",
    )


def waits_line(order: Order) -> str:
    """Of an order that rests: at which price, and until when."""
    if order.priced is None:
        return "1 order waits."
    at = price(order.priced.price)
    if order.cancelling_since is not None:
        return f"1 order at {at} is being cancelled. It may still fill."
    return f"1 order waits at {at} until {wall_time(deadline_of(order)):%H:%M}."


def fees_paid(fees: Mapping[Asset, Decimal], *, complete: bool) -> str:
    """Commissions by their asset, not escaped; empty where none is known."""
    paid = " + ".join(fee(amount, asset) for asset, amount in sorted(fees.items()) if amount)
    return paid if complete or not paid else f"at least {paid}"
