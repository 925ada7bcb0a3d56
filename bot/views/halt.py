"""`/halt`: stops all trading in all chats until the owner lifts it."""

from collections.abc import Sequence
from datetime import datetime

from bot.interaction.callback_data import Confirm
from bot.interaction.message import Message
from bot.views.cancelled_updates import cancelled_line
from bot.views.components.amounts import count, usdt
from bot.views.components.badges import HALTED, badge, mode_badge
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.times import ago
from engine.accounts.halt import HaltImpact
from engine.domain.accounts.account import Account, Halt
from engine.domain.alerts.alerts import Halted, HaltLifted
from engine.domain.orders.order import Order

_STAY = "{n} chats stay paused or without a key."


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
        "No order leaves from now on, in any chat, after a restart too.",
        _under_way(under_way),
        cancelled_line(cancelled),
        "Coins stay where they are.",
        "/halt off lifts it. Then every chat is as it was before.",
        keyboard=keyboard([do("Lift the halt", "halt", "off")]),
    )


def ask_lift_view(*, account: Account, waiting: HaltImpact, confirmation_id: str) -> Message:
    """Shows what resumes before it does."""
    return Message.of(
        f"{badge(account)} · Lift the halt?",
        *_what_starts(waiting),
        "Tap within 90 s. No tap: everything stays halted. Later: /halt off",
        keyboard=keyboard([button("Yes, lift it", Confirm(confirmation_id))]),
    )


def other_halt_view(*, account: Account) -> Message:
    """The halt of the confirmation was lifted, and another one is in force."""
    return Message.of(
        f"{badge(account)} · Nothing changed",
        "That halt is lifted. There is a new one.",
        "To lift the new one, send /halt off again.",
    )


def lifted_view(*, account: Account, was_halted: bool) -> Message:
    """The owner's own chat after lifting."""
    title = "The halt is lifted" if was_halted else "There is no halt"
    return Message.of(
        f"{badge(account)} · {title}",
        "Every chat is as it was before. What was paused stays paused."
        if was_halted
        else "Nothing changed.",
        "/status shows this chat.",
        keyboard=keyboard([do("Status", "status")]),
    )


def not_the_owner_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Nothing changed",
        "Only my owner can halt all chats or lift a halt.",
        "/pause stops this chat.",
        keyboard=keyboard([do("Pause", "pause")]),
    )


def halt_usage_view() -> Message:
    return Message.of(
        "Nothing changed. I know /halt and /halt off.",
        "/halt stops all chats at once. /halt off lifts it.",
    )


def no_resume_in_a_halt_view(*, account: Account) -> Message:
    return Message.of(
        f"{badge(account)} · Nothing changed",
        "No order leaves: my owner halted all chats.",
        "Only my owner can lift that, with /halt off.",
        "This chat is paused too. Send /resume after the halt."
        if account.settings.paused
        else "After the halt this chat trades again, without a /resume.",
    )


def no_trade_in_a_halt_view(*, account: Account) -> Message:
    """A tap on a plan made before the halt."""
    return Message.of(
        f"{badge(account)} · Nothing traded",
        "No order was sent: my owner halted all chats.",
        "Send /rebalance when the halt is lifted.",
    )


def halt_alert_view(alert: Halted | HaltLifted) -> Message:
    """The alert in the other chats."""
    if isinstance(alert, Halted):
        return Message.of(
            f"{mode_badge(dry_run=alert.dry_run, halted=True)} · My owner halted all chats",
            "No order leaves from now on. Your coins stay where they are.",
            f"One order of about {usdt(alert.expected_quote)} was sent before and may still be "
            "filled. I look it up and tell you."
            if alert.expected_quote is not None
            else None,
            "I tell you when the halt is lifted. /status works meanwhile.",
        )
    mode = mode_badge(dry_run=alert.dry_run, paused=alert.paused)
    return Message.of(
        f"{mode} · The halt is lifted",
        "Trading stays paused in this chat, as before. /resume starts it."
        if alert.paused
        else "Trading goes on in this chat from your balance as it is now.",
    )


def _what_starts(waiting: HaltImpact) -> Sequence[str]:
    still = waiting.accounts - waiting.trading
    stays = count(still, "1 chat stays paused or without a key.", _STAY)
    if not waiting.trading:
        return ["Nothing trades by itself.", *([stays] if still else [])]
    return [
        count(waiting.trading, "1 chat trades again at once.", "{n} chats trade again at once."),
        count(waiting.live, "1 of them uses real money.", "{n} of them use real money.")
        if waiting.live
        else "All of them trade on paper.",
        *([stays] if still else []),
    ]


def _under_way(under_way: tuple[Order, ...]) -> str | None:
    if not under_way:
        return None
    if len(under_way) == 1:
        worth = usdt(under_way[0].expected_quote)
        return (
            f"One order of about {worth} was sent before and may still be filled. I look it up "
            "and tell its chat."
        )
    return (
        f"{len(under_way)} orders were sent before and may still be filled. I look them up and "
        "tell their chats."
    )
