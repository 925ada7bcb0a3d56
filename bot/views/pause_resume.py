"""`/pause` and `/resume`: what stops, what starts, and which orders are still open."""

from collections.abc import Sequence
from datetime import datetime

from telegram import InlineKeyboardMarkup

from bot.interaction.message import Message
from bot.views.cancelled_updates import cancelled_line
from bot.views.components.amounts import usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import band_line, next_check, warning_of
from bot.views.components.keyboards import do, keyboard, typed
from bot.views.components.layout import echoed, escape, lines
from bot.views.components.target_words import target_line
from bot.views.components.times import utc
from engine.domain.accounts.account import Account
from engine.domain.orders.order import Order
from engine.rebalancing.preview import Outlook


def paused_view(
    *,
    account: Account,
    already: bool,
    unresolved: Order | None = None,
    called_off: bool = False,
    slices_ended: bool = False,
    cancelled: Sequence[str] = (),
    ends_at: datetime | None = None,
    no_time: str = "",
) -> Message:
    """*unresolved* orders were sent before the pause and may still have traded.
    *called_off*: a confirmed rebalance had not begun; *slices_ended*: a trade over time ran. *cancelled* are the commands that were
    queued. *ends_at* is when trading starts again by itself; *no_time* was typed for it and is none.
    """
    return Message.of(
        f"{badge(account)} · {'Paused already' if already else 'Trading is paused'}",
        "No order leaves from now on.",
        f"One sent before, about {usdt(unresolved.expected_quote)}, may still be filled; "
        "I look it up and tell you."
        if unresolved
        else None,
        "Your trade over time ends here. I tell you what was traded."
        if slices_ended
        else "The trade you tapped is called off."
        if called_off
        else None,
        cancelled_line(cancelled),
        f"I do not read {echoed(no_time)} as a time, so the pause has no end."
        if no_time and ends_at is None
        else None,
        f"Trading starts again by itself: {utc(ends_at)}." if ends_at else None,
        "If the first order is big then, I ask you first." if ends_at else None,
        "Your coins stay where they are. /resume starts trading again."
        if not account.halted
        else "Your coins stay where they are. It stays paused when the halt is lifted, too.",
        keyboard=_after_pause(account, has_end=ends_at is not None),
    )


def _after_pause(account: Account, *, has_end: bool) -> InlineKeyboardMarkup | None:
    if account.halted:
        return None
    ends = [typed("pause", time) for time in ("1h", "8h")]
    return keyboard(ends if account.can_trade and not has_end else [], [do("Resume", "resume")])


def resumed_view(
    *,
    account: Account,
    already: bool,
    now: datetime,
    outlook: Outlook,
) -> Message:
    settings = account.settings
    warning = warning_of(settings, outlook)
    held = escape(target_line(settings.target))
    title = "Trading is on already" if already else "Trading is on"
    return Message.paragraphs(
        lines(
            f"{badge(account)} · {title}",
            f"I hold {held} for you on paper, with live prices."
            if settings.dry_run
            else f"I hold {held} for you with real money.",
            band_line(settings),
        ),
        next_check(account, outlook, now=now),
        warning.text if warning else None,
        "/pause stops it at any time.",
        keyboard=keyboard([do("Pause", "pause")]),
    )


def cannot_resume_view(*, account: Account) -> Message:
    """There is no API key to trade with."""
    return Message.of(
        f"{badge(account)} · No key yet",
        "I need a MEXC key before I can trade. Nothing changed.",
        "Send /connect to add one, or /dryrun on to try it on paper.",
        keyboard=keyboard([do("Connect", "connect")]),
    )
