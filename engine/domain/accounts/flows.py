"""What came to an account or left it without an order of ours, as it is booked. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The *changes* that one reading showed, USDT first.
    *price* is the traded token's in USDT at that moment, if it was known.
    """

    at: datetime
    dry_run: bool
    changes: Sequence[BalanceChange]
    price: Decimal | None = None

    @property
    def is_by_hand(self) -> bool:
        """True if one coin went and another came: it was exchanged."""
        signs = [change.change > ZERO for change in self.changes]
        return sorted(signs) == [False, True]

    def value_of(self, change: BalanceChange) -> Decimal | None:
        """Returns the change's worth in USDT; None where the price was not known."""
        if change.asset == USDT:
            return change.change
        return None if self.price is None else change.change * self.price
