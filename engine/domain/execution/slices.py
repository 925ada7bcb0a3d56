"""A large trade in parts over time: how many, how large, when each is due, and when it ends.

A slice is planned when it is due, on what is still wanted then. One that was missed is not made up
for: the rest stays untraded at the deadline, and is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from enum import Enum

from engine.domain.market.decimals import CENT, EXACT_OR_LESS, floor_to_step, is_positive
from engine.domain.market.pairs import Side

LEAST_SPAN, MOST_SPAN = timedelta(minutes=10), timedelta(days=1)
SLICES_APART = timedelta(minutes=5)


class SlicesEnd(Enum):
    """Why no further slice is traded."""

    DONE = "done"
    DEADLINE = "deadline"
    INSIDE = "inside"  # the balance is inside its band
    PAUSED = "paused"
    HALTED = "halted"
    CANCELLED = "cancelled"
    CHANGED = "changed"  # the pair, the key or the kind of money is another one


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicedTrade:
    """Trade *amounts*, evenly spread over *span* from *started_at* on.
    They are USDT, or base where *in_base*.
    """

    side: Side
    amounts: tuple[Decimal, ...]
    started_at: datetime
    span: timedelta
    in_base: bool = False

    def __post_init__(self) -> None:
        if not self.amounts or not all(map(is_positive, self.amounts)):
            raise ValueError("a slice is above zero, and there is one at least")
        if not LEAST_SPAN <= self.span <= MOST_SPAN:
            raise ValueError(f"slices take from 10 minutes to a day, not {self.span}")

    @property
    def total(self) -> Decimal:
        with localcontext(EXACT_OR_LESS):
            return sum(self.amounts[1:], self.amounts[0])

    @property
    def deadline(self) -> datetime:
        return self.started_at + self.span

    def due_at(self, number: int) -> datetime:
        """When slice *number*, from 1 on, is due: the first at once, the one after the last never, but
        its time is the deadline.
        """
        return self.started_at + self.span * (number - 1) / len(self.amounts)


@dataclass(frozen=True, slots=True)
class DueSlice:
    """Trade *amount* now. Until slice *number* + 1 is due, this one may be tried again."""

    number: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class NextSlice:
    """Nothing is due before *at*."""

    at: datetime


@dataclass(frozen=True, slots=True)
class SlicesOver:
    """*left* of the total was not traded."""

    end: SlicesEnd
    left: Decimal


@dataclass(frozen=True, slots=True)
class SlicesRun:
    """A trade over time runs, *until* then at the latest: nothing else is traded meanwhile."""

    until: datetime


def split(
    total: Decimal, *, part: Decimal, minimum: Decimal, step: Decimal = CENT
) -> Sequence[Decimal]:
    """Returns equal amounts of about *part*, none under *minimum*, in whole *steps*; what is left
    over is in the last. One amount where there is too little for two.
    """
    with localcontext(EXACT_OR_LESS):
        count = int(total // max(part, minimum))
        if count <= 1:
            return (total,)
        equal = floor_to_step(total / count, step)
        if equal < max(minimum, step):
            return split(total, part=total / (count - 1), minimum=minimum, step=step)
        return (equal,) * (count - 1) + (total - equal * (count - 1),)


def sliced(
    side: Side,
    total: Decimal,
    *,
    span: timedelta,
    started_at: datetime,
    minimum: Decimal,
    step: Decimal = CENT,
    in_base: bool = False,
    apart: timedelta = SLICES_APART,
) -> SlicedTrade:
    """Returns *total* in as many slices as *minimum* allows, *apart* at least."""
    most = max(1, span // apart)
    with localcontext(EXACT_OR_LESS):
        amounts = split(total, part=total / most, minimum=minimum, step=step)
    return SlicedTrade(
        side=side,
        amounts=tuple(amounts),
        started_at=started_at,
        span=span,
        in_base=in_base,
    )


def next_slice(
    trade: SlicedTrade,
    *,
    last: int,
    traded: Decimal,
    minimum: Decimal,
    now: datetime,
    stop: SlicesEnd | None = None,
) -> DueSlice | NextSlice | SlicesOver:
    """Returns what is to be done *now*. *last* is the number of the slice that ran last (0: none),
    *traded* what all of them traded. *stop* ends it, and so does less than *minimum* being left.
    """
    left = max(EXACT_OR_LESS.subtract(trade.total, traded), Decimal(0))
    if stop is not None:
        return SlicesOver(stop, left)
    if left < minimum:
        return SlicesOver(SlicesEnd.DONE, left)
    if now >= trade.deadline:
        return SlicesOver(SlicesEnd.DEADLINE, left)
    number = max((now - trade.started_at) * len(trade.amounts) // trade.span + 1, 0)
    if number > last:
        return DueSlice(number, min(trade.amounts[number - 1], left))
    return NextSlice(trade.due_at(last + 1))  # after the last one, the deadline
