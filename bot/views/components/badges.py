"""The mode badge in the first line of every message about money."""

from engine.domain.accounts.account import Account
from engine.domain.alerts.key_alerts import InMode

LIVE = "🟢 LIVE"
DRY_RUN = "🧪 DRY RUN"
PAUSED = "⏸ PAUSED"
HALTED = "🛑 HALTED"
NO_KEY = "🔑 NO KEY"
TROUBLE, RECOVERED = "⚠️", "✅"


def badge(account: Account, *, halted: bool = False) -> str:
    """HALTED is what the chat's own /resume does not end.
    The owner halted all chats, or (*halted*) an order needs the user.
    """
    settings = account.settings
    halted = halted or account.halted
    if not (halted or settings.paused or account.can_trade):
        return NO_KEY
    return mode_badge(dry_run=settings.dry_run, paused=settings.paused, halted=halted)


def alert_badge(alert: InMode, *, sign: str | None = None) -> str:
    """The mode of the chat at that time; *sign* replaces the mode's own."""
    mode = mode_badge(dry_run=alert.dry_run, paused=alert.paused, halted=alert.halted)
    return mode if sign is None else signed(mode, sign)


def mode_badge(*, dry_run: bool, paused: bool = False, halted: bool = False) -> str:
    if not (paused or halted):
        return DRY_RUN if dry_run else LIVE
    stopped = HALTED if halted else PAUSED
    return f"{stopped} (dry run)" if dry_run else stopped


def signed(mode: str, sign: str) -> str:
    """*mode* with *sign* in place of its own."""
    return f"{sign} {mode.partition(' ')[2]}"
