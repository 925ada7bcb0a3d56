"""`/halt`: stops all trading in all chats until the owner lifts it."""

from collections.abc import Sequence
from datetime import datetime

from bot.interaction.callback_data import Confirm
from bot.interaction.message import Message
from bot.views.cancelled_updates import cancelled_line
from bot.views.components.amounts import usdt
from bot.views.components.badges import HALTED, badge, mode_badge
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.times import ago
from engine.accounts.halt import HaltImpact
from engine.domain.accounts.account import Account, Halt
from engine.domain.alerts.alerts import Halted, HaltLifted
from engine.domain.orders.order import Order


def halted_view(
    *,
    halt: Halt,
    already: bool,
    now: datetime,
    under_way: tuple[Order, ...] = (),
    cancelled: Sequence[str] = (),
) -> Message:
    """*under_way*: orders, of any chat, that were sent before and may still trade.
    *cancelled*: the commands, of any chat, that were queued.
    """
    title = f"Halted already, {ago(now - halt.at)}" if already else "Everything is halted"
    return Message.of(
        f"{HALTED} · {title}",
        "No order leaves from now on, for any chat. Restarts change nothing.",
        _under_way(under_way),
        cancelled_line(cancelled),
        "Coins stay where they are. /halt off lifts it, and every chat is as it was before.",
        keyboard=keyboard([do("Lift the halt", "halt", "off")]),
    )


def ask_lift_view(*, account: Account, waiting: HaltImpact, confirmation_id: str) -> Message:
    """Shows what resumes before it does."""
    return Message.of(
        f"{badge(account)} · Lift the halt?",
        _what_starts(waiting),
        "The others stay as they are: paused, or without a key."
        if waiting.trading < waiting.accounts
        else None,
        "Tap within 90 s; without a tap everything stays halted. (/halt off)",
        keyboard=keyboard([button("Yes, lift it", Confirm(confirmation_id))]),
    )


def other_halt_view(*, account: Account) -> Message:
    """The halt of the confirmation was lifted, and another one is in force."""
    return Message.of(
        f"{badge(account)} · Nothing changed",
        "That halt was lifted meanwhile, and there is a new one.",
        "Send /halt off again to lift it.",
    )


def lifted_view(*, account: Account, was_halted: bool) -> Message:
    """The owner's own chat after lifting."""
    title = "The halt is lifted" if was_halted else "There is no halt"
    return Message.of(
        f"{badge(account)} · {title}",
        "Every chat is as it was before: what was paused stays paused."
        if was_halted
        else "Nothing changed.",
        "/status shows how this chat stands.",
        keyboard=keyboard([do("Status", "status")]),
    )


def not_the_owner_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Only my owner can halt all chats or lift a halt.",
        "/pause stops this chat.",
        keyboard=keyboard([do("Pause", "pause")]),
    )


def halt_usage_view() -> Message:
    return Message.of(
        "I do not understand that. Nothing changed.",
        "/halt stops all chats at once, /halt off lifts it.",
    )


def no_resume_in_a_halt_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Nothing changed",
        "My owner halted all chats, so no order leaves. Only my owner can lift that, with "
        "/halt off.",
        "This chat stays paused after it; /resume works again then."
        if account.settings.paused
        else "This chat trades again after it, without a /resume.",
    )


def no_trade_in_a_halt_view(*, account: Account) -> Message:
    """A tap on a plan made before the halt."""
    return Message.of(
        f"{badge(account)} · Nothing traded",
        "My owner halted all chats, so no order was sent.",
        "Send /rebalance when the halt is lifted.",
    )


def halt_alert_view(alert: Halted | HaltLifted) -> Message:
    """The alert in the other chats."""
    if isinstance(alert, Halted):
        return Message.of(
            f"{mode_badge(dry_run=alert.dry_run, halted=True)} · My owner halted all chats",
            "No order leaves from now on.",
            f"One sent before, about {usdt(alert.expected_quote)}, may still be filled; "
            "I look it up and tell you."
            if alert.expected_quote is not None
            else None,
            "Your coins stay where they are. I tell you when the halt is lifted; "
            "/status works as ever.",
        )
    mode = mode_badge(dry_run=alert.dry_run, paused=alert.paused)
    return Message.of(
        f"{mode} · The halt is lifted",
        "Trading in this chat stays paused, as it was before; /resume starts it."
        if alert.paused
        else "Trading in this chat goes on from your balance as it is now.",
    )


def _what_starts(waiting: HaltImpact) -> str:
    chats = "1 chat" if waiting.accounts == 1 else f"{waiting.accounts} chats"
    if not waiting.trading:
        return f"{chats} in all; none would trade by itself."
    verb = "trades" if waiting.trading == 1 else "trade"
    return (
        f"{chats} in all: {waiting.trading} {verb} again at once, "
        f"{waiting.live or 'none'} of them with real money."
    )


def _under_way(under_way: tuple[Order, ...]) -> str | None:
    if not under_way:
        return None
    if len(under_way) == 1:
        worth = usdt(under_way[0].expected_quote)
        return (
            f"One sent before, about {worth}, may still be filled; I look it up and tell its chat."
        )
    return (
        f"{len(under_way)} sent before may still be filled; I look them up and tell their chats."
    )
