"""What an account holds, at the moment it was read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from engine.domain.money import ZERO
from engine.domain.pairs import Asset


class Counting(Enum):
    """Whether coins locked in the person's own open orders count as held."""

    HELD = "held"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Balance:
    """*free* may be used by an order, *locked* sits in open orders; neither is ever negative."""

    free: Decimal = ZERO
    locked: Decimal = ZERO

    def __post_init__(self) -> None:
        for amount in (self.free, self.locked):
            if not amount.is_finite() or amount < ZERO:
                raise ValueError(f"a balance cannot be {amount}")

    @property
    def total(self) -> Decimal:
        return self.free + self.locked

    def counted(self, counting: Counting) -> Decimal:
        return self.free if counting is Counting.FREE else self.total


@dataclass(frozen=True, slots=True)
class Holdings:
    """Every asset of one account. An asset the exchange does not list is held at zero."""

    balances: Mapping[Asset, Balance]
    read_at: datetime

    def of(self, asset: Asset) -> Balance:
        return self.balances.get(asset, Balance())
