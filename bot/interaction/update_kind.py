"""What an update asks for, as far as its turn depends on it: read from the update as it came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.interaction.callback_data import Choose, Confirm, Do, decode
from bot.interaction.page_buttons import Put
from bot.interaction.request import command_in
from bot.updates.message_text import own_text_in
from engine.storage.models import queue_columns

_STOPS = frozenset({"pause", "halt"})
# What starts trading, or lets it move real money: a command, and its argument where that decides.
_STARTS = frozenset({"resume", "rebalance", "halt off", "dryrun off", "mode auto"})


@dataclass(frozen=True, slots=True)
class Wish:
    """*command* without its slash, *argument* in lower case; both empty for other messages.
    *question_id* is of the question whose button was tapped.
    """

    command: str = ""
    argument: str = ""
    question_id: str = ""
    option: int = 0


def wish_in(raw: Mapping[str, Any]) -> Wish:
    """Never raises, whatever *raw* holds."""
    tap = raw.get("callback_query")
    if isinstance(tap, dict):
        data = tap.get("data")
        return _tapped(data) if isinstance(data, str) else Wish()
    message = raw.get("message")
    found = command_in(own_text_in(message)) if isinstance(message, dict) else None
    return Wish(found[0], _plain(found[1])) if found else Wish()


def stops(wish: Wish) -> bool:
    """Whether it overtakes everything of its chat."""
    return wish.command in _STOPS and _phrase(wish) not in _STARTS


def stops_everything(wish: Wish) -> bool:
    return stops(wish) and wish.command == "halt"


def rank_of(command: str) -> int:
    """Of the answer to a command: those that stop something go before alerts, others after them."""
    return queue_columns.FIRST if command in {*_STOPS, "stop"} else queue_columns.LAST


def started_by(wish: Wish) -> str | None:
    """The command, without its slash, that would start trading or let it move real money."""
    phrase = _phrase(wish)
    return next((one for one in (wish.command, phrase) if one in _STARTS), None)


def _tapped(data: str) -> Wish:
    match decode(data):
        case Do(command=command, argument=argument):
            return Wish(command, _plain(argument))
        case Put(page=page, value=value):
            return Wish(page.value, _plain(value))
        case Confirm(id=id_):
            return Wish(question_id=id_)
        case Choose(id=id_, index=index):
            return Wish(question_id=id_, option=index)
        case _:
            return Wish()


def _phrase(wish: Wish) -> str:
    return f"{wish.command} {wish.argument}"


def _plain(argument: str) -> str:
    return " ".join(argument.lower().split())
