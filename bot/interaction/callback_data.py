"""What a button carries: typed, at most 64 bytes, and believed only if it decodes exactly.

A button is a prefix and the fields of its class, with colons between them. The buttons of lists and
panels show a page in the place of the message that they are under.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from inspect import get_annotations
from typing import Annotated, Any, ClassVar, Self, dataclass_transform, get_args

from engine.domain.market.pairs import is_asset_name
from engine.domain.profit.spans import Span, span_of

# A tap on such a button is the typed command. Secrets never travel in a button.
PRESSABLE = frozenset(
    {
        *("help", "connect", "disconnect", "status", "settarget", "setthreshold", "setinterval"),
        *(
            "target",
            "count",
            "setpair",
            "settings",
            "pause",
            "stop",
            "resume",
            "rebalance",
            "limits",
        ),
        *(
            "alerts",
            "warn",
            "mode",
            "halt",
            "why",
            "history",
            "profit",
            "balance",
            "doctor",
            "dryrun",
            "export",
        ),
        *("logs", "version", "members", "invite", "audit", "deposits", "buy", "sell"),
        *("share", "leave", "chart", "execution", "slippage"),
        *("bands", "destination", "protect", "schedule", "cooldown", "crashguard"),
        "pricealert",
    }
)
_KINDS: dict[str, Any] = {}

_Id = Annotated[str, re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII).fullmatch]
_Page = Annotated[int, range(10_000).__contains__]
_Rows = Annotated[int, range(1, 51).__contains__]


def _is_span(text: str) -> bool:
    try:
        span_of(text)
    except ValueError:
        return False
    return True


_Span = Annotated[str, _is_span]


@dataclass_transform(frozen_default=True)
class CallbackData:
    """One kind of button. A subclass is a frozen dataclass; a field's annotation also gives the
    check that its value passes. Raises ValueError for a value that no button may carry.
    """

    _prefix: ClassVar[str]
    _parts: ClassVar[Mapping[str, Sequence[Any]]]

    def __init_subclass__(cls, *, prefix: str) -> None:
        cls._prefix = prefix
        cls._parts = {name: get_args(a) or (a,) for name, a in get_annotations(cls).items()}
        _KINDS[prefix] = dataclass(frozen=True)(cls)

    def __post_init__(self) -> None:
        for name, (_, *checks) in self._parts.items():
            if not all(check(getattr(self, name)) for check in checks):
                raise ValueError(f"no button may have the {name} of {self!r}")

    def encode(self) -> str:
        values = [getattr(self, name) for name in self._parts]
        texts = [str(value.value if isinstance(value, Enum) else value) for value in values]
        return ":".join([self._prefix, *texts])

    @classmethod
    def from_parts(cls, texts: Sequence[str]) -> Self:
        kinds = [kind for kind, *_ in cls._parts.values()]
        make: Callable[..., Self] = cls
        return make(*(kind(text) for kind, text in zip(kinds, texts, strict=True)))


def decode(text: str) -> CallbackData | None:
    """The button that was pressed; None for anything this program would not have made."""
    prefix, *texts = [text] if text in _KINDS else text.split(":")
    try:
        press: CallbackData = _KINDS[prefix].from_parts(texts)
    except (KeyError, ValueError):
        return None
    return press if press.encode() == text else None


class RunCommand(CallbackData, prefix="do"):
    """The same as typing `/command argument`."""

    command: Annotated[str, PRESSABLE.__contains__]
    argument: Annotated[str, re.compile(r"[A-Za-z0-9.%]{0,20}", re.ASCII).fullmatch] = ""


class Confirm(CallbackData, prefix="yes"):
    """Yes to the question stored under *id*."""

    id: _Id


class Choose(CallbackData, prefix="pick"):
    """One of the options stored with the question under *id*."""

    id: _Id
    index: Annotated[int, range(8).__contains__]


class Word(Enum):
    """What a user says of an order that is unclear."""

    FILLED = "filled"
    NOT_FILLED = "not"
    LOOK_AGAIN = "look"


class Report(CallbackData, prefix="order"):
    """A user's *word* on an order. Anybody of the chat may give it, as long as it is wanted."""

    word: Word
    client_order_id: _Id


class HistoryPage(CallbackData, prefix="page"):
    """Page *page* (0 is the newest) of the history, *size* trades a page."""

    page: _Page
    size: _Rows


class TradeDetailsPage(CallbackData, prefix="trade"):
    """Everything about one trade; *page* and *size* are of the history it was chosen from."""

    client_order_id: _Id
    page: _Page
    size: _Rows


class ProfitPage(CallbackData, prefix="profit"):
    """The profit of *span*, in the place of the one that is shown."""

    span: Span


class FlowsPage(CallbackData, prefix="flows"):
    """Page *page* (0 is the newest) of what came and went in *span*."""

    span: _Span
    page: _Page


class FlowPage(CallbackData, prefix="flow"):
    """What one flow may be corrected to, which moved or else was not explained, in USDT or else the
    token, at or *since* a moment; *span* is of the list it was chosen from.
    """

    moved: Annotated[int, range(2).__contains__]
    in_usdt: Annotated[int, range(2).__contains__]
    since_ms: Annotated[int, range(10**13).__contains__]
    span: _Span


class WhyPage(CallbackData, prefix="why"):
    """Page *page* (0 is the newest) of the decisions, *size* a page."""

    page: _Page
    size: _Rows


class ReplayPage(CallbackData, prefix="replay"):
    """An order, planned again; *page* and *size* are of the decisions it was chosen from."""

    client_order_id: _Id
    page: _Page
    size: _Rows


class ChartKind(Enum):
    """What a picture shows; the value is how it is typed."""

    VALUE = "value"
    DRIFT = "drift"
    HOLDINGS = "holdings"


class ChartPage(CallbackData, prefix="chart"):
    """The picture of *kind* over *span*."""

    kind: ChartKind
    span: Span


class AuditPage(CallbackData, prefix="audit"):
    """Page *page* (0 is the newest) of who changed what."""

    page: _Page


class Refresh(CallbackData, prefix="card:refresh"):
    """Read the balances again and show them on this card."""


class Pin(CallbackData, prefix="card"):
    """Pin this card in the chat, or take it down."""

    on: bool

    def encode(self) -> str:
        return "card:pin" if self.on else "card:unpin"

    @classmethod
    def from_parts(cls, texts: Sequence[str]) -> Self:
        return cls(on=texts == ["pin"])


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
    EXECUTION = "execution"
    SLIPPAGE = "slippage"


_Setting = Annotated[PanelPage, {*PanelPage}.difference({PanelPage.HOME}).__contains__]


class Open(CallbackData, prefix="open"):
    """Show a page of the panel, in the place of the one that is shown."""

    page: PanelPage


class SetPreset(CallbackData, prefix="put"):
    """Set what the page is about to *value*, as if it had been typed."""

    page: _Setting
    value: Annotated[str, re.compile(r"[A-Za-z0-9.%]{1,20}", re.ASCII).fullmatch]


class EnterValue(CallbackData, prefix="enter"):
    """Wait for a value of the page's setting to be typed."""

    page: _Setting


class SetAlert(CallbackData, prefix="tune"):
    """A change of the alerts, shown in the panel: the same as typing `/alerts part value`. Without
    a *value* the panel shows the choices for *part*, without both itself.
    """

    part: Annotated[str, re.compile(r"[a-z]{0,10}", re.ASCII).fullmatch] = ""
    value: Annotated[str, re.compile(r"[A-Za-z0-9._/+-]{0,40}", re.ASCII).fullmatch] = ""


class RemoveLowBalance(CallbackData, prefix="unwarn"):
    """Forget the low-balance mark of *asset*; the list is shown in its place."""

    asset: Annotated[str, is_asset_name]


class RemovePriceAlert(CallbackData, prefix="unprice"):
    """Forget the price alert of *asset*; the list is shown in its place."""

    asset: Annotated[str, is_asset_name]


class BuildStep(Enum):
    """What a tap does to the basket that is being put together."""

    SHOW = "show"
    PLUS = "plus"
    MINUS = "minus"
    DROP = "drop"
    EVENLY = "evenly"
    STEP = "step"
    DONE = "done"


class BuildBasket(CallbackData, prefix="basket"):
    """Change the basket stored under *id* as *step* says; *index* is a token's place in the list
    that is stored with it.
    """

    id: _Id
    step: BuildStep
    index: Annotated[int, range(100).__contains__]
