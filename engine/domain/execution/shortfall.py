"""What a trade cost against the market it was decided on: implementation shortfall (Perold)."""

from dataclasses import dataclass
from decimal import Decimal, localcontext

from engine.domain.market.decimals import EXACT_OR_LESS, ZERO, is_positive
from engine.domain.market.pairs import Side
from engine.domain.orders.order import Execution

_BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Shortfall:
    """USDT that a decision cost, above zero where it was worse than at its arrival.

    *execution* is against the middle of the moment of the decision, *opportunity* what the market
    moved away by for the part that was not done. *intended_value* and *done_value* are worth at
    that middle. Shortfalls of several trades add up: an average without its weights is wrong.
    """

    execution: Decimal = ZERO
    fees: Decimal = ZERO
    opportunity: Decimal = ZERO
    intended_value: Decimal = ZERO
    done_value: Decimal = ZERO

    def __add__(self, other: "Shortfall") -> "Shortfall":
        with localcontext(EXACT_OR_LESS):
            return Shortfall(
                self.execution + other.execution,
                self.fees + other.fees,
                self.opportunity + other.opportunity,
                self.intended_value + other.intended_value,
                self.done_value + other.done_value,
            )

    @property
    def total(self) -> Decimal:
        return self.execution + self.fees + self.opportunity

    @property
    def done(self) -> Decimal:
        """The cost of what was traded, without what was not."""
        return self.execution + self.fees

    @property
    def total_bp(self) -> Decimal | None:
        """None where nothing was intended."""
        return _in_bp(self.total, self.intended_value)

    @property
    def done_bp(self) -> Decimal | None:
        """None where nothing was traded."""
        return _in_bp(self.done, self.done_value)


def shortfall(
    side: Side,
    *,
    intended: Decimal,
    arrival: Decimal,
    done: Execution,
    fees: Decimal,
    final: Decimal | None = None,
) -> Shortfall:
    """Returns what trading *intended* of the base cost, of which *done* was, decided at the middle
    *arrival*. Two orders in a row cost what one does, if the second was decided at the first's end.

    *fees* are in USDT, at their worth when they were paid. *final* is the middle at the end: without
    it what was not done costs nothing. More than was intended may have been done.
    """
    if not is_positive(intended) or not is_positive(arrival):
        raise ValueError(f"nothing was decided: {intended} at {arrival}")
    sign = 1 if side is Side.BUY else -1
    with localcontext(EXACT_OR_LESS):
        done_value = done.base_quantity * arrival
        missing = max(intended - done.base_quantity, ZERO)
        moved = ZERO if final is None else sign * (final - arrival)
        return Shortfall(
            execution=sign * (done.quote_amount - done_value),
            fees=fees,
            opportunity=moved * missing,
            intended_value=intended * arrival,
            done_value=done_value,
        )


def _in_bp(cost: Decimal, value: Decimal) -> Decimal | None:
    return cost / value * _BASIS_POINTS if value else None
