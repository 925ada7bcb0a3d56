"""Maps each command to the role it needs. Deny by default: unlisted commands are for owners."""

from collections.abc import Mapping

from bot.interaction.callback_data import (
    AuditPage,
    CallbackData,
    ChartPage,
    Choose,
    Confirm,
    EnterValue,
    FlowPage,
    FlowsPage,
    HistoryPage,
    Open,
    PanelPage,
    Pin,
    ProfitPage,
    Refresh,
    ReplayPage,
    RunCommand,
    SetPreset,
    TradeDetailsPage,
    WhyPage,
)
from bot.interaction.confirmations import BIG_TARGET, CHOICE, REBALANCE, SET_TARGET, UNDO
from engine.domain.accounts.confirmation import RESUME
from engine.domain.accounts.members import Role

_LOOKING = {
    *("start", "help", "version", "status", "why", "doctor", "balance", "history", "export"),
    *("chart", "leave", "profit"),
}
_TRADING = {
    *("pause", "stop", "resume", "rebalance", "buy", "sell", "settings", "settarget"),
    *("setthreshold", "setinterval", "setpair", "count", "limits", "mode", "dryrun", "alerts"),
    *("warn", "pricealert", "deposits", "execution", "slippage"),
    *("bands", "destination", "protect", "target", "schedule", "cooldown", "crashguard"),
}
_PLANS = {"rebalance", "buy", "sell"}
# Without an argument these commands only show something.
_SHOWS_WHEN_BARE = {
    *("limits", "mode", "alerts", "settings", "warn", "deposits", "execution", "slippage"),
    "pricealert",
    *("bands", "destination", "protect", "target", "schedule", "cooldown", "crashguard"),
}
# What is allowed, with the right role, where the account is another chat's; the rest is its owner's.
_WITH_ANOTHERS = {
    *(_LOOKING - {"doctor", "export"}),
    *("pause", "stop", "resume", "rebalance", "settarget", "setthreshold"),
}
NEEDED: Mapping[str, Role] = {
    **dict.fromkeys(_LOOKING, Role.VIEWER),
    **dict.fromkeys(_TRADING, Role.TRADER),
}


LOOKING_PAGES: frozenset[type] = frozenset(
    {
        *(ChartPage, FlowsPage, HistoryPage, ProfitPage, Refresh, ReplayPage, TradeDetailsPage),
        WhyPage,
    }
)
"""Pages that change nothing when they are turned."""
# The buttons that a viewer may tap; the others change something.
_LOOKING_PRESSES: frozenset[type] = LOOKING_PAGES | {Open}
_OWNING_PRESSES: frozenset[type] = frozenset({AuditPage, FlowPage})
# With another chat's account; answers to questions are judged by what was asked.
_SHARED_PRESSES: frozenset[type] = _LOOKING_PRESSES | {RunCommand, Confirm, Choose, Pin}
_SHARED_PAGES = {PanelPage.TARGET, PanelPage.THRESHOLD}
SHARED_QUESTIONS = frozenset({REBALANCE, RESUME, BIG_TARGET, SET_TARGET, UNDO, CHOICE})
"""Kinds of questions that may be answered where the account is another chat's."""


def needed_for_press(press: CallbackData, *, is_shared: bool = False) -> Role:
    """Return the role needed to tap the button. *is_shared*: the account is another chat's.
    A command's button is allowed here and judged as the command.
    """
    if type(press) in _OWNING_PRESSES or (is_shared and not _may_be_shared(press)):
        return Role.OWNER
    looks = isinstance(press, RunCommand) or type(press) in _LOOKING_PRESSES
    return Role.VIEWER if looks else Role.TRADER


def may_tap_with_anothers(press: CallbackData, role: Role) -> bool:
    """True if the button is worth showing where the account is another chat's: it does something."""
    if isinstance(press, RunCommand):
        return role.covers(needed_for(press.command, press.argument, is_shared=True))
    if isinstance(press, Open) and press.page is not PanelPage.HOME:
        return role.covers(Role.TRADER) and press.page in _SHARED_PAGES
    return role.covers(needed_for_press(press, is_shared=True))


def _may_be_shared(press: CallbackData) -> bool:
    if isinstance(press, SetPreset | EnterValue):
        return press.page in _SHARED_PAGES
    return type(press) in _SHARED_PRESSES


def only_looks(command: str, argument: str) -> bool:
    """True if `/command argument` changes nothing: a plan is only shown, and confirmed later."""
    is_plan = command in _PLANS and argument.strip().lower() != "stop"
    return is_plan or needed_for(command, argument) is Role.VIEWER


def needed_for(command: str, argument: str, *, is_shared: bool = False) -> Role:
    """Return the role needed to send `/command argument`. *is_shared*: the account is another
    chat's, and this chat has no owner.
    """
    if (command in _SHOWS_WHEN_BARE and not argument) or (is_shared and command == "alerts"):
        return Role.VIEWER  # each shared chat chooses its own alerts
    if is_shared and command not in _WITH_ANOTHERS:
        return Role.OWNER
    return NEEDED.get(command, Role.OWNER)
