"""The mode, which stands in the first line of whatever concerns money."""

from engine.domain.accounts import Account

LIVE = "🟢 LIVE"
DRY_RUN = "🧪 DRY RUN"
PAUSED = "⏸ PAUSED"
HALTED = "🛑 HALTED"


def badge(account: Account, *, halted: bool = False) -> str:
    """HALTED is what the chat's own /resume does not end: the owner halted all chats, or (*halted*)
    an order needs the person's eyes.
    """
    dry_run = account.settings.dry_run
    if account.halted or halted:
        return halted_badge(dry_run=dry_run)
    if account.settings.paused:
        return paused_badge(dry_run=dry_run)
    return trading_badge(dry_run=dry_run)


def paused_badge(*, dry_run: bool) -> str:
    return f"{PAUSED} (dry run)" if dry_run else PAUSED


def halted_badge(*, dry_run: bool) -> str:
    return f"{HALTED} (dry run)" if dry_run else HALTED


def trading_badge(*, dry_run: bool) -> str:
    return DRY_RUN if dry_run else LIVE


def warning_badge(*, dry_run: bool) -> str:
    return "⚠️ DRY RUN" if dry_run else "⚠️ LIVE"


def good_badge(*, dry_run: bool) -> str:
    return "✅ DRY RUN" if dry_run else "✅ LIVE"
