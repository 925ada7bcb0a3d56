"""Which role each command needs. Deny by default: what is not named here is for owners."""

from collections.abc import Mapping

from engine.domain.people import Role

_LOOKING = {
    *("start", "help", "version", "status", "why", "doctor", "balance", "history", "export"),
}
_TRADING = {
    *("pause", "resume", "rebalance", "settings", "settarget", "setthreshold", "setinterval"),
    *("setpair", "count", "limits", "mode", "dryrun", "alerts", "warn"),
}
# These only show something when they are sent without an argument.
_SHOWS_WHEN_BARE = {"limits", "mode", "alerts", "settings"}
NEEDED: Mapping[str, Role] = {
    **dict.fromkeys(_LOOKING, Role.VIEWER),
    **dict.fromkeys(_TRADING, Role.TRADER),
}


def needed_for(command: str, argument: str) -> Role:
    """What a person must be in the chat to send `/command argument`."""
    if command in _SHOWS_WHEN_BARE and not argument:
        return Role.VIEWER
    return NEEDED.get(command, Role.OWNER)
