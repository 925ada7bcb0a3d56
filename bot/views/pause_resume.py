"""`/pause` and `/resume`: what stops, what starts, and which orders are still open."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from telegram import InlineKeyboardMarkup

from bot.interaction.message import Message, from_payload
from bot.views.cancelled_updates import cancelled_line
from bot.views.components.amounts import price, tokens, usdt
from bot.views.components.badges import badge
from bot.views.components.forecast import band_line, next_check, warning_of
from bot.views.components.keyboards import do, keyboard, typed
from bot.views.components.layout import echoed, escape, lines
from bot.views.components.target_words import target_line
from bot.views.components.times import utc
from engine.domain.accounts.account import Account
from engine.domain.alerts.order_alerts import PauseAnswerSettled
from engine.domain.execution.maker_first import rests
from engine.domain.market.pairs import Side, base_of
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
        may_fill_line(unresolved) if unresolved else None,
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


def may_fill_line(order: Order) -> str:
    """Of an order that was sent before the pause. It is replaced once its end is known."""
    worth = usdt(order.expected_quote)
    if order.priced is not None and rests(order):
        at = price(order.priced.price)
        return f"One order may still fill: it waits at {at} for about {worth}. I cancel it now."
    return f"One order may still fill: it was sent before, for about {worth}. I look it up."


def pause_answer_settled_view(alert: PauseAnswerSettled) -> Message:
    """The answer to a pause, as it reads once the order has ended."""
    answer = from_payload(alert.payload)
    return replace(answer, text=answer.text.replace(alert.doubt, _end_of(alert)))


def _end_of(alert: PauseAnswerSettled) -> str:
    if not alert.base_quantity:
        return "The order sent before is over: nothing of it was filled."
    amount = escape(tokens(alert.base_quantity, base_of(alert.symbol)))
    worth = usdt(alert.quote_amount)
    if alert.side is Side.BUY:
        return f"The order sent before is over: it bought {amount} for {worth}."
    return f"The order sent before is over: it sold {amount} for {worth}."


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
