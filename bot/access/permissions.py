"""Which role each command needs. Deny by default: what is not named here is for owners."""

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
    *("pause", "resume", "rebalance", "settings", "settarget", "setthreshold", "setinterval"),
    *("setpair", "count", "limits", "mode", "dryrun", "alerts", "warn"),
}
# These only show something when they are sent without an argument.
_SHOWS_WHEN_BARE = {"limits", "mode", "alerts", "settings", "warn"}
NEEDED: Mapping[str, Role] = {
    **dict.fromkeys(_LOOKING, Role.VIEWER),
    **dict.fromkeys(_TRADING, Role.TRADER),
}


LOOKING_PAGES: frozenset[type] = frozenset({HistoryPage, Refresh, TradeDetailsPage, WhyPage})
"""Pages that change nothing when they are turned."""
# The pages that whoever may look may turn; the other buttons change something.
_LOOKING_PRESSES: frozenset[type] = LOOKING_PAGES | {Open}
_OWNING_PRESSES: frozenset[type] = frozenset({AuditPage})


def needed_for_press(press: CallbackData) -> Role:
    """What a person must be in the chat to tap the button. A command's button passes here and is
    judged as the command.
    """
    if type(press) in _OWNING_PRESSES:
        return Role.OWNER
    looks = isinstance(press, RunCommand) or type(press) in _LOOKING_PRESSES
    return Role.VIEWER if looks else Role.TRADER


def only_looks(command: str, argument: str) -> bool:
    """Whether `/command argument` changes nothing: a plan is only shown, and asked about."""
    return command == "rebalance" or needed_for(command, argument) is Role.VIEWER


def needed_for(command: str, argument: str) -> Role:
    """What a person must be in the chat to send `/command argument`."""
    if command in _SHOWS_WHEN_BARE and not argument:
        return Role.VIEWER
    return NEEDED.get(command, Role.OWNER)
