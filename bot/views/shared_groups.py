"""Chats that see one account: a group's request, its answers, and changes made elsewhere."""

from bot.interaction.callback_data import Choose
from bot.interaction.message import Message
from bot.updates.invisible_characters import without_marks
from bot.views.components.amounts import threshold, usdt
from bot.views.components.badges import alert_badge
from bot.views.components.keyboards import button, do, keyboard
from bot.views.components.layout import escape
from bot.views.components.target_words import target_line
from bot.views.components.times import utc
from bot.views.members import name_of
from engine.domain.accounts.members import Role
from engine.domain.alerts.shared_alerts import AccountChanged, GroupAnswered, GroupAsks
from engine.membership.group_requests import NO, YES
from engine.membership.sharing import Redeemed

_NO_TITLE = "without a name"


def group_asks_view(asked: GroupAsks) -> Message:
    who = escape(name_of(asked.user_id, asked.name))
    return Message.of(
        "👥 A group wants to see your account",
        f"The group: {_title(asked.title)}",
        f"{who} (id {asked.user_id}) sent your link there.",
        "Everybody in the group would see balances, trades and settings.",
        f"{who} and the group's traders could also pause, resume, rebalance and set the target."
        if asked.role is Role.TRADER
        else None,
        f"You can answer until {utc(asked.until)}. /share list ends it at any time.",
        keyboard=keyboard(
            [
                button("Let it see", Choose(asked.question_id, YES)),
                button("No", Choose(asked.question_id, NO)),
            ]
        ),
    )


def group_answered_view(answered: GroupAnswered) -> Message:
    """In the group."""
    if not answered.is_admitted:
        return Message("This group does not see the account. Its link is used up.")
    name = escape(answered.name)
    return Message.of(
        "👥 This group sees an account now",
        "Everybody here may look: /status shows it. Its alerts come here.",
        f"{name} and the group's traders may also trade: /pause, /resume, /rebalance, /settarget."
        if answered.role is Role.TRADER and name
        else None,
        "/alerts chooses what comes here. /leave ends it.",
        keyboard=keyboard([do("Status", "status"), do("Alerts", "alerts")]),
    )


def account_changed_view(changed: AccountChanged) -> Message:
    """For the other chats that see the account."""
    who = escape(name_of(changed.user_id, changed.name))
    is_switch = changed.trading is not None
    return Message.of(
        f"{alert_badge(changed)} · Changed in another chat",
        (f"{who} started trading." if changed.trading else f"{who} paused trading.")
        if is_switch
        else None,
        f"{who} set the target to {usdt(changed.target)}." if changed.target is not None else None,
        f"{who} set the target to {escape(target_line(changed.aim))}." if changed.aim else None,
        f"{who} set the threshold to ±{threshold(changed.threshold)}."
        if changed.threshold
        else None,
        "More: /status",
        keyboard=keyboard([do("Status", "status")]),
    )


def owner_asked_view() -> Message:
    """In the group, to who sent a link's code."""
    return Message.of(
        "I asked the owner of the account in private.",
        "I tell this group what they decide. A link is good for 24 hours.",
    )


def owner_answered_view(result: Redeemed | None, *, title: str) -> Message:
    """In the owner's chat, in place of the question."""
    group = _title(title)
    match result:
        case None:
            return Message.of(
                f"The group {group} does not see your account. I told it so.",
                "The link does not work any more. /share makes a new one.",
            )
        case Redeemed.JOINED | Redeemed.ALREADY:
            return Message.of(
                f"The group {group} sees your account now.",
                "/share list shows who sees it, and ends it.",
                keyboard=keyboard([do("Who sees it", "share", "list")]),
            )
        case Redeemed.OWN_KEY:
            return Message(f"Nothing changed. The group {group} has a key of its own by now.")
        case Redeemed.OTHER:
            return Message(f"Nothing changed. The group {group} sees another account by now.")
        case _:
            return Message.of(
                "Nothing changed. This link does not work any more.",
                "/share makes a new one.",
            )


def _title(title: str) -> str:
    flat = " ".join(without_marks(title).split())
    return f"<b>{escape(flat)}</b>" if flat else _NO_TITLE
