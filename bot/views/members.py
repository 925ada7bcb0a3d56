"""`/members`: who has access, each member's role, and the confirmations of a change."""

from collections.abc import Sequence
from typing import assert_never

from bot.interaction.callback_data import Choose, Confirm
from bot.interaction.message import Message
from bot.updates.invisible_characters import without_marks
from bot.views.components.keyboards import button, do, in_rows, keyboard
from bot.views.components.layout import COLUMNS, block, escape, lines, width
from bot.views.components.times import stamp
from bot.views.invitations import MAY
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
    shared: Sequence[str] = (),
) -> Message:
    """One page. The buttons are the members in order, the next page, and the viewer setting.
    *shared* are the names of the chats that see this one's account.
    """
    title = "People with a private chat" if is_private else "People of this chat"
    if page:
        title = f"{title}, page {page + 1}"
    rows = [line for member in people for line in _rows(member, is_private=is_private)]
    others = (
        "Each has an account of their own."
        if is_private
        else "Everybody else in the group may look and change nothing."
        if all_may_look
        else "No one else in the group may use me."
    )
    labels = [_name(member, is_private=is_private) for member in people]
    if page or has_more:
        labels.append(_MORE if has_more else _FIRST)
    if not is_private:
        labels.append("Members only" if all_may_look else "Let all look")
    buttons = [button(label, Choose(question_id, at)) for at, label in enumerate(labels)]
    names = escape(", ".join(shared))
    return Message.paragraphs(
        title,
        block(rows) if rows else "This page is empty now. /members shows the first.",
        lines(others, "Tap a name to change it. /invite lets a new person in."),
        lines(f"These see your account too: {names}.", "/share list removes them.")
        if shared
        else None,
        keyboard=keyboard(
            *in_rows(buttons, 2), [do("Who sees my account", "share", "list")] if shared else []
        ),
    )


def member_view(
    *, member: Member, options: Sequence[str], is_private: bool, question_id: str
) -> Message:
    """One member, and the possible changes: *options* are roles, "remove", "back"."""
    who = f"<b>{escape(_name(member, is_private=is_private))}</b> (id {member.user_id})"
    if is_private and member.is_owner:
        what = ["You run this bot."]
    elif is_private:
        what = [
            "This person has a private chat with me and an account of their own.",
            "They see and change nothing of yours.",
        ]
    else:
        what = [f"Role: {member.role.value}.", MAY[member.role]]
    return Message.of(
        who,
        *what,
        "I ask again before I change anything. /members shows everybody.",
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
        ask = lines(f"Change the role of {who} to {wanted.value}?", MAY[wanted])
        label = f"Yes, {wanted.value}"
    elif is_private:
        ask = lines(
            f"Remove {who} (id {user_id})?",
            "Trading in their account is paused.",
            "They cannot use me any more.",
        )
        label = "Yes, remove and pause"
    else:
        ask = lines(f"Remove {who} from this chat?", "They can do nothing here any more.")
        label = "Yes, remove"
    return _ask(ask, yes=label, question_id=question_id)


def ask_look_view(*, on: bool, question_id: str) -> Message:
    if on:
        ask = lines(
            "Let everybody in this group look?",
            "They see balances, trades and settings. They change nothing.",
        )
    else:
        ask = lines("Let only members look?", "I answer no one else in the group then.")
    return _ask(ask, yes="Yes", question_id=question_id)


def _ask(question: str, *, yes: str, question_id: str) -> Message:
    return Message.of(
        question,
        "Nothing changed yet. /members goes back.",
        keyboard=keyboard([button(yes, Confirm(question_id)), do("No, back", "members")]),
    )


def look_changed_view(*, on: bool) -> Message:
    return Message.of(
        "Everybody in this group may look now. They change nothing."
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
            if wanted:
                done = [f"The role of {who} is {wanted.value} now.", MAY[wanted]]
            elif is_private:
                done = [f"Trading in the account of {who} is paused.", "They cannot use me now."]
            else:
                done = [f"{who} is removed. They can do nothing here now."]
            return _told(*done, "/audit shows who changed what.")
        case RoleChangeResult.NOT_ALLOWED:
            return _told("Nothing changed. Only owners may change that.")
        case RoleChangeResult.OUTDATED:
            return _told(
                f"Nothing changed. Another owner changed {who} after you looked.",
            )
        case RoleChangeResult.LAST_OWNER:
            return _told(
                f"Nothing changed. {who} is the last owner of this chat.",
                "Make another person an owner first.",
            )
        case RoleChangeResult.RUNS_THE_BOT:
            return _told(f"Nothing changed. {who} runs this bot and stays an owner.")
        case RoleChangeResult.LET_IN_BY_SETTINGS:
            return _told(
                f"Nothing changed. AUTHORIZED_CHATS lets {who} in.",
                "Take the id out of it and restart the program.",
                None if is_private else "Or change the role to viewer here.",
            )
        case _:
            assert_never(verdict)


def joined_view(alert: MemberJoined) -> Message:
    """For the chat whose code was used elsewhere."""
    who = escape(name_of(alert.user_id, alert.name))
    done = (
        f"{who} (id {alert.user_id}) joined with a code of this chat. Role: {alert.role.value}."
        if alert.role
        else f"{who} (id {alert.user_id}) used your code. They have a private chat with me now."
    )
    return _told(done, "If you do not know this person, remove them at once.")


def _told(*sentences: str | None) -> Message:
    return Message.of(
        *sentences,
        "/members shows everybody.",
        keyboard=keyboard([do("Members", "members")]),
    )


def _name(member: Member, *, is_private: bool) -> str:
    """Only the bot's owner sees the private chats."""
    if is_private and member.is_owner and not member.name:
        return "You"
    return name_of(member.user_id, member.name)


def _rows(member: Member, *, is_private: bool) -> list[str]:
    name = _name(member, is_private=is_private)
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
            return f"Make {Role(role).value}"
