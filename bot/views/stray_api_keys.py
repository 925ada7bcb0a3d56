"""API keys that are refused: sent where others read, malformed, or without being asked for."""

from bot.interaction.message import Message
from bot.views.components.layout import escape, lines


def malformed_key_view(*, deleted: bool) -> Message:
    return Message.of(
        "⚠️ That does not look like a MEXC key and secret. I kept nothing of it.",
        deletion(deleted=deleted),
        "Both are at least 6 letters and digits, without blanks inside.",
        "Send them again: /connect KEY SECRET",
    )


def not_as_text_view(*, deleted: bool) -> Message:
    """A key under a picture, in a file, or forwarded."""
    return Message.of(
        "⚠️ I take a key only as text that you type or paste yourself. I kept nothing.",
        deletion(deleted=deleted),
        "Send it again as text: /connect KEY SECRET",
    )


def stray_key_view(*, deleted: bool, may_connect: bool = True) -> Message:
    """A text like a key came without `/connect`, with that misspelt, or from who may not add one."""
    return Message.of(
        "⚠️ That looks like a MEXC key or secret. I kept nothing of it.",
        deletion(deleted=deleted),
        *(
            (
                "To add a key, send /connect first.",
                "You can send all in one message: /connect KEY SECRET",
            )
            if may_connect
            else ("You may not add a key in this chat.",)
        ),
    )


def group_refused_view(*, deleted: bool | None, link: str | None = None) -> Message:
    """`/connect` was typed where others can read; *deleted* is None if that was all. *link* opens
    the private chat.
    """
    return Message.of(
        "⚠️ I take keys in a private chat only. Everybody here can read them.",
        None
        if deleted is None
        else lines(
            "I kept nothing.",
            deletion(deleted=deleted),
            "If that was a key, delete it at MEXC and make a new one.",
        ),
        f"Open {escape(link)} and send /connect there."
        if link
        else "Send me /connect in private.",
        "Then /share there makes a link that shows this group your account.",
    )


def deletion(*, deleted: bool) -> str:
    """What happened to a message that held a secret."""
    if deleted:
        return "Your message is deleted."
    return "⚠️ I could not delete your message. Please delete it yourself, now."
