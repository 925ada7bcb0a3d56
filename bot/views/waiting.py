"""What stands in the chat while an answer takes longer than a blink."""

from bot.messages import Message


def waiting_view() -> Message:
    return Message("⏳ One moment…", silent=True)
