"""When the API key expires, and how the user renews it."""

from datetime import datetime

from bot.interaction.message import Message
from bot.views.components.badges import TROUBLE, alert_badge
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import escape, lines, quoted
from bot.views.components.times import days, utc
from engine.domain.accounts.key_expiry import RENEWABLE_FROM, days_left
from engine.domain.alerts.key_alerts import KeyEnding, KeyTooPowerful, MoneyShared

RENEW = (
    "To renew it: open MEXC in a browser, go to My API Key, then Action, then Renew. "
    f"That works from {RENEWABLE_FROM} days before the end."
)
PAUSED_NOW = "Trading is paused for this chat."
REPLACE = "Or make a new key at MEXC and send it with /connect. All settings stay."


def life(expires_at: datetime, *, now: datetime) -> str:
    left = days_left(expires_at, now=now)
    return f"{days(left)} left" if left else "expired"


def key_ending_view(alert: KeyEnding) -> Message:
    return Message.paragraphs(
        lines(
            f"{alert_badge(alert, sign=TROUBLE)} · {_title(alert)}",
            f"The key …{escape(alert.key_tail)} ends on {utc(alert.expires_at)}.",
            "After that MEXC refuses it, and I trade nothing. Your coins are not touched.",
        ),
        lines(RENEW, _renewable(alert.days_left), REPLACE),
        "A key that allows only this bot's address does not expire.",
        keyboard=keyboard([do("/doctor", "doctor"), do("/connect", "connect")]),
    )


def key_too_powerful_view(alert: KeyTooPowerful) -> Message:
    """At most eight lines: it is read at night."""
    return Message.of(
        f"{alert_badge(alert, sign=TROUBLE)} · Your key may do too much now",
        "No order was sent. I never use these powers.",
        f"MEXC lists for the key …{escape(alert.key_tail)}: {quoted(alert.powers)}.",
        "Anyone with such a key can move money out of your account.",
        PAUSED_NOW if alert.paused else None,
        "Take the powers off the key at MEXC, then send /resume.",
        "If you did not add them, delete the key at MEXC now.",
        keyboard=keyboard([do("/doctor", "doctor"), do("Resume", "resume")]),
    )


def money_shared_view(alert: MoneyShared) -> Message:
    """It does not name the other chat, only that there is one."""
    return Message.of(
        f"{alert_badge(alert, sign=TROUBLE)} · This account is traded twice",
        PAUSED_NOW if alert.paused else None,
        "Another chat connected a key of the same MEXC account earlier.",
        "Two chats would undo each other's trades, and you would pay the fees of both.",
        "The other chat goes on as before. Your coins are not touched.",
        "To trade here: send /disconnect in the other chat, then /resume here.",
        keyboard=keyboard([do("/status", "status"), do("/disconnect", "disconnect")]),
    )


def _title(alert: KeyEnding) -> str:
    if not alert.days_left:
        return "Your MEXC key has expired"
    return f"Your MEXC key ends in {days(alert.days_left)}"


def _renewable(left: int) -> str:
    if left > RENEWABLE_FROM:
        return f"You can do it in {days(left - RENEWABLE_FROM)}. I remind you again."
    return "You can do it now."
