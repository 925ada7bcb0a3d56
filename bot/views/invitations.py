"""`/invite`, and the answers to an invitation's code."""

from collections.abc import Mapping
from datetime import datetime

from bot.interaction.message import Message
from bot.views.components.keyboards import do, keyboard
from bot.views.components.layout import escape, lines
from bot.views.components.times import utc
from engine.domain.accounts.members import Role

# What a role may do, to follow a colon.
MAY: Mapping[Role, str] = {
    Role.VIEWER: "they see everything and change nothing",
    Role.TRADER: "they also change settings, pause and trade",
    Role.OWNER: "they also decide who may do what",
}


def ask_invite_view(*, is_private: bool) -> Message:
    """`/invite` without an argument."""
    if is_private:
        return Message.of(
            "Somebody you invite here uses me in a private chat of their own, with their own "
            "key. They see and change nothing of yours.",
            "/invite private makes a code for one person.",
            keyboard=keyboard([do("Make a code", "invite", "private")]),
        )
    return Message.of(
        "What may the person you invite do in this chat?",
        f"/invite viewer: {MAY[Role.VIEWER]}.",
        f"/invite trader: {MAY[Role.TRADER]}.",
        "An owner is made with /members.",
        keyboard=keyboard([do("Viewer", "invite", "viewer"), do("Trader", "invite", "trader")]),
    )


def invite_usage_view(*, is_private: bool) -> Message:
    way = "/invite private" if is_private else "/invite viewer or /invite trader"
    return Message.of("I do not understand that. Nobody was invited.", f"Send {way}.")


def no_invitations_here_view() -> Message:
    """For a user in a private chat who is not the bot's owner."""
    return Message.of(
        "In a private chat only my owner can invite people. Nobody was invited.",
        "In a group that you own, /invite lets somebody into that group.",
    )


def code_view(
    *, code: str, role: Role, expires_at: datetime, is_private: bool, link: str | None = None
) -> Message:
    """The code, to be forwarded; *link* sends it with one tap."""
    if is_private:
        what = "lets one person use me in a private chat of their own, with their own key"
        where = "They send me, in a private chat:"
    else:
        what = f"lets one person into your group as {a(role)}: {MAY[role]}"
        where = "They send to me in a private chat, or in the group:"
    return Message.paragraphs(
        lines(f"This code {what}.", where),
        lines(
            f"<code>/start {escape(code)}</code>", f"Or they open {escape(link)}" if link else None
        ),
        lines(
            f"It works once, until {utc(expires_at)}.",
            "Whoever sends it first is in: show it to nobody else.",
            "/members shows who is in.",
        ),
    )


def code_in_private_view(*, role: Role) -> Message:
    """In the group: every member could use the code."""
    return Message.of(
        f"I sent you a code for {a(role)} in our private chat.",
        "Here everybody could use it. Pass it on to one person only.",
        "/members shows who is in.",
    )


def no_private_chat_view() -> Message:
    """Telegram lets a bot write only to users who have written to it."""
    return Message.of(
        "I cannot write to you in private, so I made no code. Nobody was invited.",
        "A code shown here could be used by everybody.",
        "Open a private chat with me, send /start there, then /invite here again.",
    )


def not_invited_view() -> Message:
    """The inviting user is no longer an owner."""
    return Message("Only owners of this chat may invite people. Nobody was invited. /help")


def admitted_here_view(*, role: Role) -> Message:
    return Message.of(
        f"Welcome! You are {a(role)} of this chat now.",
        "/status shows how things stand, /help what I can do.",
        keyboard=keyboard([do("Status", "status"), do("Help", "help")]),
    )


def admitted_elsewhere_view(*, role: Role) -> Message:
    """The code of a group, sent in another chat."""
    return Message.of(
        f"Welcome! You are {a(role)} of the group this code was made in.",
        "Write to me there; /help shows what I can do. In this chat nothing changed.",
    )


def admitted_to_private_view() -> Message:
    """The code for a private chat, sent in a group."""
    return Message.of(
        "Welcome! You may use me in a private chat now.",
        "Open one with me and send /start there. In this group nothing changed.",
    )


def used_code_view() -> Message:
    return Message("This code was used already, and it works once. Ask for a new one (/invite).")


def expired_code_view() -> Message:
    return Message(
        "This code is not good any more: codes last 24 hours. Ask for a new one (/invite)."
    )


def wrong_invitation_view(*, tries_left: int) -> Message:
    if not tries_left:
        return Message.of(
            "That is not a code of mine, and no tries are left for today.",
            "I answer again in 24 hours. /start and the code lets you in then.",
        )
    tries = "1 try is" if tries_left == 1 else f"{tries_left} tries are"
    return Message.of(
        f"That is not a code of mine. {tries} left today.",
        "Copy the whole line that my owner was shown: /start and the code.",
    )


def a(role: Role) -> str:
    """The role with its article."""
    return "an owner" if role is Role.OWNER else f"a {role.value}"
