"""Undeliverable messages: what another chat, /status and /doctor show of them."""

from collections.abc import Sequence
from datetime import datetime

from bot.interaction.message import Message
from bot.views.components.badges import RECOVERED, TROUBLE, mode_badge, signed
from bot.views.components.layout import escape, lines, quoted
from bot.views.components.times import utc
from bot.views.members import name_of
from engine.domain.accounts.undeliverable import Refused, Undeliverable
from engine.domain.alerts.alerts import ChatDeliverable, ChatUndeliverable

_LOOK = "/history and /why have what happened."


def chat_undeliverable_view(alert: ChatUndeliverable) -> Message:
    chat = _chat(alert.chat_id, alert.name)
    return Message.of(
        f"{_badge(alert, sign=TROUBLE)} · I cannot write to another chat",
        f"Telegram refuses my messages to {chat} since {utc(alert.since)}.",
        f"It answered {quoted(alert.problem)}.",
        "My messages are kept. They arrive there in order when I can write again.",
        _trading(alert),
        "Please start me there again, then send /resume there."
        if alert.gone
        else "Please let me write there: look at my rights in that chat.",
    )


def _badge(alert: ChatUndeliverable | ChatDeliverable, *, sign: str) -> str:
    """Return the mode of the chat that the message is about."""
    mode = mode_badge(dry_run=alert.dry_run, paused=alert.paused)
    return signed(mode, sign)


def _trading(alert: ChatUndeliverable) -> str:
    if alert.paused:
        return "Trading of that chat is paused."
    return (
        "Trading of that chat goes on for now. "
        f"If no message arrives there by {utc(alert.pauses_at)}, I pause it."
    )


def chat_deliverable_view(alert: ChatDeliverable) -> Message:
    where = "here" if alert.here else f"to {_chat(alert.chat_id, alert.name)}"
    badge = _badge(alert, sign=RECOVERED)
    return Message.of(
        f"{badge} · I can write {'here' if alert.here else 'there'} again",
        f"Telegram refused my messages {where} from {utc(alert.since)} to {utc(alert.at)}.",
        "The messages above this one waited since then, so they are late."
        if alert.here
        else "What waited arrives there now, in order.",
        _trading_now(alert),
    )


def _trading_now(alert: ChatDeliverable) -> str:
    scope = "Trading" if alert.here else "Trading of that chat"
    if alert.resumed and not alert.paused:
        return (
            f"{scope} had paused, because no message arrived for an hour. Nobody changed "
            "that, so it goes on now."
        )
    if alert.paused:
        return (
            f"{scope} is paused. {'/resume' if alert.here else '/resume there'} starts it again."
        )
    return f"{scope} went on all the time."


def set_aside_view(*, kind: str, at: datetime, problem: str) -> Message:
    """In place of a message that this chat will never accept. No markup."""
    return Message.of(
        "⚠️ One of my messages does not fit here.",
        f"It was a message of the kind {escape(kind)} of {utc(at)}.",
        f"Telegram refused it for good: {quoted(problem)}.",
        _LOOK,
    )


def unknown_kind_view(*, kind: str, at: datetime) -> Message:
    """Another version wrote it, and no process that can read it came within a day."""
    return Message.of(
        "⚠️ A message that I cannot read",
        f"Another version of me wrote it at {utc(at)}: a message of the kind "
        f"<code>{escape(kind)}</code>.",
        _LOOK,
    )


def broken_words_view(*, kind: str, at: datetime) -> Message:
    return Message.of(
        "⚠️ A message that I cannot word",
        f"It is of {utc(at)} and of the kind <code>{escape(kind)}</code>. The mistake is mine "
        "and is logged.",
        _LOOK,
    )


def undeliverable_note(refused: Refused, *, waiting: int) -> str | None:
    """For the status message: what waits for this chat and why, then the other chats."""
    found = []
    if refused.here is not None:
        found.append(
            f"📭 Telegram refuses my messages here since {utc(refused.here.since)}: "
            f"{quoted(refused.here.problem)}."
        )
    if waiting:
        found.append(f"📭 {waiting} of my messages did not reach you yet; I keep trying.")
    found += [
        f"📭 Telegram refuses my messages to {_chat(one.chat_id, '')} since {utc(one.since)}. "
        "They are kept."
        for one in refused.others
    ]
    return lines(*found) or None


def refused_here_line(chat: Undeliverable, *, waiting: int) -> str:
    """For /doctor."""
    return (
        f"Messages: Telegram refuses mine to this chat since {utc(chat.since)}: "
        f"{quoted(chat.problem)}. {waiting} wait and arrive in order. Please look at my rights here."
    )


def refused_elsewhere_line(chats: Sequence[Undeliverable]) -> str:
    """For /doctor."""
    named = ", ".join(_chat(one.chat_id, "") for one in chats)
    return (
        f"Messages: Telegram refuses mine to {named}. They are kept. Please look at my rights "
        "there, or start me there again."
    )


def _chat(chat_id: int, name: str) -> str:
    if chat_id < 0:
        return f"the group {chat_id}"
    return f"the private chat of {escape(name_of(chat_id, name))}"
