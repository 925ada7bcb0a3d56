"""What a person may correct: the flows of a report, and what that does to what was made. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from engine.domain.accounts.flows import Correction
from engine.domain.market.decimals import ZERO
from engine.domain.profit.entries import Flow, FlowKey, FlowKind
from engine.domain.profit.report import ProfitReport

_SHOWN = Decimal("0.005")
_BOTH = 2


@dataclass(frozen=True, slots=True)
class Movement:
    """One flow, or the two of an exchange by hand: one coin went, and the other came."""

    flows: Sequence[Flow]

    def __post_init__(self) -> None:
        if len(self.flows) not in {1, _BOTH}:
            raise ValueError("a movement has one flow, or two")

    @property
    def at(self) -> datetime:
        return self.flows[0].at

    @property
    def kind(self) -> FlowKind:
        return self.flows[0].kind

    @property
    def correction(self) -> Correction | None:
        return self.flows[0].correction

    @property
    def is_by_hand(self) -> bool:
        return len(self.flows) == _BOTH

    @property
    def value(self) -> Decimal:
        """The net worth in USDT that came in."""
        return sum((flow.value or ZERO for flow in self.flows), ZERO)

    @property
    def keys(self) -> tuple[FlowKey, ...]:
        return tuple(flow.key for flow in self.flows if flow.key is not None)

    @property
    def choices(self) -> Sequence[Correction | None]:
        """What it may be corrected to; None takes the correction back."""
        return choices(self.kind, self.correction) if self.keys else ()

    def made_more(self, correction: Correction | None) -> Decimal:
        """Returns what *correction* adds to what was made."""
        counted = self.correction is Correction.RESULT
        counts = correction is Correction.RESULT
        return (counts - counted) * self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionOffer:
    """The flows *keys*, seen *at* a time and corrected to *was*, may be corrected."""

    dry_run: bool
    at: datetime
    keys: tuple[FlowKey, ...]
    was: Correction | None

    @property
    def choices(self) -> Sequence[Correction | None]:
        return choices(self.keys[0].kind, self.was)


def choices(kind: FlowKind, was: Correction | None) -> Sequence[Correction | None]:
    """What moved was seen: it is a deposit or withdrawal already, where nobody says otherwise."""
    said = [Correction.RESULT] if kind is FlowKind.MOVED else [*Correction]
    return [one for one in (*said, None) if one is not was]


def movements(report: ProfitReport) -> Sequence[Movement]:
    """Returns the flows of *report* of a cent and more, newest first. Paid fees are none."""
    flows = [
        flow
        for flow in (*report.flows, *report.results)
        if flow.kind is not FlowKind.FEE and abs(flow.value or ZERO) >= _SHOWN
    ]
    flows.sort(key=lambda flow: flow.at, reverse=True)
    moments = groupby(flows, key=lambda flow: (flow.at, flow.kind, flow.correction))
    return [found for _, of_one in moments for found in _grouped(list(of_one))]


def _grouped(flows: Sequence[Flow]) -> Iterable[Movement]:
    is_by_hand = sorted(flow.units > ZERO for flow in flows) == [False, True]
    if is_by_hand and flows[0].key is not None:
        return [Movement(flows)]
    return [Movement([flow]) for flow in flows]
