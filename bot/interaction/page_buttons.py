"""The buttons of lists and panels: each shows a page in the place of the message it is under."""

import re
from dataclasses import dataclass
from enum import Enum

from engine.domain.market.pairs import is_asset_name

# What a button may carry of a value, and of an id.
ARGUMENT = re.compile(r"[A-Za-z0-9.%]{0,20}", re.ASCII)
ID = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_PART = re.compile(r"[a-z]{0,10}", re.ASCII)
_TUNING = re.compile(r"[A-Za-z0-9._/+-]{0,40}", re.ASCII)
_MOST_ROWS = 50


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
class TradeDetailsPage:
    """Everything about one trade; *page* and *size* are of the history it was chosen from."""

    client_order_id: str
    page: int
    size: int

    def __post_init__(self) -> None:
        if not ID.fullmatch(self.client_order_id):
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


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Page *page* (0 is the newest) of who changed what."""

    page: int

    def __post_init__(self) -> None:
        if not 0 <= self.page <= 9999:  # noqa: PLR2004 - four digits fit the button
            raise ValueError(f"no page {self.page}")

    def encode(self) -> str:
        return f"audit:{self.page}"


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
class SetPreset:
    """Set what the page is about to *value*, as if it had been typed."""

    page: PanelPage
    value: str

    def __post_init__(self) -> None:
        if self.page is PanelPage.HOME or not self.value or not ARGUMENT.fullmatch(self.value):
            raise ValueError(f"no button may set {self.page.value!r} to {self.value!r}")

    def encode(self) -> str:
        return f"put:{self.page.value}:{self.value}"


@dataclass(frozen=True, slots=True)
class EnterValue:
    """Wait for a value of the page's setting to be typed."""

    page: PanelPage

    def __post_init__(self) -> None:
        if self.page is PanelPage.HOME:
            raise ValueError("nothing is typed there")

    def encode(self) -> str:
        return f"enter:{self.page.value}"


@dataclass(frozen=True, slots=True)
class SetAlert:
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
class RemoveLowBalance:
    """Forget the mark of *asset*; the list is shown in its place."""

    asset: str

    def __post_init__(self) -> None:
        if not is_asset_name(self.asset):
            raise ValueError(f"no token is called {self.asset!r}")

    def encode(self) -> str:
        return f"unwarn:{self.asset}"
