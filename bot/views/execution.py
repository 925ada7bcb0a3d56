"""`/execution` and `/slippage`: which orders are sent, and how far from the price they may trade."""

from datetime import datetime

from telegram import InlineKeyboardMarkup

from bot.interaction.message import Message
from bot.parsing.execution import slippage_text
from bot.parsing.settings import Topic
from bot.views.components.badges import badge
from bot.views.components.execution_words import ORDERS, bound_lines, order_lines
from bot.views.components.forecast import next_check
from bot.views.components.keyboards import do, keyboard, typed
from bot.views.components.layout import lines
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import Settings
from engine.domain.execution.bound import ExecutionMode
from engine.rebalancing.preview import Outlook


def execution_view(*, account: Account) -> Message:
    """The kinds of orders, and the present one."""
    settings = account.settings
    return Message.paragraphs(
        f"{badge(account)} · Execution: {settings.execution.value}",
        lines(*(_line(mode, current=settings.execution) for mode in ORDERS)),
        lines(*order_lines(settings)),
        "Your limits hold for every order: /limits",
        keyboard=_buttons(settings, Topic.EXECUTION),
    )


def slippage_view(*, account: Account) -> Message:
    """How far an order with a bound may trade."""
    settings = account.settings
    return Message.of(
        f"{badge(account)} · Slippage: {slippage_text(settings.slippage)}",
        *bound_lines(settings),
        "To change it: /slippage 0.5%   or   /slippage 1% strict",
        keyboard=_buttons(settings, Topic.SLIPPAGE),
    )


def orders_changed_view(
    *, account: Account, topic: Topic, changed: bool, now: datetime, outlook: Outlook
) -> Message:
    """*account* after `/execution` or `/slippage`."""
    settings = account.settings
    if topic is Topic.EXECUTION:
        name, value, effect = "Execution", settings.execution.value, order_lines(settings)
    else:
        name, value, effect = "Slippage", slippage_text(settings.slippage), bound_lines(settings)
    title = f"{name} set to {value}" if changed else f"{name} is {value} already"
    is_new = topic is Topic.EXECUTION and settings.execution is not ExecutionMode.MARKET
    return Message.of(
        f"{badge(account)} · {title}",
        *effect,
        "Where MEXC takes no such orders, I send market orders and tell you." if is_new else None,
        next_check(account, outlook, now=now),
        keyboard=_buttons(settings, topic),
    )


def _line(mode: ExecutionMode, *, current: ExecutionMode) -> str:
    mark = "▶" if mode is current else "▫"
    return f"{mark} <b>{mode.value}</b> – {ORDERS[mode]}"


def _buttons(settings: Settings, topic: Topic) -> InlineKeyboardMarkup:
    """The other choices, and the page of the other setting."""
    if topic is Topic.SLIPPAGE:
        return keyboard([do("Execution", "execution")])
    others = [mode for mode in ORDERS if mode is not settings.execution]
    return keyboard(
        [*(typed("execution", mode.value) for mode in others), do("Slippage", "slippage")]
    )
