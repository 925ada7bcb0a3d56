"""`/invite`, and the answers to an invitation's code."""

from collections.abc import Mapping
from datetime import datetime

from bot.interaction.message import Message
from bot.views.components.amounts import count
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import escape, lines
from bot.views.components.times import utc
from engine.domain.accounts.members import Role

MAY: Mapping[Role, str] = {
    Role.VIEWER: "A viewer sees everything and changes nothing.",
    Role.TRADER: "A trader also changes settings, pauses and trades.",
    Role.OWNER: "An owner also decides who may do what.",
}


def ask_invite_view(*, is_private: bool) -> Message:
    """`/invite` without an argument."""
    if is_private:
        return Message.of(
            "A person you invite here uses me in a private chat, with a key of their own.",
            "They see and change nothing of yours.",
            "/invite private makes a code for one person.",
            keyboard=keyboard([do("Make a code", "invite", "private")]),
        )
    return Message.of(
        "What may the new person do in this chat?",
        f"/invite viewer: {MAY[Role.VIEWER]}",
        f"/invite trader: {MAY[Role.TRADER]}",
        "/members makes a member an owner later.",
        keyboard=keyboard([do("Viewer", "invite", "viewer"), do("Trader", "invite", "trader")]),
    )


def invite_usage_view(*, is_private: bool) -> Message:
    return Message.of(
        "I made no code. I do not know that word.",
        "Send /invite private." if is_private else "Send /invite viewer or /invite trader.",
    )


def no_invitations_here_view() -> Message:
    """For a user in a private chat who is not the bot's owner."""
    return Message.of(
        "I made no code. In a private chat only my owner can invite people.",
        "In a group that you own, /invite lets a person into the group.",
    )


def code_view(
    *, code: str, role: Role, expires_at: datetime, is_private: bool, link: str | None = None
) -> Message:
    """The code, to be forwarded; *link* sends it with one tap."""
    if is_private:
        what = "This code lets one person use me in a private chat, with a key of their own."
        where = "They send me this in a private chat:"
    else:
        what = f"This code lets one person into your group. Role: {role.value}."
        where = "They send me this in a private chat, or in the group:"
    return Message.paragraphs(
        lines(what, None if is_private else MAY[role], where),
        lines(
            f"<code>/start {escape(code)}</code>", f"Or they open {escape(link)}" if link else None
        ),
        lines(
            f"It works once, until {utc(expires_at)}.",
            "The first person who sends it is in. Show it to one person only.",
            "/members shows who is in.",
        ),
    )


def code_in_private_view(*, role: Role) -> Message:
    """In the group: every member could use the code."""
    return Message.of(
        f"I sent you a code for a new {role.value} in our private chat.",
        "In this group everybody could use it. Give it to one person only.",
        "/members shows who is in.",
    )


def no_private_chat_view() -> Message:
    """Telegram lets a bot write only to users who have written to it."""
    return Message.of(
        "I made no code. I cannot write to you in private, and here everybody could use it.",
        "Open a private chat with me and send /start there.",
        "Then send /invite here again.",
    )


def not_invited_view() -> Message:
    """The inviting user is no longer an owner."""
    return Message(
        "I made no code. Only owners of this chat may invite people. /help shows what you can do."
    )


def admitted_here_view(*, role: Role) -> Message:
    return Message.of(
        f"Welcome! Your role in this chat: {role.value}.",
        MAY[role],
        "/status shows the account. /help shows what I can do.",
        keyboard=keyboard([do("Status", "status"), do("Help", "help")]),
    )


def admitted_elsewhere_view(*, role: Role) -> Message:
    """The code of a group, sent in another chat."""
    return Message.of(
        f"Welcome! Your role in the group of this code: {role.value}.",
        MAY[role],
        "Write to me there. In this chat nothing changed. /help shows what I can do.",
    )


def admitted_to_private_view() -> Message:
    """The code for a private chat, sent in a group."""
    return Message.of(
        "Welcome! You may use me in a private chat now.",
        "Open a private chat with me and send /start there.",
        "In this group nothing changed.",
    )


def used_code_view() -> Message:
    return Message(
        "This code was used already. It works once. Ask for a new one: /invite makes it."
    )


def expired_code_view() -> Message:
    return Message(
        "This code does not work any more. Codes work for 24 hours. Ask for a new one: /invite "
        "makes it."
    )


def wrong_invitation_view(*, tries_left: int) -> Message:
    if not tries_left:
        return Message.of(
            "That is not a code of mine. You have no tries left today.",
            "In 24 hours, send /start and the code again.",
        )
    return Message.of(
        "That is not a code of mine.",
        count(tries_left, "You have 1 try left today.", "You have {n} tries left today."),
        "Copy the whole line: /start and the code.",
    )
