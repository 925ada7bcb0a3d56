"""Notices shown while an answer takes longer than 0.3 s."""

from bot.interaction.message import Message


def waiting_view() -> Message:
    return Message("⏳ One moment…", silent=True)


def waiting_notice() -> str:
    """Ends a button's spinner before its answer is ready."""
    return "⏳ One moment…"
