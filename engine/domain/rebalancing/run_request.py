"""A rebalance that a user confirmed, and that waits for the account's next check."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Protocol, Self

from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import MAX_TARGET
from engine.domain.execution.bounded_order import BoundedOrder
from engine.domain.market.decimals import CENT, ZERO
from engine.domain.market.pairs import Side
from engine.domain.portfolio.plan import Leg, PortfolioPlan
from engine.domain.rebalancing.forecast import Forecast
from engine.domain.rebalancing.manual_trade import ManualRun, ManualTrade, is_undone
from engine.domain.rebalancing.planner import ProposedOrder
from engine.domain.targets.target import FixedUsdt

_SAME_DEAL = Decimal("0.05")
_SAME_DEAL_QUOTE = Decimal("0.10")
# Less is what selling all USDT leaves behind, and nothing to hold.
_LEAST_TARGET = Decimal(1)


def price_allowance(expected_quote: Decimal) -> Decimal:
    """Returns the tolerance in USDT within which an order is still the one confirmed."""
    return max(expected_quote * _SAME_DEAL, _SAME_DEAL_QUOTE)


class Due(Protocol):
    """What is to be traded: an order, or all trades of a plan; *side* is that of the first."""

    @property
    def side(self) -> Side: ...
    @property
    def expected_quote(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class WholePlan:
    """All trades of a plan, as a user saw them."""

    legs: tuple[Leg, ...]

    @property
    def side(self) -> Side:
        """Returns the side of the first one."""
        return self.legs[0].side

    @property
    def expected_quote(self) -> Decimal:
        """Returns what they come to together."""
        return sum((leg.quote_amount for leg in self.legs), ZERO)

    def differs_by(self, other: "WholePlan") -> Decimal:
        """Returns how much of *other* is not traded by this one, or the other way round, in USDT."""
        left = {(leg.asset, leg.side): leg.quote_amount for leg in self.legs}
        for leg in other.legs:
            key = (leg.asset, leg.side)
            left[key] = left.get(key, ZERO) - leg.quote_amount
        return sum((amount.copy_abs() for amount in left.values()), ZERO)


def moved_by(shown: Due, now: Due) -> Decimal:
    """Returns how far what would be traded *now* is from what was *shown*, in USDT: of a plan, each
    of its trades counts.
    """
    if isinstance(shown, WholePlan) and isinstance(now, WholePlan):
        return now.differs_by(shown)
    return abs(now.expected_quote - shown.expected_quote)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A user's tap on "Trade": the plan they saw, under the id of its confirmation.

    The id doubles as the run id, so that the same tap can never become two orders. *manual* is set
    where the user asked for the trade itself, whatever the target says. *bound* is the worst price
    that the plan named; None where it named none. *plan* is set where several trades were shown.
    """

    confirmation_id: str
    side: Side
    expected_quote: Decimal
    expires_at: datetime
    manual: ManualRun | None = None
    bound: Decimal | None = None
    plan: WholePlan | None = None

    def covers(self, order: Due, *, now: datetime) -> bool:
        """True if the confirmation covers *order*: in time, within the price tolerance, and at no
        worse price than its bound.
        """
        moved = moved_by(self.plan or self, order)
        same = order.side is self.side and moved <= price_allowance(self.expected_quote)
        is_alike = isinstance(order, WholePlan) is (self.plan is not None)
        return same and is_alike and self._bounds(order) and now <= self.expires_at

    def _bounds(self, order: Due) -> bool:
        if self.bound is None:
            return True
        return isinstance(order, BoundedOrder) and not order.is_worse_than(self.bound)

    def covers_plan(self, plan: PortfolioPlan, *, now: datetime) -> bool:
        """As `covers`, of all trades of *plan*."""
        if not plan.legs or self.manual is not None:
            return False
        return self.covers(WholePlan(plan.legs), now=now)


@dataclass(frozen=True, slots=True)
class RunOffer:
    """The plan shown to a user, stored with the button until it is tapped.
    *version* is the account's: another pair, key, or kind of money is another plan. *bound* is the
    worst price that it names, *plan* is set where it has several trades.
    """

    side: Side
    expected_quote: Decimal
    version: int
    bound: Decimal | None = None
    plan: WholePlan | None = None

    @classmethod
    def of(cls, account: Account, order: Due) -> Self:
        bound = order.price if isinstance(order, BoundedOrder) else None
        plan = order if isinstance(order, WholePlan) else None
        return cls(order.side, order.expected_quote, account.version, bound, plan)


@dataclass(frozen=True, slots=True)
class ManualOffer:
    """The plan of a trade that a user asked for, stored with its buttons.
    The first one trades, and *pauses* trading where a check would trade back; the second one, if
    *target* is given, trades and sets it.
    """

    offer: RunOffer
    trade: ManualTrade
    pauses: bool = False
    target: Decimal | None = None

    @property
    def buttons(self) -> int:
        return 1 if self.target is None else 2

    def run(self, option: int, *, user_id: int) -> ManualRun:
        is_first = option == 0
        return ManualRun(
            trade=self.trade,
            version=self.offer.version,
            user_id=user_id,
            pauses=self.pauses and is_first,
            target=None if is_first else self.target,
        )


def offered(
    account: Account, trade: ManualTrade, order: ProposedOrder, comes_to: Forecast
) -> ManualOffer:
    """Returns *trade* with its buttons."""
    offer = RunOffer.of(account, order)
    pauses, target = kept_by(account, trade.side, held_after=comes_to.held_after)
    return ManualOffer(offer, trade, pauses=pauses, target=target)


def kept_by(account: Account, side: Side, *, held_after: Decimal) -> tuple[bool, Decimal | None]:
    """Returns what keeps a check from trading back what leaves *held_after*: whether trading is to
    pause, and the target to set instead, to the nearest cent; neither where no check would. A
    target of another kind is not replaced by an amount.
    """
    if not is_undone(side, held_after, replace(account.settings, paused=False)):
        return False, None
    if account.settings.fixed is None:
        return not account.settings.paused, None
    target = held_after.quantize(CENT, ROUND_HALF_EVEN)
    is_target = (
        _LEAST_TARGET <= target <= MAX_TARGET
        and replace(account.settings, target=FixedUsdt(target)).fixed is not None
    )
    return not account.settings.paused, target if is_target else None
