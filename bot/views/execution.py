"""`/execution` and `/slippage`: which orders are sent, and how far from the price they may trade."""

from collections.abc import Mapping

from telegram import InlineKeyboardMarkup

from bot.interaction.message import Message
from bot.parsing.execution import slippage_text
from bot.views.components.badges import badge
from bot.views.components.keyboards import do, keyboard, typed
from bot.views.components.layout import lines
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import Settings
from engine.domain.execution.bound import ExecutionMode

_MEANINGS: Mapping[ExecutionMode, str] = {
    ExecutionMode.AUTO: "orders with a bound near the middle price.",
    ExecutionMode.MARKET: "market orders, up to 5% from the last price.",
}


def execution_view(*, account: Account) -> Message:
    """Both kinds of orders, and the present one."""
    current = account.settings.execution
    return Message.paragraphs(
        f"{badge(account)} · Execution: {current.value}",
        lines(*(_line(mode, current=current) for mode in _MEANINGS)),
        lines(_bound(account.settings), _beyond(account.settings)),
        "Your limits hold for every order: /limits",
        keyboard=_buttons(account.settings),
    )


def execution_changed_view(*, account: Account, changed: bool) -> Message:
    """*account* after the change."""
    settings = account.settings
    name = settings.execution.value
    is_auto = settings.execution is ExecutionMode.AUTO
    return Message.of(
        f"{badge(account)} · "
        + (f"Execution set to {name}" if changed else f"Execution is {name} already"),
        f"From the next order on I send {_MEANINGS[settings.execution]}",
        _bound(settings) if is_auto else None,
        _beyond(settings) if is_auto else None,
        "Where MEXC takes no such orders, I send market orders and tell you." if is_auto else None,
        keyboard=_buttons(settings),
    )


def slippage_view(*, account: Account, title: str | None = None) -> Message:
    """How far an order with a bound may trade. After a change *title* reports it."""
    settings = account.settings
    text = slippage_text(settings.slippage)
    is_auto = settings.execution is ExecutionMode.AUTO
    return Message.of(
        f"{badge(account)} · {title or f'Slippage: {text}'}",
        _bound(settings),
        _beyond(settings),
        None if is_auto else "It counts for orders with a bound only: /execution auto",
        "To change it: /slippage 0.5%   or   /slippage 1% strict",
        keyboard=_buttons(settings),
    )


def slippage_changed_view(*, account: Account, changed: bool) -> Message:
    text = slippage_text(account.settings.slippage)
    title = f"Slippage set to {text}" if changed else f"Slippage is {text} already"
    return slippage_view(account=account, title=title)


def _line(mode: ExecutionMode, *, current: ExecutionMode) -> str:
    mark = "▶" if mode is current else "▫"
    return f"{mark} <b>{mode.value}</b> – {_MEANINGS[mode]}"


def _bound(settings: Settings) -> str:
    far = slippage_text(settings.slippage).partition(" ")[0]
    return f"An order with a bound trades at most {far} from the middle of the order book."


def _beyond(settings: Settings) -> str:
    if settings.slippage.strict:
        return "If too little is offered there, I wait, however long that takes."
    return "If too little is offered there for 15 minutes, one order may go up to 5%."


def _buttons(settings: Settings) -> InlineKeyboardMarkup:
    others = [mode for mode in _MEANINGS if mode is not settings.execution]
    return keyboard(
        [*(typed("execution", mode.value) for mode in others), do("Slippage", "slippage")]
    )
