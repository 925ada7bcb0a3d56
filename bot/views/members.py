"""`/members`: who has access, each member's role, and the confirmations of a change."""

from collections.abc import Sequence
from typing import assert_never

from bot.interaction.callback_data import Choose, Confirm
from bot.interaction.message import Message
from bot.updates.invisible_characters import without_marks
from bot.views.components.keyboards import button, do, in_rows, keyboard
from bot.views.components.layout import COLUMNS, block, escape, lines, width
from bot.views.components.times import stamp
from bot.views.invitations import MAY, a
from engine.domain.accounts.members import Member, Role, RoleChangeResult
from engine.domain.alerts.alerts import MemberJoined

_LONGEST_NAME = 24
_MORE = "More people"
_FIRST = "Back to the first"


def name_of(user_id: int, name: str) -> str:
    """Return what a user calls themselves, short and on one line; not yet escaped."""
    flat = " ".join(without_marks(name).split())
    while width(flat) > _LONGEST_NAME:
        flat = flat[:-1]
    return flat or f"User {user_id}"


def members_view(
    *,
    people: Sequence[Member],
    page: int,
    has_more: bool,
    is_private: bool,
    all_may_look: bool,
    question_id: str,
) -> Message:
    """One page. The buttons are the members in order, the next page, and the viewer setting."""
    title = "People with a private chat" if is_private else "People of this chat"
    rows = [line for member in people for line in _rows(member, is_private=is_private)]
    others = (
        "Each has an account of their own there."
        if is_private
        else "Everybody else in the group may look, and change nothing."
        if all_may_look
        else "Nobody else in the group may use me."
    )
    labels = [name_of(member.user_id, member.name) for member in people]
    if page or has_more:
        labels.append(_MORE if has_more else _FIRST)
    if not is_private:
        labels.append("Members only" if all_may_look else "Let all look")
    buttons = [button(label, Choose(question_id, at)) for at, label in enumerate(labels)]
    return Message.paragraphs(
        f"{title}{f', page {page + 1}' if page else ''} (/members)",
        block(rows) if rows else "Nobody is on this page any more.",
        lines(others, "Tap a name to change what they may do. /invite lets somebody in."),
        keyboard=keyboard(*in_rows(buttons, 2)),
    )


def only_you_view() -> Message:
    """`/members` in the private chat of a user who is not the bot's owner."""
    return Message.of(
        "This is your own private chat: nobody else is in it.",
        "In a group that you own, /members shows who may do what.",
    )


def member_view(*, member: Member, options: Sequence[str], question_id: str) -> Message:
    """One member, and the possible changes: *options* are roles, "remove", "back"."""
    name = name_of(member.user_id, member.name)
    return Message.of(
        f"<b>{escape(name)}</b> (id {member.user_id}) is {a(member.role)}.",
        f"That means: {MAY[member.role]}.",
        "What shall change? I ask again before I do it. /members shows everybody.",
        keyboard=keyboard(
            *(
                [button(_option(option), Choose(question_id, at))]
                for at, option in enumerate(options)
            )
        ),
    )


def sure_view(
    *, user_id: int, name: str, wanted: Role | None, is_private: bool, question_id: str
) -> Message:
    """The confirmation before a role is changed or a member removed."""
    who = escape(name_of(user_id, name))
    if wanted is not None:
        ask = lines(f"Make {who} {a(wanted)}?", f"Then {MAY[wanted]}.")
        label = f"Yes, make {a(wanted)}"
    elif is_private:
        ask = lines(
            f"Remove {who} (id {user_id})?",
            "They cannot use me any more, and their account is paused: they could not stop it.",
        )
        label = "Yes, remove and pause"
    else:
        ask = lines(
            f"Remove {who} from the people of this chat?", "They may do nothing here then."
        )
        label = "Yes, remove"
    return _ask(ask, yes=label, question_id=question_id)


def ask_look_view(*, on: bool, question_id: str) -> Message:
    if on:
        ask = lines(
            "Let everybody in this group look?",
            "They see balances, trades and settings, and change nothing.",
        )
    else:
        ask = lines("Let members only look?", "Others in the group hear nothing from me then.")
    return _ask(ask, yes="Yes", question_id=question_id)


def _ask(question: str, *, yes: str, question_id: str) -> Message:
    return Message.of(
        question,
        "Nothing has changed so far. /members goes back.",
        keyboard=keyboard([button(yes, Confirm(question_id)), do("No, back", "members")]),
    )


def look_changed_view(*, on: bool) -> Message:
    return Message.of(
        "Everybody in this group may look now, and change nothing."
        if on
        else "Only members may use me in this group now.",
        "/members shows who they are.",
        keyboard=keyboard([do("Members", "members")]),
    )


def verdict_view(
    verdict: RoleChangeResult, *, user_id: int, name: str, wanted: Role | None, is_private: bool
) -> Message:
    """The result of the change."""
    who = escape(name_of(user_id, name))
    match verdict:
        case RoleChangeResult.DONE:
            done = (
                f"{who} is {a(wanted)} now: {MAY[wanted]}."
                if wanted
                else f"{who} cannot use me any more. Trading in their chat is paused."
                if is_private
                else f"{who} is out: they may do nothing here any more."
            )
            return _told(done, "It holds at once. /audit shows who changed what.")
        case RoleChangeResult.NOT_ALLOWED:
            return _told("Only owners may change that.", "Nothing changed.")
        case RoleChangeResult.OUTDATED:
            return _told(
                f"{who} is not what you saw any more: somebody else changed that.",
                "Nothing changed now.",
            )
        case RoleChangeResult.LAST_OWNER:
            return _told(
                f"{who} is the last owner of this chat, so that stays.",
                "Make somebody else an owner first.",
            )
        case RoleChangeResult.RUNS_THE_BOT:
            return _told(f"{who} runs this bot and stays an owner.", "Nothing changed.")
        case RoleChangeResult.LET_IN_BY_SETTINGS:
            return _told(
                f"{who} is let in by AUTHORIZED_CHATS, so I cannot remove them.",
                "Take the id out there and restart the program."
                if is_private
                else "Make them a viewer here, or take the id out there and restart the program.",
                "Nothing changed.",
            )
        case _:
            assert_never(verdict)


def joined_view(alert: MemberJoined) -> Message:
    """For the chat whose code was used elsewhere."""
    who = escape(name_of(alert.user_id, alert.name))
    done = (
        f"{who} (id {alert.user_id}) used a code of this chat and is {a(alert.role)} here now."
        if alert.role
        else f"{who} (id {alert.user_id}) used a code of yours and has a private chat with me now."
    )
    return _told(done, "If that is nobody you know, remove them at once.")


def _told(*sentences: str) -> Message:
    return Message.of(
        *sentences,
        "/members shows everybody.",
        keyboard=keyboard([do("Members", "members")]),
    )


def _rows(member: Member, *, is_private: bool) -> list[str]:
    name = name_of(member.user_id, member.name)
    since = f"since {stamp(member.since).strip()}" if member.since else "by AUTHORIZED_CHATS"
    role = "runs me" if is_private and member.is_owner else "" if is_private else member.role.value
    second = f"  {role}, {since}" if role else f"  {since}"
    return [name, second if width(second) <= COLUMNS else f"  {role}"]


def _option(option: str) -> str:
    match option:
        case "remove":
            return "Remove"
        case "back":
            return "« Everybody"
        case role:
            return f"Make {a(Role(role))}"
