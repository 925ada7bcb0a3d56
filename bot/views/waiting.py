"""What stands in the chat while an answer takes longer than a blink."""

from bot.interaction.message import Message


def waiting_view() -> Message:
    return Message("⏳ One moment…", silent=True)


def waiting_notice() -> str:
    """Ends a button's spinner while its answer is still being found."""
    return "⏳ One moment…"
