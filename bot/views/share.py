"""`/share` and `/leave`: links to an account, who sees it, and the end of that."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.interaction.callback_data import Choose, Confirm
from bot.interaction.message import Message
from bot.views.components.badges import badge
from bot.views.components.keyboards import button, do, in_rows, keyboard
from bot.views.components.layout import COLUMNS, block, escape, lines, width
from bot.views.components.times import stamp, utc
from bot.views.members import name_of
from engine.domain.accounts.account import Account
from engine.domain.accounts.members import Role
from engine.domain.accounts.shares import Share
from engine.domain.alerts.share_alerts import SharingBegun, SharingEnded, SharingLeft
from engine.membership.sharing import MOST, Redeemed

MAY_SHARED: Mapping[Role, str] = {
    Role.VIEWER: "A viewer looks and changes nothing.",
    Role.TRADER: "A trader also pauses, resumes, rebalances, and sets target and threshold.",
}
_LIST = do("Who sees it", "share", "list")


def ask_share_view() -> Message:
    """`/share` without an argument."""
    return Message.of(
        "Let another person see your account?",
        "They see it in their own chat with me, never your key.",
        f"/share viewer: {MAY_SHARED[Role.VIEWER]}",
        f"/share trader: {MAY_SHARED[Role.TRADER]}",
        "/share list shows who sees it, and removes them.",
        keyboard=keyboard(
            [do("Viewer", "share", "viewer"), do("Trader", "share", "trader")],
            [_LIST],
        ),
    )


def share_usage_view() -> Message:
    return Message.of(
        "I made no link. I do not know that word.", "Send /share viewer or /share trader."
    )


def share_in_private_view() -> Message:
    """`/share` in a group."""
    return Message.of(
        "I made no link. A group has no key of its own.",
        "Send /share in the private chat in which you connected your key.",
    )


def nothing_to_share_view() -> Message:
    return Message.of(
        "I made no link. There is no MEXC key here.",
        "/connect adds your key. Then /share lets others see your account.",
        keyboard=keyboard([do("Connect", "connect")]),
    )


def too_many_shares_view() -> Message:
    return Message.of(
        f"I made no link. At most {MOST} chats may see your account.",
        "Links that nobody opened yet count too, for 24 hours.",
        "/share list shows who sees it, and removes them.",
        keyboard=keyboard([_LIST]),
    )


def link_view(
    *,
    code: str,
    link: str | None,
    group_link: str | None,
    role: Role,
    expires_at: datetime,
    question_id: str,
) -> Message:
    """The code, to be forwarded; *link* sends it with one tap, *group_link* in a group."""
    return Message.paragraphs(
        lines(
            f"This link shows your account to one chat. Role: {role.value}.",
            MAY_SHARED[role],
        ),
        lines(
            escape(link) if link else None,
            f"Or they send me <code>/start {escape(code)}</code>",
            f"For a group, I ask you first: {escape(group_link)}" if group_link else None,
        ),
        lines(
            f"It works once, until {utc(expires_at)}.",
            "The first person who opens it is in. I tell you who.",
            "/share list shows who sees your account.",
        ),
        keyboard=keyboard([button("Withdraw the link", Confirm(question_id))]),
    )


def link_withdrawn_view(*, withdrawn: bool) -> Message:
    return Message.of(
        "The link is withdrawn. It lets nobody in."
        if withdrawn
        else "The link was used, or its time is over. It lets nobody else in.",
        "/share list shows who sees your account. /share makes a new link.",
    )


def shares_view(*, shared: Sequence[Share], question_id: str) -> Message:
    """The buttons are the chats in order."""
    buttons = [button(_name(share), Choose(question_id, at)) for at, share in enumerate(shared)]
    return Message.paragraphs(
        "Who sees your account",
        block([line for share in shared for line in _rows(share)]),
        "Tap a name to remove that chat. /share makes a link for one more.",
        keyboard=keyboard(*in_rows(buttons, 2)),
    )


def nobody_sees_view() -> Message:
    return Message.of(
        "Nobody else sees your account.",
        "/share lets another person see it.",
        keyboard=keyboard([do("Share", "share")]),
    )


def ask_unshare_view(*, share: Share, question_id: str) -> Message:
    return Message.of(
        f"Remove {escape(_name(share))} (id {share.chat_id})?",
        "They see and change nothing of your account then. I tell them.",
        "Nothing changed yet. /share list goes back.",
        keyboard=keyboard(
            [button("Yes, remove", Confirm(question_id)), do("No, back", "share", "list")]
        ),
    )


def unshared_view(*, share: Share | None) -> Message:
    """*share* is None where it had ended before."""
    return Message.of(
        f"{escape(_name(share))} does not see your account any more."
        if share
        else "Nothing changed. They do not see your account any more.",
        "/share list shows who does. /audit shows who changed what.",
        keyboard=keyboard([_LIST]),
    )


def joined_share_view(
    *, account: Account, role: Role, owner: str, user_id: int, paused_own: bool
) -> Message:
    """For whoever opened the link."""
    return Message.of(
        f"{badge(account)} · This chat sees the account of {escape(name_of(user_id, owner))} now",
        f"Your role: {role.value}. {MAY_SHARED[role]}",
        "Trading in this chat's own account is paused." if paused_own else None,
        "/status shows the account. /alerts chooses what comes here. /leave ends this.",
        keyboard=keyboard([do("Status", "status"), do("Help", "help")]),
    )


def shared_start_view(*, account: Account, role: Role, owner: str, user_id: int) -> Message:
    """`/start` in a chat that sees another one's account."""
    return Message.of(
        f"{badge(account)} · This chat sees the account of {escape(name_of(user_id, owner))}",
        f"Your role: {role.value}. {MAY_SHARED[role]}",
        "/status shows the account. /help shows what I can do. /leave ends this.",
        keyboard=keyboard([do("Status", "status"), do("Help", "help")]),
    )


def not_joined_view(result: Redeemed) -> Message:
    """The answer to a link that does not let this chat in."""
    return Message.of(*_NOT_JOINED[result])


def ask_leave_view(*, owner: str, user_id: int) -> Message:
    return Message.of(
        f"Stop seeing the account of {escape(name_of(user_id, owner))} here?",
        "Nothing of the account changes. I tell its owner.",
        "To come back, you need a new link.",
        "/leave now ends it. /status goes on.",
        keyboard=keyboard([do("Leave", "leave", "now"), do("Stay", "status")]),
    )


def left_share_view(*, owner: str, user_id: int, has_own: bool) -> Message:
    """*has_own*: the chat may use an account of its own."""
    return Message.of(
        f"This chat does not see the account of {escape(name_of(user_id, owner))} any more.",
        "It sees its own account again: /status"
        if has_own
        else "To use me again, ask an owner for a link.",
    )


def nothing_to_leave_view() -> Message:
    return Message("This chat sees only its own account. /status shows it.")


def may_not_leave_view() -> Message:
    """`/leave` in a group, of a member."""
    return Message.of(
        "Nothing changed.",
        "Only who opened the link, or an owner of this group, can end this.",
    )


def sharing_begun_view(alert: SharingBegun) -> Message:
    """For the owner of the account."""
    who = escape(name_of(alert.chat_id, alert.name))
    return Message.of(
        f"{who} (id {alert.chat_id}) sees your account now. Role: {alert.role.value}.",
        MAY_SHARED[alert.role],
        "If you do not know them, remove them at once: /share list",
        keyboard=keyboard([_LIST]),
    )


def sharing_left_view(alert: SharingLeft) -> Message:
    """For the owner of the account."""
    who = escape(name_of(alert.chat_id, alert.name))
    return Message.of(
        f"{who} (id {alert.chat_id}) left your account. They see nothing of it now.",
        "/share list shows who does.",
    )


def sharing_ended_view(alert: SharingEnded) -> Message:
    """For the chat that saw the account."""
    owner = escape(alert.owner) if alert.owner else "another person"
    return Message.of(
        f"This chat does not see the account of {owner} any more.",
        "Its owner took out the key." if alert.disconnected else "Its owner removed this chat.",
        "/start shows what you can do here.",
    )


_NOT_JOINED: Mapping[Redeemed, Sequence[str]] = {
    Redeemed.ALREADY: (
        "Nothing changed. This chat sees that account already.",
        "/status shows it.",
    ),
    Redeemed.OWN_KEY: (
        "Nothing changed. This chat trades with a key of its own.",
        "One chat shows one account. Open the link in another chat.",
        "Or take out your own key first: /disconnect",
    ),
    Redeemed.OTHER: (
        "Nothing changed. This chat sees another account already.",
        "/leave ends that. Then open the link again.",
    ),
    Redeemed.RUNS_THE_BOT: (
        "Nothing changed. You run this bot, and this chat stays yours.",
        "It gets my reports, and /halt stops everybody from here.",
    ),
    Redeemed.USED: (
        "This link was used already. It works once.",
        "Ask the owner of the account for a new one: /share makes it.",
    ),
    Redeemed.EXPIRED: (
        "This link does not work any more. Links work for 24 hours.",
        "Ask the owner of the account for a new one: /share makes it.",
    ),
}


def _name(share: Share) -> str:
    return name_of(share.chat_id, share.name)


def _rows(share: Share) -> list[str]:
    second = f"  {share.role.value}, since {stamp(share.created_at).strip()}"
    return [_name(share), second if width(second) <= COLUMNS else f"  {share.role.value}"]
