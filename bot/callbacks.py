"""What a button carries: typed, at most 64 bytes, and believed only if it decodes exactly."""

import re
from collections.abc import Callable, Mapping
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
    }
)
_ARGUMENT = re.compile(r"[A-Za-z0-9.%]{0,20}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_PART = re.compile(r"[a-z]{0,10}", re.ASCII)
_TUNING = re.compile(r"[A-Za-z0-9._/+-]{0,40}", re.ASCII)
_ASSET = re.compile(r"[A-Z0-9]{1,20}", re.ASCII)
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
class Refresh:
    """Read the balances anew and show them on this card."""

    def encode(self) -> str:
        return "card:refresh"


@dataclass(frozen=True, slots=True)
class Pin:
    """Pin this card in the chat, or take it down."""

    on: bool

    def encode(self) -> str:
        return "card:pin" if self.on else "card:unpin"


class PanelPage(Enum):
    """A page of the settings panel; but for the first, the value is the command it stands for."""

    HOME = "settings"
    TARGET = "settarget"
    THRESHOLD = "setthreshold"
    INTERVAL = "setinterval"
    PAIR = "setpair"
    COUNTING = "count"
    LIMITS = "limits"
    DRY_RUN = "dryrun"


@dataclass(frozen=True, slots=True)
class Open:
    """Show a page of the panel, in the place of the one that is shown."""

    page: PanelPage

    def encode(self) -> str:
        return f"open:{self.page.value}"


@dataclass(frozen=True, slots=True)
class Put:
    """Set what the page is about to *value*, as if it had been typed."""

    page: PanelPage
    value: str

    def __post_init__(self) -> None:
        if self.page is PanelPage.HOME or not self.value or not _ARGUMENT.fullmatch(self.value):
            raise ValueError(f"no button may set {self.page.value!r} to {self.value!r}")

    def encode(self) -> str:
        return f"put:{self.page.value}:{self.value}"


@dataclass(frozen=True, slots=True)
class Enter:
    """Wait for a value of the page's setting to be typed."""

    page: PanelPage

    def __post_init__(self) -> None:
        if self.page is PanelPage.HOME:
            raise ValueError("nothing is typed there")

    def encode(self) -> str:
        return f"enter:{self.page.value}"


@dataclass(frozen=True, slots=True)
class TradeStory:
    """Everything about one trade; *page* and *size* are of the history it was chosen from."""

    client_order_id: str
    page: int
    size: int

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.client_order_id):
            raise ValueError("not the id of an order")
        HistoryPage(self.page, self.size)

    def encode(self) -> str:
        return f"trade:{self.client_order_id}:{self.page}:{self.size}"


@dataclass(frozen=True, slots=True)
class WhyPage:
    """Page *page* (0 is the newest) of the decisions, *size* a page."""

    page: int
    size: int

    def __post_init__(self) -> None:
        HistoryPage(self.page, self.size)

    def encode(self) -> str:
        return f"why:{self.page}:{self.size}"


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


@dataclass(frozen=True, slots=True)
class Tune:
    """A change of the alerts, shown in the panel: the same as typing `/alerts part value`. Without
    a *value* the panel shows the choices for *part*, without both itself.
    """

    part: str = ""
    value: str = ""

    def __post_init__(self) -> None:
        if not _PART.fullmatch(self.part) or not _TUNING.fullmatch(self.value):
            raise ValueError(f"no button may set {self.part!r} to {self.value!r}")

    def encode(self) -> str:
        return f"tune:{self.part}:{self.value}"


@dataclass(frozen=True, slots=True)
class Unwarn:
    """Forget the mark of *asset*; the list is shown in its place."""

    asset: str

    def __post_init__(self) -> None:
        if not _ASSET.fullmatch(self.asset):
            raise ValueError(f"no token is called {self.asset!r}")

    def encode(self) -> str:
        return f"unwarn:{self.asset}"


Press = (
    Do
    | Confirm
    | Choose
    | HistoryPage
    | TradeStory
    | WhyPage
    | Report
    | Tune
    | Unwarn
    | Refresh
    | Pin
    | Open
    | Put
    | Enter
)


def decode(text: str) -> Press | None:
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


_PRESSES: Mapping[str, Callable[..., Press]] = {
    "do": Do,
    "yes": Confirm,
    "pick": lambda id_, index: Choose(id_, _number(index)),
    "order": lambda word, client_order_id: Report(Word(word), client_order_id),
    "page": lambda page, size: HistoryPage(_number(page), _number(size)),
    "trade": lambda id_, page, size: TradeStory(id_, _number(page), _number(size)),
    "why": lambda page, size: WhyPage(_number(page), _number(size)),
    "card": lambda verb: Refresh() if verb == "refresh" else Pin(on=verb == "pin"),
    "open": lambda page: Open(PanelPage(page)),
    "put": lambda page, value: Put(PanelPage(page), value),
    "enter": lambda page: Enter(PanelPage(page)),
    "tune": Tune,
    "unwarn": Unwarn,
}


def _check_id(id_: str) -> None:
    if not _ID.fullmatch(id_):
        raise ValueError("not the id of a question")
