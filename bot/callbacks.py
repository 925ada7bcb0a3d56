"""What a button carries: typed, at most 64 bytes, and believed only if it decodes exactly."""

import re
from dataclasses import dataclass
from enum import Enum

# A tap on such a button is the typed command. Secrets never travel in a button.
PRESSABLE = frozenset(
    {
        "help",
        "connect",
        "disconnect",
        "status",
        "settarget",
        "setthreshold",
        "setinterval",
        "count",
        "setpair",
        "pause",
        "resume",
        "rebalance",
        "limits",
        "halt",
        "why",
        "history",
        "balance",
        "dryrun",
        "export",
        "logs",
        "version",
        "members",
        "invite",
        "audit",
    }
)
_ARGUMENT = re.compile(r"[A-Za-z0-9.%]{0,20}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,3}", re.ASCII)
_MOST_OPTIONS = 8
_MOST_ROWS = 50


@dataclass(frozen=True, slots=True)
class Do:
    """The same as typing `/command argument`."""

    command: str
    argument: str = ""

    def __post_init__(self) -> None:
        if self.command not in PRESSABLE or not _ARGUMENT.fullmatch(self.argument):
            raise ValueError(f"no button may do {self.command!r} {self.argument!r}")

    def encode(self) -> str:
        return f"do:{self.command}:{self.argument}"


@dataclass(frozen=True, slots=True)
class Confirm:
    """Yes to the question stored under *id*."""

    id: str

    def __post_init__(self) -> None:
        _check_id(self.id)

    def encode(self) -> str:
        return f"yes:{self.id}"


@dataclass(frozen=True, slots=True)
class Choose:
    """One of the options stored with the question under *id*."""

    id: str
    index: int

    def __post_init__(self) -> None:
        _check_id(self.id)
        if not 0 <= self.index < _MOST_OPTIONS:
            raise ValueError(f"there is no option {self.index}")

    def encode(self) -> str:
        return f"pick:{self.id}:{self.index}"


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Page *page* (0 is the newest) of the history, *size* trades a page."""

    page: int
    size: int

    def __post_init__(self) -> None:
        if not 0 <= self.page <= 9999 or not 1 <= self.size <= _MOST_ROWS:  # noqa: PLR2004 - four digits fit the button
            raise ValueError(f"no page {self.page} of {self.size} trades")

    def encode(self) -> str:
        return f"page:{self.page}:{self.size}"


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Page *page* (0 is the newest) of who changed what."""

    page: int

    def __post_init__(self) -> None:
        if not 0 <= self.page <= 9999:  # noqa: PLR2004 - four digits fit the button
            raise ValueError(f"no page {self.page}")

    def encode(self) -> str:
        return f"audit:{self.page}"


class Word(Enum):
    """What a person says of an order that is unclear."""

    FILLED = "filled"
    NOT_FILLED = "not"
    LOOK_AGAIN = "look"


@dataclass(frozen=True, slots=True)
class Report:
    """A person's *word* on an order. Anybody of the chat may give it, as long as it is wanted."""

    word: Word
    client_order_id: str

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.client_order_id):
            raise ValueError("not the id of an order")

    def encode(self) -> str:
        return f"order:{self.word.value}:{self.client_order_id}"


Press = Do | Confirm | Choose | HistoryPage | Report | AuditPage


def decode(text: str) -> Press | None:
    """The button that was pressed; None for anything this program would not have made."""
    try:
        return _press(text.split(":"))
    except ValueError:
        return None


def _press(parts: list[str]) -> Press:
    match parts:
        case ["do", command, argument]:
            return Do(command, argument)
        case ["yes", id_]:
            return Confirm(id_)
        case ["pick", id_, index]:
            return Choose(id_, _number(index))
        case ["page", page, size]:
            return HistoryPage(_number(page), _number(size))
        case ["audit", page]:
            return AuditPage(_number(page))
        case ["order", word, client_order_id]:
            return Report(Word(word), client_order_id)
        case _:
            raise ValueError("no such button")


def _check_id(id_: str) -> None:
    if not _ID.fullmatch(id_):
        raise ValueError("not the id of a question")


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError("not a number as a button writes it")
    return int(text)
