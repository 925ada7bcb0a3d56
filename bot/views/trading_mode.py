"""`/mode`: how much the bot does by itself when a trade is due."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from telegram import InlineKeyboardMarkup

from bot.interaction.message import Message
from bot.views.components.amounts import usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import next_check
from bot.views.components.keyboards import do, keyboard, typed
from bot.views.components.layout import echoed, lines
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import TradingMode
from engine.domain.orders.order import Order
from engine.rebalancing.preview import Outlook

# In the order of how much the user decides.
_MEANINGS: Mapping[TradingMode, str] = {
    TradingMode.AUTO: "I trade by myself when the balance leaves the band. I tell you.",
    TradingMode.ASK: "I ask before I trade. Nothing is sent without a tap.",
    TradingMode.NOTIFY: "I send one message per drift. To trade it: /rebalance",
}
_IN_WORDS: Mapping[TradingMode, str | None] = {
    TradingMode.AUTO: None,
    TradingMode.ASK: "I ask before I trade. /mode changes that.",
    TradingMode.NOTIFY: "I only tell you, and never trade by myself. /mode changes that.",
}


def mode_view(*, account: Account, now: datetime) -> Message:
    """The three modes, and the current one."""
    current = account.settings.autonomy
    return Message.paragraphs(
        f"{badge(account)} · Mode: {current.value}",
        lines(*(_line(mode, current=current) for mode in _MEANINGS)),
        _resting(account, now=now),
        "Pause, limits and halts work in every mode. To stop everything: /pause",
        keyboard=_buttons(current),
    )


def mode_changed_view(
    *,
    account: Account,
    changed: bool,
    now: datetime,
    outlook: Outlook,
    under_way: Order | None = None,
) -> Message:
    """*account* after the change."""
    current = account.settings.autonomy
    headline = f"Mode set to {current.value}" if changed else f"Mode is {current.value} already"
    return Message.of(
        f"{badge(account)} · {headline}",
        _MEANINGS[current],
        f"An order for about {usdt(under_way.expected_quote)} was sent before. I tell you its "
        "result."
        if under_way
        else None,
        next_check(account, outlook, now=now),
        keyboard=_buttons(current, may_resume=account.settings.paused and account.can_trade),
    )


def mode_not_understood_view(*, account: Account, typed_text: str) -> Message:
    current = account.settings.autonomy
    return Message.of(
        f"I cannot use {echoed(typed_text)} here.",
        f"Nothing changed: the mode is {current.value}.",
        "Send /mode auto, /mode ask or /mode notify.",
        keyboard=_buttons(current),
    )


def mode_note(account: Account) -> str | None:
    """For `/status` and `/why`: what the bot will not do by itself."""
    return _IN_WORDS[account.settings.autonomy]


def _line(mode: TradingMode, *, current: TradingMode) -> str:
    mark = "▶" if mode is current else "▫"
    return f"{mark} <b>{mode.value}</b> – {_MEANINGS[mode]}"


def _resting(account: Account, *, now: datetime) -> str | None:
    if account.not_before is None or account.not_before <= now:
        return None
    minutes = -(-int((account.not_before - now).total_seconds()) // 60)
    return f"I ask nothing for {minutes} min more, as you wished."


def _buttons(current: TradingMode, *, may_resume: bool = False) -> InlineKeyboardMarkup:
    others: Sequence[TradingMode] = [mode for mode in _MEANINGS if mode is not current]
    resume = [do("Resume", "resume")] if may_resume else []
    return keyboard([typed("mode", mode.value) for mode in others], resume)
