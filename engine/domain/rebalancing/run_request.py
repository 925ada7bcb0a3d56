"""A rebalance that a user confirmed, and that waits for the account's next check."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.market.pairs import Side
from engine.domain.rebalancing.planner import ProposedOrder

_SAME_DEAL = Decimal("0.05")
_SAME_DEAL_QUOTE = Decimal("0.10")


def price_allowance(expected_quote: Decimal) -> Decimal:
    """Returns the tolerance in USDT within which an order is still the one confirmed."""
    return max(expected_quote * _SAME_DEAL, _SAME_DEAL_QUOTE)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A user's tap on "Trade": the plan they saw, under the id of its confirmation.

    The id doubles as the run id, so that the same tap can never become two orders.
    """

    confirmation_id: str
    side: Side
    expected_quote: Decimal
    expires_at: datetime

    def covers(self, order: ProposedOrder, *, now: datetime) -> bool:
        """True if the confirmation covers *order*: in time, within the price tolerance."""
        moved = abs(order.expected_quote - self.expected_quote)
        same = order.side is self.side and moved <= price_allowance(self.expected_quote)
        return same and now <= self.expires_at


@dataclass(frozen=True, slots=True)
class RunOffer:
    """The plan shown to a user, stored with the button until it is tapped.
    *version* is the account's: another pair, key, or kind of money is another plan.
    """

    side: Side
    expected_quote: Decimal
    version: int
