"""The end of a pause that had one: trading is on again, or the user is asked."""

from bot.interaction.message import Message
from bot.views.components.amounts import usdt
from bot.views.components.badges import alert_badge
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import escape
from bot.views.components.times import utc
from engine.domain.alerts.pause_alerts import PauseEnded, ResumeAsked
from engine.domain.market.pairs import Side, base_of


def pause_ended_view(alert: PauseEnded) -> Message:
    return Message.of(
        f"{alert_badge(alert)} · Trading is on again",
        "The time of your pause is over.",
        _next_order(alert) or "I trade when the next check finds a reason.",
        "/pause stops it at any time.",
        keyboard=keyboard([do("Pause", "pause")]),
    )


def resume_asked_view(alert: ResumeAsked) -> Message:
    return Message.of(
        f"{alert_badge(alert)} · Trading stays paused",
        "The time of your pause is over.",
        "Something was changed during the pause." if alert.changed else None,
        _first_order(alert)
        or (None if alert.changed else "I do not know how much the first order would move."),
        "To start trading: /resume. I show the order first if it is big.",
        f"Without an answer I ask again {utc(alert.again_at)}."
        if alert.again_at
        else "I do not ask again.",
        keyboard=keyboard([do("Resume", "resume"), do("/why", "why")]),
    )


def _next_order(alert: PauseEnded) -> str | None:
    if alert.side is None or alert.expected_quote is None:
        return None
    base, amount = escape(base_of(alert.symbol)), usdt(alert.expected_quote)
    if alert.side is Side.BUY:
        return f"The next check buys {base} for about {amount}."
    return f"The next check sells {base} for about {amount}."


def _first_order(alert: ResumeAsked) -> str | None:
    if alert.side is None or alert.expected_quote is None:
        return None
    base, amount = escape(base_of(alert.symbol)), usdt(alert.expected_quote)
    if alert.side is Side.BUY:
        return f"The first order would buy {base} for about {amount}."
    return f"The first order would sell {base} for about {amount}."
