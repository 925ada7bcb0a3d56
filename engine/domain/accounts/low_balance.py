"""Thresholds below which a user is alerted that an asset runs low."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.market.balances import Counting, Holdings
from engine.domain.market.decimals import is_positive
from engine.domain.market.pairs import Asset
from engine.errors import BadData

MOST_MARKS = 8
# A balance that swings around its threshold is reported once, not at each swing.
_BACK_AT = Decimal("1.05")


@dataclass(frozen=True, slots=True)
class LowBalanceThreshold:
    """A threshold; *told* from when less than *below* was left until it is safely back above."""

    asset: Asset
    below: Decimal
    told: bool = False

    def __post_init__(self) -> None:
        if not is_positive(self.below):
            raise ValueError(f"nothing is ever below {self.below}")

    @property
    def back_at(self) -> Decimal:
        return self.below * _BACK_AT


@dataclass(frozen=True, slots=True)
class Crossing:
    """A crossed threshold; *mark* is its state before: low now if not told, resolved if told."""

    mark: LowBalanceThreshold
    left: Decimal


def crossings(
    marks: Iterable[LowBalanceThreshold], holdings: Holdings, *, counting: Counting
) -> list[Crossing]:
    """The marks whose story changes with *holdings*; usually none."""
    found = []
    for mark in marks:
        try:
            left = holdings.of(mark.asset).counted(counting)
        except BadData:  # of an asset that is not traded: the account continues without it
            continue
        changed = left >= mark.back_at if mark.told else left < mark.below
        if changed:
            found.append(Crossing(mark, left))
    return found
