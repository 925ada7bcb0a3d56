"""Classifies an unread update as far as its rank in the inbox depends on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telegram.constants import ChatType

from bot.interaction.callback_data import Choose, Confirm, RunCommand, SetPreset, decode
from bot.interaction.request import command_in
from bot.parsing.plain_words import plain_command
from bot.updates.message_text import own_text_in
from engine.storage.models import queues

_STOPS = frozenset({"pause", "stop", "halt"})
# These end what their command starts.
_ENDS = frozenset({"buy stop", "sell stop"})
# Commands that start trading or let it move real money, with their argument where it decides.
_STARTS = frozenset({"resume", "rebalance", "buy", "sell", "halt off", "dryrun off", "mode auto"})


@dataclass(frozen=True, slots=True)
class UpdateKind:
    """*command* without its slash, *argument* in lower case; both empty for other messages.
    *question_id* is the id of the confirmation whose button was tapped.
    """

    command: str = ""
    argument: str = ""
    question_id: str = ""
    option: int = 0


def update_kind_of(raw: Mapping[str, Any]) -> UpdateKind:
    """Classify *raw*. Never raises, whatever it holds."""
    tap = raw.get("callback_query")
    if isinstance(tap, dict):
        data = tap.get("data")
        return _tapped(data) if isinstance(data, str) else UpdateKind()
    message = raw.get("message")
    found = _typed(message) if isinstance(message, dict) else None
    return UpdateKind(found[0], _plain(found[1])) if found else UpdateKind()


def stops(kind: UpdateKind) -> bool:
    """True if it is handled before everything else of its chat."""
    return kind.command in _STOPS and _phrase(kind) not in _STARTS


def rank_of(command: str) -> int:
    """Return the rank of the answer: commands that stop something go before alerts."""
    return queues.FIRST if command in _STOPS else queues.LAST


def started_by(kind: UpdateKind) -> str | None:
    """Return the command, without its slash, if it would start trading or real trading."""
    phrase = _phrase(kind)
    if phrase in _ENDS:
        return None
    return next((one for one in (kind.command, phrase) if one in _STARTS), None)


def _typed(message: Mapping[str, Any]) -> tuple[str, str] | None:
    text, chat = own_text_in(message), message.get("chat")
    is_private = isinstance(chat, dict) and chat.get("type") == ChatType.PRIVATE
    return command_in(text) or (plain_command(text) if is_private else None)


def _tapped(data: str) -> UpdateKind:
    match decode(data):
        case RunCommand(command=command, argument=argument):
            return UpdateKind(command, _plain(argument))
        case SetPreset(page=page, value=value):
            return UpdateKind(page.value, _plain(value))
        case Confirm(id=id_):
            return UpdateKind(question_id=id_)
        case Choose(id=id_, index=index):
            return UpdateKind(question_id=id_, option=index)
        case _:
            return UpdateKind()


def _phrase(kind: UpdateKind) -> str:
    return f"{kind.command} {kind.argument}"


def _plain(argument: str) -> str:
    return " ".join(argument.lower().split())
