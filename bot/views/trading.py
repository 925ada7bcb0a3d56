"""`/pause` and `/resume`: what stops, what starts, and what is still on its way."""

from datetime import datetime

from bot.callbacks import Confirm
from bot.messages import Message
from bot.views.amounts import usdt
from bot.views.buttons import button, do, keyboard
from bot.views.layout import escape, lines, paragraphs
from bot.views.mode import badge
from bot.views.outlook import band_line, caution, held_at, next_step, seen_line
from engine.domain.accounts import Account
from engine.domain.looks import Look
from engine.domain.orders import Intent
from engine.domain.pairs import PairRules, Side, base_of


def paused_view(
    *,
    account: Account,
    already: bool,
    unresolved: Intent | None = None,
    called_off: bool = False,
) -> Message:
    """*unresolved* left before the pause and can still turn out to have traded; *called_off*: a
    rebalance that was tapped had not begun.
    """
    return Message(
        lines(
            f"{badge(account.settings)} · {'Paused already' if already else 'Trading is paused'}",
            "No order leaves from now on.",
            f"One sent before, about {usdt(unresolved.expected_quote)}, may still be filled; "
            "I look it up and tell you."
            if unresolved
            else None,
            "The rebalance you tapped is called off." if called_off else None,
            "Your coins stay where they are. /resume starts trading again.",
        ),
        keyboard([do("Resume", "resume")]),
    )


def resumed_view(
    *,
    account: Account,
    already: bool,
    now: datetime,
    look: Look | None = None,
    rules: PairRules | None = None,
) -> Message:
    settings = account.settings
    warning = caution(settings, rules=rules)
    money = "on paper, with live prices" if settings.dry_run else "with real money"
    held = held_at(look, settings)
    step = next_step(settings, can_trade=account.can_trade, held=held, rules=rules)
    title = "Trading is on already" if already else "Trading is on"
    return Message(
        paragraphs(
            lines(
                f"{badge(settings)} · {title}",
                f"I hold {usdt(settings.target)} for you {money}.",
                band_line(settings),
            ),
            lines(step, seen_line(look, held=held, now=now)),
            warning.text if warning else None,
            "/pause stops it at any time.",
        ),
        keyboard([do("Pause", "pause")]),
    )


def cannot_resume_view(*, account: Account) -> Message:
    """There is no key to trade with."""
    return Message(
        lines(
            f"{badge(account.settings)} · No key yet",
            "I need a MEXC key before I can trade. Nothing changed.",
            "Send /connect to add one, or /dryrun on to try it on paper.",
        ),
        keyboard([do("Connect", "connect")]),
    )


def ask_set_aside_view(*, account: Account, order: Intent, confirmation_id: str) -> Message:
    """/resume while an order needs the person's eyes."""
    verb = "buy" if order.side is Side.BUY else "sell"
    base = escape(base_of(order.symbol))
    return Message(
        paragraphs(
            lines(
                f"{badge(account.settings, halted=True)} · One order is unclear",
                f"I do not know what became of the order to {verb} {base} "
                f"for about {usdt(order.expected_quote)}.",
                f"Its client order id is {escape(order.client_order_id)}.",
            ),
            "Please look in your orders at MEXC. If it is filled or cancelled there, or not there "
            "at all, tap the button: I put it aside, stay paused, and start from your balance as "
            "it is when you send /resume again.",
            "Without a tap nothing changes: I keep asking MEXC.",
        ),
        keyboard([button("I looked, go on", Confirm(confirmation_id))]),
    )


def set_aside_view(*, account: Account) -> Message:
    return Message(
        lines(
            f"{badge(account.settings)} · Put aside",
            "The unclear order no longer holds me up. No order was sent, trading is paused.",
            "/balance shows what you hold, /resume starts trading from there.",
        ),
        keyboard([do("Resume", "resume")]),
    )
