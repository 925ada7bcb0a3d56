"""A target of one pair as an amount of USDT to hold: what the planner of one order needs. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import USDT
from engine.domain.targets.destination import Destination, Edges
from engine.domain.targets.goals import Line, TargetSettings

# More than any account holds: the high edge of a floor.
NO_EDGE = Decimal("1e24")


@dataclass(frozen=True, slots=True)
class UsdtGoal:
    """From *edges*, in USDT, a trade leads inside by *way* of the way to the centre. No buy leaves
    less than *floor*; a balance under it is no reason to sell.
    """

    edges: Edges
    way: Decimal = ONE
    floor: Decimal = ZERO

    @property
    def low(self) -> Decimal:
        """What a buy leaves at least."""
        return max(self.edges.low, self.floor)

    def aim(self, held: Decimal, *, least: Decimal) -> Decimal:
        """Returns what to hold after a trade; a person's trade from inside leads to the centre."""
        if not self.edges.holds(held):
            return self.edges.aim(held, way=self.way, least=least)
        return held if self.edges.centre is None else self.edges.centre


def needs_price(settings: TargetSettings) -> bool:
    """False for amounts of USDT alone: they do not drift with the price."""
    goals = settings.goals
    cash, token = goals.of(USDT), goals.of(settings.tokens[0])
    is_plain = all(line.share in {ZERO, ONE} for line in (cash.low, cash.high))
    return len(goals.tokens) > 1 or not is_plain or token.low != Line()


def usdt_goal(
    settings: TargetSettings,
    *,
    destination: Destination,
    whole: Decimal | None = None,
    reserve: Decimal = ZERO,
) -> UsdtGoal:
    """Returns the goal of a target with one token.

    *whole* is what USDT and token are worth, without what is protected; only amounts of USDT need
    none. The token's edges count as those of USDT on the other side; *reserve* is kept for fees.
    Raises ValueError where there are several tokens, or the price is missing.
    """
    if len(settings.tokens) != 1:
        raise ValueError("a basket of several tokens is planned as a whole")
    goals = settings.goals
    cash, token = goals.of(USDT), goals.of(settings.tokens[0])
    if not needs_price(settings):
        high = NO_EDGE if cash.high.share else cash.high.fixed
        centre = None if cash.centre is None else cash.centre.fixed
        return UsdtGoal(Edges(max(ZERO, cash.low.fixed), centre, high), destination.way)
    if whole is None:
        raise ValueError("shares need a price")
    own, other = cash.at(whole), token.at(whole)
    low = max(own.low, whole - other.high)
    high = max(low, min(own.high, whole - other.low))
    centre = None if own.centre is None else min(high, max(low, own.centre))
    return UsdtGoal(Edges(low, centre, high), destination.way, floor=min(whole, reserve))
