"""Undo: the button below a change, and the answer to each kind of tap on it."""

from dataclasses import replace
from datetime import datetime

from telegram import InlineKeyboardMarkup

from bot.interaction.callback_data import Confirm, Open, PanelPage
from bot.interaction.message import Message
from bot.views.components.badges import badge
from bot.views.components.command_text import commands, named
from bot.views.components.forecast import band_line, next_check
from bot.views.components.keyboards import button, keyboard
from bot.views.components.layout import fitted, lines, listed, paragraphs
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.rebalancing.pending_change import PendingChange
from engine.rebalancing.preview import Outlook

UNDO = "↩️ Undo"


def undoable(
    message: Message,
    *,
    former: SettingsPatch,
    question_id: str,
    present: SettingsPatch | None = None,
) -> Message:
    """*message* reports a change, to *present*; the button restores *former*."""
    rows = message.keyboard.inline_keyboard if message.keyboard else ()
    return replace(
        message,
        text=paragraphs(message.text, undo_hint(former, present=present)),
        keyboard=keyboard([button(UNDO, Confirm(question_id))], *rows),
    )


def undo_hint(former: SettingsPatch, *, present: SettingsPatch | None) -> str:
    return f"Undo works for 60 s. Later: {_how(former, present=present)}"


def undone_view(
    *,
    account: Account,
    former: SettingsPatch,
    now: datetime,
    outlook: Outlook,
) -> Message:
    """*account* after the undo."""
    return Message.of(
        f"{badge(account)} · {undone_title(former)}",
        band_line(account.settings),
        next_check(account, outlook, now=now),
    )


def undone_title(former: SettingsPatch) -> str:
    return f"Undone. {listed(_rows(former))}"


def undo_late_view(proposal: PendingChange) -> Message:
    """The minute has passed: the change stays."""
    return Message.of(
        "Nothing changed: Undo works for 60 s.",
        f"To go back: {_how(proposal.wanted, present=proposal.found)}",
        keyboard=back_to_panel(proposal),
    )


def undo_overtaken_view(*, account: Account, proposal: PendingChange) -> Message:
    """The setting was changed again since, by any user."""
    present = _rows(proposal.found.now(account))
    text = lines(
        f"{badge(account)} · Not undone",
        "Nothing changed. The setting was changed again since.",
        *present,
        f"To go back: {_how(proposal.wanted, present=proposal.found)}",
    )
    return Message(fitted(text, *reversed(present)), back_to_panel(proposal))


def back_to_panel(proposal: PendingChange) -> InlineKeyboardMarkup | None:
    if not proposal.in_panel:
        return None
    return keyboard([button("⬅️ Back", Open(page_of(proposal.wanted)))])


def page_of(wish: SettingsPatch) -> PanelPage:
    """The panel's page for the change."""
    pages = {
        "target": PanelPage.TARGET,
        "threshold": PanelPage.THRESHOLD,
        "interval_s": PanelPage.INTERVAL,
        "symbol": PanelPage.PAIR,
        "counting": PanelPage.COUNTING,
        "dry_run": PanelPage.DRY_RUN,
        "limits": PanelPage.LIMITS,
        "execution": PanelPage.EXECUTION,
        "slippage": PanelPage.SLIPPAGE,
    }
    names = wish.names
    return pages.get(names[0], PanelPage.HOME) if len(names) == 1 else PanelPage.HOME


def _rows(wish: SettingsPatch) -> list[str]:
    return [f"{label}: {value}" for label, value in named(wish)]


def _how(wish: SettingsPatch, *, present: SettingsPatch | None) -> str:
    return listed(commands(wish, present=present))
