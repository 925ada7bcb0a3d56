"""What happens to USDT that arrives: traded, kept, or waiting for a time or an answer. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

from engine.domain.market.decimals import CENT, ZERO

MIN_WAIT = timedelta(minutes=1)
MAX_WAIT = timedelta(days=1)
DAY = timedelta(days=1)


class DepositChoice(Enum):
    """Trade a deposit at the next check, after a while, after an answer, or not at all."""

    NOW = "now"
    WAIT = "wait"
    ASK = "ask"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class DepositRule:
    """*wait* is how long a deposit waits under WAIT; the other choices only remember it."""

    choice: DepositChoice = DepositChoice.NOW
    wait: timedelta = timedelta(minutes=15)

    def __post_init__(self) -> None:
        if not MIN_WAIT <= self.wait <= MAX_WAIT:
            raise ValueError("a deposit waits from 1 minute to 1 day")

    @property
    def waits_for(self) -> timedelta:
        """How long a deposit waits before it is traded, or asked about again."""
        return self.wait if self.choice is DepositChoice.WAIT else DAY


TRADED_AT_ONCE = DepositRule()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingDeposit:
    """*amount* of the USDT above the target is not traded before *until*.
    *question_id* is of the buttons that end the wait earlier.
    """

    amount: Decimal
    until: datetime
    question_id: str

    def __post_init__(self) -> None:
        if not self.amount.is_finite() or self.amount <= ZERO:
            raise ValueError(f"a deposit cannot be {self.amount}")

    def is_over(self, now: datetime) -> bool:
        return self.until <= now


def still_waiting(
    waiting: WaitingDeposit | None, *, total: Decimal, target: Decimal, fell: Decimal = ZERO
) -> WaitingDeposit | None:
    """What of *waiting* is left in a balance of *total* USDT, of which *fell* left without an order.

    What left is taken from the deposit first, and only what is above *target* waits: a shortfall
    never does. None where less than a cent is left.
    """
    if waiting is None:
        return None
    amount = min(waiting.amount - max(fell, ZERO), total - target)
    return replace(waiting, amount=amount) if amount >= CENT else None


def waiting_with(
    rest: WaitingDeposit | None, *, arrived: Decimal, total: Decimal, target: Decimal
) -> Decimal:
    """How much waits when *arrived* comes to what is left: never more than is above *target*."""
    return min((ZERO if rest is None else rest.amount) + arrived, total - target)


def held_back(held: Decimal, *, target: Decimal, waiting: WaitingDeposit | None) -> Decimal:
    """How much of *held* is not to be traded: never more than is above *target*."""
    return ZERO if waiting is None else min(waiting.amount, max(held - target, ZERO))
