"""`/audit`: each change with its author, old and new value, and time; a page at a time."""

import re
from collections.abc import Callable, Mapping, Sequence

from bot.interaction.callback_data import AuditPage
from bot.interaction.message import Message
from bot.views.components.keyboards import keyboard, pager
from bot.views.components.layout import COLUMNS, block, width
from bot.views.components.times import stamp, zone_name
from bot.views.members import name_of
from engine.domain.accounts.audit import ALL_ACCOUNTS, BY_ITSELF, AuditEntry

_ARROW = " -> "
_LONGEST = 120
_ACCOUNT_ITSELF = re.compile(r"[0-9a-f]{32}")


def audit_view(
    *, entries: Sequence[AuditEntry], names: Mapping[int, str], page: int, has_more: bool
) -> Message:
    """*entries* are those of *page*, newest first; *names* are the users' own."""
    title = f"Who changed what, page {page + 1}" if page else "Who changed what"
    turns = pager(page, AuditPage, has_more=has_more)
    buttons = keyboard(turns) if turns else None
    if not entries:
        text = (
            "There is nothing older. /audit shows the newest."
            if page
            else "Nothing was changed so far. /audit shows every change."
        )
        return Message.paragraphs(title, text, keyboard=buttons)
    rows = [row for entry in entries for row in _rows(entry, names)]
    return Message.paragraphs(
        f"{title}\nTimes in {zone_name()}, newest first. /audit starts again.",
        block(rows),
        keyboard=buttons,
    )


def _rows(entry: AuditEntry, names: Mapping[int, str]) -> list[str]:
    when = stamp(entry.at)
    who = name_of(entry.user_id, names.get(entry.user_id, ""))
    if entry.user_id == BY_ITSELF:
        who = "Ballast"
    if entry.subject == ALL_ACCOUNTS and entry.user_id not in names:
        who = "my owner"
    while width(f"{when} {who}") > COLUMNS:
        who = who[:-1]
    return [f"{when} {who}", f"  {deed(entry)}"]


def deed(entry: AuditEntry) -> str:
    """What changed, in the line under the user's name."""
    before, _, after = entry.detail.partition(_ARROW)
    if entry.action in _DEEDS:
        text = _DEEDS[entry.action](entry.subject, before, after)
    else:
        subject = _ACCOUNT_ITSELF.sub("", entry.subject)
        what = f"{entry.action} {subject}".rstrip()
        text = f"{what}: {_change(before, after) if after else before}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _change(before: str, after: str) -> str:
    return f"{before} → {after}"


def _limit(subject: str, before: str, after: str) -> str:
    if "=" in before:  # all limits in one line, as older versions stored them
        return f"limits: {_change(before, after)}"
    return f"limit {subject}: {_change(before, after)}"


def _key(before: str, after: str) -> str:
    if before == "none":
        return f"key connected: {after}"
    if after == "none":
        return f"key deleted: {before}"
    return f"key: {_change(before, after)}"


def _role(subject: str, before: str, after: str) -> str:
    user_id, _, name = subject.partition(" ")
    who = name_of(int(user_id), name) if user_id.isdecimal() else subject
    if after == "none":
        return f"removed: {who} ({before})"
    return f"role of {who}: {_change(before, after)}"


def _join(_: str, before: str, after: str) -> str:
    return f"joined by code: {after}" if before == "none" else f"role by code: {after}"


def _share(subject: str, before: str, _: str) -> str:
    return f"new link: {subject}" if before == "none" else f"link withdrawn: {subject}"


def _seen_by(subject: str, before: str, after: str) -> str:
    """A chat, with its name, sees the account, or does not any more."""
    chat_id, _, name = subject.partition(" ")
    who = name_of(int(chat_id), name)
    return (
        f"{who} sees the account ({after})" if before == "none" else f"removed: {who} ({before})"
    )


def _topic(_: str, __: str, after: str) -> str:
    return "alerts: general topic" if after == "general" else f"alerts: topic {after}"


# The text of each action, from its subject and the values before and after the arrow.
_DEEDS: Mapping[str, Callable[[str, str, str], str]] = {
    "settings": lambda subject, before, after: f"{subject}: {_change(before, after)}",
    "limits": _limit,
    "trading": lambda _, __, after: "trading paused" if after == "paused" else "trading resumed",
    "key": lambda _, before, after: _key(before, after),
    "halt": lambda *_: "all accounts halted",
    "lift the halt": lambda *_: "halt lifted",
    "pair": lambda *_: "new owner of the bot",
    "invite": lambda subject, *_: f"new code: {subject}",
    "join": _join,
    "role": _role,
    "look": lambda _, __, after: (
        "everybody may look" if after == "everybody" else "only members may look"
    ),
    "topic": _topic,
    "share": _share,
    "share_join": _seen_by,
    "unshare": _seen_by,
    "order_claimed": lambda _, said, __: f"answer about an order: {said.partition(';')[0]}",
    "deposit": lambda _, before, after: f"answer about {before} that arrived: {after}",
    "flow": lambda subject, before, after: f"{subject}: {_change(before, after)}",
    "order_set_aside": lambda *_: "unclear order put aside",
}
