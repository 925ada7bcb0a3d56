"""`/history`: the last trades as numbered two-line rows, and balance changes between them."""

from collections.abc import Sequence
from functools import partial

from telegram import InlineKeyboardButton

from bot.interaction.callback_data import HistoryPage, TradeDetailsPage
from bot.interaction.message import Message
from bot.views.components.amounts import balance, cents, price, quantity, usdt
from bot.views.components.badges import badge
from bot.views.components.keyboards import button, do, in_rows, keyboard, pager
from bot.views.components.layout import COLUMNS, block, width
from bot.views.components.order_text import NOTHING_TRADED
from bot.views.components.times import stamp, zone_name
from engine.domain.accounts.account import Account
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Side, base_of
from engine.domain.orders.order import Order

# More buttons in a row are too narrow for a thumb.
_NUMBERS_A_ROW = 5
_SEVERAL = 2


def history_view(
    *,
    account: Account,
    events: Sequence[Order | BalanceChange],
    page: int,
    size: int,
    has_more: bool,
) -> Message:
    """*events* are those of *page*, newest first; *has_more* says whether older ones exist.
    Each trade has a numbered button that opens its details.
    """
    mode, turned = badge(account), partial(HistoryPage, size=size)
    if not events:
        text = (
            "No older trades. The newest: /history"
            if page
            else "No trades yet. What comes next: /status"
        )
        back = pager(page, turned, has_more=False)
        return Message.paragraphs(
            f"{mode} · History", text, keyboard=keyboard(back) if back else None
        )
    numbered = list(enumerate(events, start=page * size + 1))
    rows = [
        row
        for number, event in numbered
        for row in (*_plan_begins(numbered, number), *_rows(number, event))
    ]
    stories = _numbers(numbered, page, size)
    title = f"{mode} · History, page {page + 1}" if page else f"{mode} · History"
    return Message.paragraphs(
        f"{title}\nTimes in {zone_name()}. /history 10 shows more, /export all.",
        block(rows),
        "Tap a number to see that trade." if stories else None,
        keyboard=keyboard(
            *in_rows(stories, _NUMBERS_A_ROW),
            pager(page, turned, has_more=has_more),
            [] if page else [do("Chart", "chart")],
        ),
    )


def _plan_begins(numbered: Sequence[tuple[int, Order | BalanceChange]], number: int) -> list[str]:
    """A line above the newest trade of a plan of several, with how many of them follow here."""
    runs = [(n, _run_of(event)) for n, event in numbered]
    run = dict(runs)[number]
    its_numbers = [n for n, one in runs if one == run]
    if run is None or len(its_numbers) < _SEVERAL or number != its_numbers[0]:
        return []
    return [f"One plan, {len(its_numbers)} trades:"]


def _run_of(event: Order | BalanceChange) -> str | None:
    if isinstance(event, BalanceChange) or event.leg is None:
        return None
    return event.run_id


def _rows(number: int, event: Order | BalanceChange) -> list[str]:
    return _moved(number, event) if isinstance(event, BalanceChange) else _traded(number, event)


def _moved(number: int, movement: BalanceChange) -> list[str]:
    went = "came in" if movement.change > ZERO else "went out"
    show = cents if movement.asset == USDT else balance
    change = f"{show(movement.before)} → {show(movement.after)}"
    return [
        *_headed(f"{number} {stamp(movement.at)} {movement.asset}", went),
        f"  paper: {change}" if movement.dry_run else f"  {change}",
    ]


def _headed(head: str, rest: str) -> list[str]:
    """*rest* beside *head*, or below it where both are too wide."""
    line = f"{head} {rest}"
    return [line] if width(line) <= COLUMNS else [head, f"  {rest}"]


def _traded(number: int, order: Order) -> list[str]:
    base, buying = base_of(order.symbol), order.side is Side.BUY
    when = f"{number} {stamp(order.created_at)}"
    execution = order.execution
    if execution.average_price is not None:
        quote, average = usdt(execution.quote_amount), price(execution.average_price)
        return [
            *_headed(
                f"{when} bought" if buying else f"{when} sold",
                f"{quantity(execution.base_quantity)} {base}",
            ),
            f"  paper {quote} at {average}" if order.dry_run else f"  for {quote} at {average}",
            *_slice(order),
        ]
    outcome = NOTHING_TRADED[order.state]
    return [
        f"{when} buy {base}" if buying else f"{when} sell {base}",
        f"  paper: {outcome}" if order.dry_run else f"  {outcome}",
    ]


def _slice(order: Order) -> list[str]:
    if order.slice_number is None:
        return []
    return [f"  slice {order.slice_number} of {order.slices}"]


def _numbers(
    numbered: Sequence[tuple[int, Order | BalanceChange]], page: int, size: int
) -> list[InlineKeyboardButton]:
    return [
        button(str(number), TradeDetailsPage(event.client_order_id, page, size))
        for number, event in numbered
        if isinstance(event, Order)
    ]
