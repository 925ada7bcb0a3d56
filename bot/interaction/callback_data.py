"""What a button carries: typed, at most 64 bytes, and believed only if it decodes exactly."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from bot.interaction.page_buttons import (
    ARGUMENT,
    ID,
    AuditPage,
    EnterValue,
    HistoryPage,
    Open,
    PanelPage,
    Pin,
    Refresh,
    RemoveLowBalance,
    SetAlert,
    SetPreset,
    TradeDetailsPage,
    WhyPage,
)

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
        "settings",
        "pause",
        "resume",
        "rebalance",
        "limits",
        "alerts",
        "warn",
        "mode",
        "halt",
        "why",
        "history",
        "balance",
        "doctor",
        "dryrun",
        "export",
        "logs",
        "version",
        "members",
        "invite",
        "audit",
    }
)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,3}", re.ASCII)
_MOST_OPTIONS = 8


@dataclass(frozen=True, slots=True)
class RunCommand:
    """The same as typing `/command argument`."""

    command: str
    argument: str = ""

    def __post_init__(self) -> None:
        if self.command not in PRESSABLE or not ARGUMENT.fullmatch(self.argument):
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
        if not ID.fullmatch(self.client_order_id):
            raise ValueError("not the id of an order")

    def encode(self) -> str:
        return f"order:{self.word.value}:{self.client_order_id}"


CallbackData = (
    RunCommand
    | Confirm
    | Choose
    | Report
    | HistoryPage
    | TradeDetailsPage
    | WhyPage
    | AuditPage
    | SetAlert
    | RemoveLowBalance
    | Refresh
    | Pin
    | Open
    | SetPreset
    | EnterValue
)


def decode(text: str) -> CallbackData | None:
    """The button that was pressed; None for anything this program would not have made."""
    name, *fields = text.split(":")
    try:
        press = _PRESSES[name](*fields)
    except (KeyError, TypeError, ValueError):
        return None
    return press if press.encode() == text else None


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no number as encode() writes it")
    return int(text)


_PRESSES: Mapping[str, Callable[..., CallbackData]] = {
    "do": RunCommand,
    "yes": Confirm,
    "pick": lambda id_, index: Choose(id_, _number(index)),
    "order": lambda word, client_order_id: Report(Word(word), client_order_id),
    "page": lambda page, size: HistoryPage(_number(page), _number(size)),
    "trade": lambda id_, page, size: TradeDetailsPage(id_, _number(page), _number(size)),
    "audit": lambda page: AuditPage(_number(page)),
    "why": lambda page, size: WhyPage(_number(page), _number(size)),
    "card": lambda verb: Refresh() if verb == "refresh" else Pin(on=verb == "pin"),
    "open": lambda page: Open(PanelPage(page)),
    "put": lambda page, value: SetPreset(PanelPage(page), value),
    "enter": lambda page: EnterValue(PanelPage(page)),
    "tune": SetAlert,
    "unwarn": RemoveLowBalance,
}


def _check_id(id_: str) -> None:
    if not ID.fullmatch(id_):
        raise ValueError("not the id of a question")
