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
    dry_run = account.settings.dry_run
    if account.halted or halted:
        return halted_badge(dry_run=dry_run)
    if account.settings.paused:
        return paused_badge(dry_run=dry_run)
    return trading_badge(dry_run=dry_run) if account.can_trade else NO_KEY


def alert_badge(alert: InMode, *, sign: str | None = None) -> str:
    """The mode of the chat at that time; *sign* replaces the mode's own."""
    if alert.halted:
        mode = halted_badge(dry_run=alert.dry_run)
    elif alert.paused:
        mode = paused_badge(dry_run=alert.dry_run)
    else:
        mode = trading_badge(dry_run=alert.dry_run)
    return mode if sign is None else f"{sign} {mode.partition(' ')[2]}"


def paused_badge(*, dry_run: bool) -> str:
    return f"{PAUSED} (dry run)" if dry_run else PAUSED


def halted_badge(*, dry_run: bool) -> str:
    return f"{HALTED} (dry run)" if dry_run else HALTED


def trading_badge(*, dry_run: bool) -> str:
    return DRY_RUN if dry_run else LIVE
