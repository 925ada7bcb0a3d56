"""The line of an account's value: years of it take no more memory than months. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from engine.domain.market.candles import HOUR

MOST_POINTS = 5_000
# Of hours that are put together: the first, the last, and the least and most of both.
_A_GROUP = 6


class ValuePoint(NamedTuple):
    """What was there at a moment; *held* is the worth of the opening and the flows, never traded."""

    at: datetime
    price: Decimal
    quote: Decimal
    base: Decimal
    held: Decimal

    @property
    def value(self) -> Decimal:
        return self.quote + self.base * self.price

    @property
    def share(self) -> Decimal | None:
        """The USDT share of the value; None where there is none."""
        return self.quote / self.value if self.value else None


class Points:
    """The points of a span of *length*, one an hour, in their order. Of more than MOST_POINTS those
    are kept that a picture shows: where each few hours begin and end, and their extremes.
    """

    def __init__(self, length: timedelta) -> None:
        hours = length // HOUR
        self._together = 1 if hours <= MOST_POINTS else -(-hours * _A_GROUP // MOST_POINTS)
        self._kept: list[ValuePoint] = []
        self._group: list[ValuePoint] = []

    @property
    def apart(self) -> timedelta:
        """How far two points may be from each other where no hour is missing."""
        return self._together * HOUR

    def add(self, point: ValuePoint) -> None:
        self._group.append(point)
        if len(self._group) >= self._together:
            self._kept += _shown(self._group)
            self._group.clear()

    def all(self) -> Sequence[ValuePoint]:
        return [*self._kept, *_shown(self._group)]


def _shown(group: Sequence[ValuePoint]) -> Sequence[ValuePoint]:
    if len(group) <= _A_GROUP:
        return group
    shown = {0, len(group) - 1}
    for values in ([point.value for point in group], [point.quote for point in group]):
        shown |= {values.index(min(values)), values.index(max(values))}
    return [group[number] for number in sorted(shown)]
