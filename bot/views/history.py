"""`/history`: the last orders as two-line rows, a page at a time, and the caption of the export."""

from collections.abc import Sequence
from typing import assert_never

from telegram import InlineKeyboardMarkup

from bot.callbacks import HistoryPage
from bot.messages import Message
from bot.views.amounts import price, quantity, usdt
from bot.views.buttons import button, keyboard
from bot.views.layout import COLUMNS, block, paragraphs, width
from bot.views.mode import badge
from bot.views.moments import stamp
from engine.domain.accounts import Account
from engine.domain.orders import Intent, OrderState
from engine.domain.pairs import Side, base_of


def history_view(
    *, account: Account, orders: Sequence[Intent], page: int, size: int, has_more: bool
) -> Message:
    """*orders* are those of *page*, newest first; *has_more* says whether older ones exist."""
    mode = badge(account)
    if not orders:
        text = (
            "No older trades. /history shows the newest."
            if page
            else "No trades yet. /status shows what comes next."
        )
        return Message(paragraphs(f"{mode} · History", text), _pages(page, size, has_more=False))
    rows = [row for order in orders for row in _rows(order)]
    title = f"{mode} · History" + (f", page {page + 1}" if page else "")
    return Message(
        paragraphs(
            f"{title}\nTimes in UTC. /history 10 shows more, /export all.",
            block(rows),
        ),
        _pages(page, size, has_more=has_more),
    )


def export_caption(*, count: int) -> str:
    """Plain text below the CSV file."""
    trades = "1 order" if count == 1 else f"{count:,} orders"
    return f"All your orders: {trades}. Times in UTC, amounts exact."


def nothing_to_export_view() -> Message:
    return Message("There is nothing to export yet: no order was ever sent. /status shows more.")


def export_failed_view() -> Message:
    """Telegram did not take the file."""
    return Message("I could not send the file just now. Please send /export again in a minute.")


def _rows(order: Intent) -> list[str]:
    base = base_of(order.symbol)
    when = stamp(order.created_at)
    how = "paper" if order.dry_run else "for"
    execution = order.execution
    if execution.average_price is not None:
        verb = "bought" if order.side is Side.BUY else "sold"
        what = f"{quantity(execution.base_quantity)} {base}"
        first = f"{when} {verb} {what}"
        return [
            *([first] if width(first) <= COLUMNS else [f"{when} {verb}", f"  {what}"]),
            f"  {how} {usdt(execution.quote_amount)} at {price(execution.average_price)}",
        ]
    verb = "buy" if order.side is Side.BUY else "sell"
    paper = "paper: " if order.dry_run else ""
    return [f"{when} {verb} {base}", f"  {paper}{_story(order.state)}"]


def _story(state: OrderState) -> str:
    """What became of an order that has moved nothing."""
    match state:
        case OrderState.PLANNED | OrderState.SENDING | OrderState.ACKED:
            return "on its way"
        case OrderState.UNKNOWN:
            return "not confirmed yet"
        case OrderState.NEEDS_HUMAN | OrderState.SET_ASIDE:
            return "unclear, look at MEXC"
        case OrderState.UNFILLED | OrderState.PARTIAL | OrderState.FILLED:
            return "found nobody"
        case OrderState.REJECTED:
            return "refused, nothing moved"
        case OrderState.NOT_EXECUTED | OrderState.DROPPED:
            return "never arrived"
        case _:
            assert_never(state)


def _pages(page: int, size: int, *, has_more: bool) -> InlineKeyboardMarkup | None:
    newer = [button("« Newer", HistoryPage(page - 1, size))] if page else []
    older = [button("Older »", HistoryPage(page + 1, size))] if has_more else []
    return keyboard([*newer, *older]) if newer or older else None
