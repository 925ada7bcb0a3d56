"""The mode, which stands in the first line of whatever concerns money."""

from engine.domain.target import Settings

LIVE = "🟢 LIVE"
DRY_RUN = "🧪 DRY RUN"
PAUSED = "⏸ PAUSED"
HALTED = "🛑 HALTED"


def badge(settings: Settings, *, halted: bool = False) -> str:
    """*halted*: the bot itself stopped, because an order needs the person's eyes."""
    if not halted and not settings.paused:
        return trading_badge(dry_run=settings.dry_run)
    stopped = HALTED if halted else PAUSED
    return f"{stopped} (dry run)" if settings.dry_run else stopped


def trading_badge(*, dry_run: bool) -> str:
    return DRY_RUN if dry_run else LIVE


def warning_badge(*, dry_run: bool) -> str:
    return "⚠️ DRY RUN" if dry_run else "⚠️ LIVE"


def good_badge(*, dry_run: bool) -> str:
    return "✅ DRY RUN" if dry_run else "✅ LIVE"
