"""One trade in detail: the plan, the prices seen, the result, and the times."""

from collections.abc import Iterable
from decimal import Decimal

from bot.interaction.callback_data import HistoryPage
from bot.interaction.message import Message
from bot.views.components.amounts import (
    about_percent,
    cents,
    fee,
    precise_percent,
    price,
    quantity,
    signed,
    tokens,
    usdt,
)
from bot.views.components.badges import badge
from bot.views.components.keyboards import button, keyboard
from bot.views.components.layout import block, escape, lines, quoted, row
from bot.views.components.order_text import OUTCOMES, fees_paid
from bot.views.components.times import stamp, to_the_second, zone_name
from engine.accounts.profit import WorthNow
from engine.domain.accounts.account import Account
from engine.domain.execution.shortfall import Shortfall
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Side, base_of
from engine.domain.orders.order import Fees, Order, OrderState, Trigger
from engine.domain.orders.slippage import slippage
from engine.domain.profit.costs import NotKnown

_ASIDE = "  "


def story_view(
    *,
    account: Account,
    order: Order,
    asked_by: str | None,
    back: HistoryPage,
    worth: WorthNow | None = None,
    cost: Shortfall | NotKnown | None = None,
) -> Message:
    """*asked_by* is the user who tapped, as far as that is known; *back* the page it came from.
    *worth* is what the trade brought so far, *cost* what it cost against the middle of the book.
    """
    return Message.paragraphs(
        lines(
            f"{badge(account)} · {_title(order)}",
            _who(order, asked_by),
            None
            if order.slice_number is None
            else f"It is slice {order.slice_number} of {order.slices} of a trade over time.",
            "On paper: no real money moved." if order.dry_run else None,
        ),
        block(
            [
                *_planned(order),
                *_happened(order),
                *_cost(cost),
                *_brought(worth),
                *_balances(order),
                *_times(order),
                *_ids(order),
            ]
        ),
        _refusal(order),
        f"Times in {zone_name()}. Back to /history:",
        keyboard=keyboard([button("« Back", back)]),
    )


def story_gone_view(*, back: HistoryPage) -> Message:
    """A button of another chat's trade, or of one that was deleted."""
    return Message(
        "I do not have this trade here. Back to /history:", keyboard([button("Back", back)])
    )


def _title(order: Order) -> str:
    base, buying = base_of(order.symbol), order.side is Side.BUY
    moved = escape(tokens(order.execution.base_quantity, base))
    if order.execution.base_quantity:
        return f"Bought {moved}" if buying else f"Sold {moved}"
    return f"An order to buy {escape(base)}" if buying else f"An order to sell {escape(base)}"


def _who(order: Order, asked_by: str | None) -> str:
    if order.trigger is Trigger.INTERVAL:
        return "A check traded by itself: the balance was outside its band."
    if asked_by is None:
        return "It was started with a tap."
    return f"{escape(asked_by)} started it with a tap."


def _refusal(order: Order) -> str | None:
    if order.state is not OrderState.REJECTED or not order.error:
        return None
    return f"MEXC answered {quoted(order.error)}."


def _planned(order: Order) -> Iterable[str]:
    base = base_of(order.symbol)
    asked = f"spend {usdt(order.expected_quote)}"
    if order.base_quantity is not None:
        asked = f"sell {tokens(order.base_quantity, base)} for about {usdt(order.expected_quote)}"
    yield from row("Target", usdt(order.target))
    yield from row("Held", usdt(order.quote_before))
    yield from row("Asked", asked)
    if order.priced is not None:
        yield from row("Type", order.priced.order_type.value)
        yield from row("Bound", f"{price(order.priced.price)} USDT")
        yield from row("Expected", f"{price(order.priced.average)} USDT")
    yield from row("Seen", f"{price(order.price)} USDT" if order.price else "price not kept")


def _happened(order: Order) -> Iterable[str]:
    execution = order.execution
    yield from row("Result", OUTCOMES[order.state])
    if execution.average_price is None:
        return
    yield from row("Filled", tokens(execution.base_quantity, base_of(order.symbol)))
    yield from row("", f"for {usdt(execution.quote_amount)}")
    yield from row("Average", f"{price(execution.average_price)} USDT")
    slipped = slippage(order)
    if slipped is not None:
        yield from row("Slippage", _slippage(slipped))
    yield from row("Fee", _fees(order.fees))


def _cost(cost: Shortfall | NotKnown | None) -> Iterable[str]:
    """Price and fees, of what was traded."""
    if cost is NotKnown.FEES:
        yield from row("Cost", "not known yet")
    elif cost is NotKnown.MIDDLE:
        yield from row("Cost", "not known: there is no middle price")
    elif cost is not None and cost.done_bp is not None:
        part = precise_percent(abs(cost.done_bp) / 10_000)
        if cost.done < ZERO:
            yield from row("Cost", f"{signed(cost.done)} USDT")
            yield from row("", f"{part} better than the middle")
        else:
            yield from row("Cost", fee(cost.done, USDT))
            yield from row("", f"{part} from the middle")


def _brought(worth: WorthNow | None) -> Iterable[str]:
    """Compared with not having made this trade."""
    if worth is not None:
        about = "about " if worth.about else ""
        yield from row("Brought", f"{about}{signed(worth.brought)} USDT so far")
        yield from row("", f"at {price(worth.price)} USDT")
        yield from row("", stamp(worth.at).lstrip())


def _slippage(slipped: Decimal) -> str:
    """Compared with the price that was seen."""
    text = about_percent(abs(slipped))
    if text == "0%":
        return "none"
    return f"{text} worse than seen" if slipped > ZERO else f"{text} better than seen"


def _fees(fees: Fees | None) -> str:
    if fees is None:
        return "not known"
    paid = fees_paid(fees.by_asset, complete=fees.complete)
    return paid or ("none" if fees.complete else "not known")


def _balances(order: Order) -> Iterable[str]:
    base = base_of(order.symbol)
    after = "?" if order.quote_after is None else cents(order.quote_after)
    yield from row("USDT", f"{cents(order.quote_before)} → {after}")
    base_after = "?" if order.base_after is None else quantity(order.base_after)
    yield from row(base, f"{quantity(order.base_before)} → {base_after}")


def _times(order: Order) -> Iterable[str]:
    yield from row("Planned", to_the_second(order.created_at))
    yield from row("Sent", to_the_second(order.sent_at) if order.sent_at else "never")
    yield from row("Settled", to_the_second(order.resolved_at) if order.resolved_at else "not yet")


def _ids(order: Order) -> Iterable[str]:
    """Each on a line of its own, so that it can be copied."""
    yield "Client order id"
    yield _ASIDE + order.client_order_id
    yield "MEXC's order id" if not order.dry_run else "Paper order id"
    yield _ASIDE + (order.exchange_order_id or "none")
