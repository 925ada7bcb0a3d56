"""Where a trade leads: to the centre of the band, half way, or just inside its edge. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from engine.domain.market.decimals import ONE, ZERO
from engine.domain.targets.target import FixedUsdt, Target, UsdtRange


class Destination(Enum):
    CENTRE = "centre"
    HALF = "half"
    EDGE = "edge"

    @property
    def way(self) -> Decimal:
        """How much of the way from the edge to the centre is gone."""
        return _WAYS[self]


_WAYS = {
    Destination.CENTRE: ONE,
    Destination.HALF: Decimal("0.5"),
    Destination.EDGE: ZERO,
}


def usual_destination(target: Target) -> Destination:
    """The drift of an amount of USDT is a deposit and goes whole; a share's is mostly noise."""
    fixed = isinstance(target, FixedUsdt | UsdtRange)
    return Destination.CENTRE if fixed else Destination.HALF


@dataclass(frozen=True, slots=True)
class Edges:
    """At or between *low* and *high*, in USDT, nothing is traded. *centre* is between them; a
    floor or a ceiling has none.
    """

    low: Decimal
    centre: Decimal | None
    high: Decimal

    def holds(self, amount: Decimal) -> bool:
        return self.low <= amount <= self.high

    @property
    def rest(self) -> Decimal:
        """Where a person's trade leads from inside, and above which a deposit may wait."""
        return self.high if self.centre is None else self.centre

    def nearest(self, amount: Decimal) -> Decimal:
        """Returns the centre; of a floor or a ceiling its edge, or *amount* if that is inside."""
        return min(self.high, max(self.low, amount)) if self.centre is None else self.centre

    def aim(self, amount: Decimal, *, way: Decimal, least: Decimal = ZERO) -> Decimal:
        """Returns where a trade leads that brings *amount* inside; the amount itself if it is.

        An order is worth *least*, and at the edge itself the next tick is outside again: so it
        leads inside by that much, but not beyond the centre. A centre of zero is gone to whatever
        the way: a rest is of no use.
        """
        if self.holds(amount):
            return amount
        is_above = amount > self.high
        beyond = amount - self.high if is_above else self.low - amount
        return self.inside(is_above=is_above, way=way, least=least, beyond=beyond)

    def inside(
        self, *, is_above: bool, way: Decimal, least: Decimal = ZERO, beyond: Decimal = ZERO
    ) -> Decimal:
        """Returns where a trade leads from *beyond* one of the edges; see `aim`."""
        edge, far = (self.high, self.low) if is_above else (self.low, self.high)
        if self.centre == ZERO:
            return ZERO
        if self.centre is None:
            way, inner = ZERO, far
        else:
            inner = self.centre
        width = (inner - edge).copy_abs()
        step = min(width, max(way * width, least - beyond) if way else least)
        return edge - step if is_above else edge + step
