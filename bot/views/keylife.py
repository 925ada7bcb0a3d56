"""How long the key lives, and how a person keeps it alive."""

from datetime import datetime

from bot.messages import Message
from bot.views.buttons import do, keyboard
from bot.views.layout import escape, lines, paragraphs
from bot.views.mode import TROUBLE, alert_badge
from bot.views.moments import stamp
from engine.domain.alerts import KeyEnding
from engine.domain.keylife import RENEWABLE_FROM, days_left

RENEW = (
    "To renew it: open MEXC in a browser, go to My API Key, then Action, then Renew. "
    f"MEXC offers that from {RENEWABLE_FROM} days before the end."
)
REPLACE = "Or make a new key there and send it with /connect: all settings stay."


def life(expires_at: datetime, *, now: datetime) -> str:
    days = days_left(expires_at, now=now)
    return "expired" if not days else f"{_days(days)} left"


def key_ending_view(alert: KeyEnding) -> Message:
    return Message(
        paragraphs(
            lines(
                f"{alert_badge(alert, sign=TROUBLE)} · {_title(alert)}",
                f"The key ending in {escape(alert.key_tail)} ends on "
                f"{stamp(alert.expires_at).lstrip()} UTC. After that MEXC refuses it, and nothing is "
                "traded. Your coins are not touched by that.",
            ),
            lines(_renewal(alert.days_left), REPLACE),
            "A key that is bound to this bot's address at MEXC does not expire.",
        ),
        keyboard([do("/doctor", "doctor"), do("/connect", "connect")]),
    )


def _title(alert: KeyEnding) -> str:
    if not alert.days_left:
        return "Your MEXC key has expired"
    return f"Your MEXC key ends in {_days(alert.days_left)}"


def _renewal(days: int) -> str:
    if days > RENEWABLE_FROM:
        return f"{RENEW} You can do it in {_days(days - RENEWABLE_FROM)}; I remind you again."
    return f"{RENEW} You can do it now."


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
