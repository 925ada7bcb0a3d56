"""What came to an account or left it without an order of ours, as it is booked. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum

from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset


class Correction(Enum):
    """What a person says of a flow: it was a deposit or withdrawal of *MINE*, or a *RESULT*, such as
    interest, a fee or a trade by hand.
    """

    MINE = "mine"
    RESULT = "result"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The *changes* that one reading showed, USDT first.
    *price* is the traded token's in USDT at that moment, if it was known; of several tokens each has
    its own in *prices*. *corrections* are a person's, by asset.
    """

    at: datetime
    dry_run: bool
    changes: Sequence[BalanceChange]
    price: Decimal | None = None
    prices: Mapping[Asset, Decimal] = field(default_factory=dict)
    corrections: Mapping[Asset, Correction] = field(default_factory=dict)

    @property
    def is_by_hand(self) -> bool:
        """True if one coin went and another came: it was exchanged."""
        signs = [change.change > ZERO for change in self.changes]
        return sorted(signs) == [False, True]

    def value_of(self, change: BalanceChange) -> Decimal | None:
        """Returns the change's worth in USDT; None where the price was not known."""
        if change.asset == USDT:
            return change.change
        price = self.prices.get(change.asset, self.price)
        return None if price is None else change.change * price
