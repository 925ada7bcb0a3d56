"""Undeliverable messages: what another chat, /status and /doctor show of them."""

from collections.abc import Sequence
from datetime import datetime

from bot.interaction.message import Message
from bot.views.components.amounts import count
from bot.views.components.badges import RECOVERED, TROUBLE, mode_badge, signed
from bot.views.components.layout import escape, lines, listed, quoted
from bot.views.components.times import utc
from bot.views.members import name_of
from engine.domain.accounts.undeliverable import Refused, Undeliverable
from engine.domain.alerts.alerts import ChatDeliverable, ChatUndeliverable

_LOOK = "What happened: /history and /why"


def chat_undeliverable_view(alert: ChatUndeliverable) -> Message:
    chat = _chat(alert.chat_id, alert.name)
    return Message.of(
        f"{_badge(alert, sign=TROUBLE)} · I cannot write to another chat",
        f"Telegram has refused my messages to {chat} since {utc(alert.since)}.",
        f"It answered {quoted(alert.problem)}.",
        "My messages are kept. They arrive in order when I can write there again.",
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
    badge = _badge(alert, sign=RECOVERED)
    since, until = utc(alert.since), utc(alert.at)
    if alert.here:
        return Message.of(
            f"{badge} · I can write here again",
            _trading_here(alert),
            f"Telegram refused my messages here from {since} to {until}.",
            "The messages above this one are late.",
        )
    chat = _chat(alert.chat_id, alert.name)
    return Message.of(
        f"{badge} · I can write there again",
        _trading_there(alert),
        f"Telegram refused my messages to {chat} from {since} to {until}.",
        "What waited arrives there now, in order.",
    )


def _trading_here(alert: ChatDeliverable) -> str:
    if alert.paused:
        return "Trading is paused. To start it: /resume"
    if alert.resumed:
        return "Trading goes on now. I had paused it, because no message arrived for an hour."
    return "Trading went on all the time."


def _trading_there(alert: ChatDeliverable) -> str:
    if alert.paused:
        return "Trading of that chat is paused. To start it: send /resume there."
    if alert.resumed:
        return (
            "Trading of that chat goes on now. I had paused it, because no message arrived for "
            "an hour."
        )
    return "Trading of that chat went on all the time."


def set_aside_view(*, kind: str, at: datetime, problem: str) -> Message:
    """In place of a message that this chat will never accept. No markup."""
    return Message.of(
        "⚠️ Telegram does not take one of my messages",
        f"The message is of {utc(at)}, of the kind {escape(kind)}.",
        f"Telegram answered {quoted(problem)}. I do not try again.",
        _LOOK,
    )


def unknown_kind_view(*, kind: str, at: datetime) -> Message:
    """Another version wrote it, and no process that can read it came within a day."""
    return Message.of(
        "⚠️ I cannot read one of my messages",
        f"Another version of me wrote it at {utc(at)}.",
        f"It is of the kind <code>{escape(kind)}</code>.",
        _LOOK,
    )


def broken_words_view(*, kind: str, at: datetime) -> Message:
    return Message.of(
        "⚠️ I cannot write one of my messages",
        f"It is of {utc(at)}, of the kind <code>{escape(kind)}</code>.",
        "The mistake is mine. It is logged.",
        _LOOK,
    )


def undeliverable_note(refused: Refused, *, waiting: int) -> str | None:
    """For the status message: what waits for this chat and why, then the other chats."""
    found = []
    if refused.here is not None:
        found.append(
            f"📭 Telegram has refused my messages here since {utc(refused.here.since)}: "
            f"{quoted(refused.here.problem)}."
        )
    if waiting:
        found.append(
            count(
                waiting,
                "📭 {n} message has not reached you yet. I keep trying.",
                "📭 {n} messages have not reached you yet. I keep trying.",
            )
        )
    found += [
        f"📭 Telegram has refused my messages to {_chat(one.chat_id, '')} since "
        f"{utc(one.since)}. They are kept."
        for one in refused.others
    ]
    return lines(*found) or None


def refused_here_line(chat: Undeliverable, *, waiting: int) -> str:
    """For /doctor."""
    kept = count(waiting, "{n} message waits.", "{n} messages wait and arrive in order.")
    return (
        f"Telegram has refused mine to this chat since {utc(chat.since)}: "
        f"{quoted(chat.problem)}. {kept} Please look at my rights here."
    )


def refused_elsewhere_line(chats: Sequence[Undeliverable]) -> str:
    """For /doctor."""
    named = listed(_chat(one.chat_id, "") for one in chats)
    return (
        f"Telegram refuses mine to {named}. They are kept. Please look at my rights "
        "there, or start me there again."
    )


def _chat(chat_id: int, name: str) -> str:
    if chat_id < 0:
        return f"the group {chat_id}"
    return f"the private chat of {escape(name_of(chat_id, name))}"
