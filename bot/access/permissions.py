"""Maps each command to the role it needs. Deny by default: unlisted commands are for owners."""

from collections.abc import Mapping

from bot.interaction.callback_data import (
    AuditPage,
    CallbackData,
    HistoryPage,
    Open,
    Refresh,
    RunCommand,
    TradeDetailsPage,
    WhyPage,
)
from engine.domain.accounts.members import Role

_LOOKING = {
    *("start", "help", "version", "status", "why", "doctor", "balance", "history", "export"),
}
_TRADING = {
    *("pause", "stop", "resume", "rebalance", "buy", "sell", "settings", "settarget"),
    *("setthreshold", "setinterval", "setpair", "count", "limits", "mode", "dryrun", "alerts"),
    *("warn", "deposits"),
}
_PLANS = {"rebalance", "buy", "sell"}
# Without an argument these commands only show something.
_SHOWS_WHEN_BARE = {"limits", "mode", "alerts", "settings", "warn", "deposits"}
NEEDED: Mapping[str, Role] = {
    **dict.fromkeys(_LOOKING, Role.VIEWER),
    **dict.fromkeys(_TRADING, Role.TRADER),
}


LOOKING_PAGES: frozenset[type] = frozenset({HistoryPage, Refresh, TradeDetailsPage, WhyPage})
"""Pages that change nothing when they are turned."""
# The buttons that a viewer may tap; the others change something.
_LOOKING_PRESSES: frozenset[type] = LOOKING_PAGES | {Open}
_OWNING_PRESSES: frozenset[type] = frozenset({AuditPage})


def needed_for_press(press: CallbackData) -> Role:
    """Return the role needed to tap the button.
    A command's button is allowed here and judged as the command.
    """
    if type(press) in _OWNING_PRESSES:
        return Role.OWNER
    looks = isinstance(press, RunCommand) or type(press) in _LOOKING_PRESSES
    return Role.VIEWER if looks else Role.TRADER


def only_looks(command: str, argument: str) -> bool:
    """True if `/command argument` changes nothing: a plan is only shown, and confirmed later."""
    return command in _PLANS or needed_for(command, argument) is Role.VIEWER


def needed_for(command: str, argument: str) -> Role:
    """Return the role needed to send `/command argument`."""
    if command in _SHOWS_WHEN_BARE and not argument:
        return Role.VIEWER
    return NEEDED.get(command, Role.OWNER)
