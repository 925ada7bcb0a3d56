"""Updates that were not carried out: cancelled by a later `/pause`, or failed."""

from collections.abc import Sequence
from datetime import datetime

from bot.interaction.message import Message
from bot.views.components.keyboards import do, keyboard
from engine.domain.alerts.local_time import local

TAP = "tap"
"""The name of a tap on a button among the names of commands."""
_MOST_NAMES = 5


def cancelled_line(names: Sequence[str]) -> str | None:
    """*names* are of commands, without their slash, or TAP; None if there are none."""
    if not names:
        return None
    said = ["a tapped button" if name == TAP else f"/{name}" for name in dict.fromkeys(names)]
    shown = ", ".join(said[:_MOST_NAMES])
    if (more := len(said) - _MOST_NAMES) > 0:
        return f"I cancelled what came before this: {shown} and {more} more."
    return f"I cancelled what came before this: {shown}."


def not_carried_out_view(*, sent_at: datetime, time_zone: str | None) -> Message:
    """For the author of a message that could not be handled; *time_zone* is the chat's own."""
    when = f"{local(sent_at, time_zone):%H:%M}" if time_zone else f"{sent_at:%H:%M} UTC"
    return Message.of(
        f"⚠️ I could not carry out your message of {when}.",
        "Look at /status first. Then send it again if you still want it.",
        keyboard=keyboard([do("Status", "status")]),
    )


def tap_begun_view() -> Message:
    """A tap that was begun before, with an unknown outcome."""
    return Message.of(
        "⚠️ I was interrupted while I did what you tapped.",
        "I do not know how far I got. I did not do it a second time.",
        "Look at /status. If nothing changed, send the command again.",
        keyboard=keyboard([do("Status", "status")]),
    )


def database_away_view() -> Message:
    """Sent once, while a message waits."""
    return Message.of(
        "⏳ My database does not answer right now.",
        "Nothing is traded until it does. Nothing is lost.",
        "Then I carry out your message.",
    )
