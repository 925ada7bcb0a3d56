"""The fewest trades that end with every asset inside its band, costs included. Pure.

What is outside must trade, by a size from an interval. Where the cash of these trades would leave
its own band, tokens from inside join, those with the most room first: with equal minimums no
choice needs fewer. Nothing is pushed out of its band to bring another one in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.portfolio.position import (
    PLANNING,
    ROUNDING,
    LegReason,
    Portfolio,
    Position,
    Sizes,
    cash_per,
    cost_of,
)
from engine.domain.targets.destination import Edges

_ROUNDS = 40
_SETTLED = Decimal("1e-13")


@dataclass(slots=True)
class _Leg:
    """One trade while its size is sought, between *least* and *most*. *beyond* is how far outside
    the token is; zero for one that joined. *centred* is the size that leads to its centre, *brings*
    how much cash one USDT of it brings (a buy: less than zero).
    """

    position: Position
    side: Side
    least: Decimal
    most: Decimal
    size: Decimal
    beyond: Decimal
    centred: Decimal
    brings: Decimal = field(init=False)

    def __post_init__(self) -> None:
        per = cash_per(self.side, self.position.cost_rate)
        self.brings = per if self.side is Side.SELL else -per

    @property
    def within_centre(self) -> Decimal:
        """The most that does not go beyond the centre, or the size where that does already."""
        centred = self.position.floor(self.side, max(ZERO, self.centred))
        return max(self.size, min(self.most, centred))

    def move(self, cash: Decimal, *, limit: Decimal) -> Decimal:
        """Changes the size towards *limit* to bring *cash*, in whole steps; returns the rest."""
        wanted = cash / self.brings
        size = (
            min(limit, self.position.ceil(self.side, self.size + wanted))
            if wanted > ZERO
            else max(limit, self.position.floor(self.side, max(ZERO, self.size + wanted)))
        )
        brought = (size - self.size) * self.brings
        self.size = size
        return cash - brought


def fewest(portfolio: Portfolio, *, way: Decimal) -> Sizes:
    """Returns the trades, each *way* of the way from its edge to its centre where cash allows it,
    and the reasons for what they leave outside.
    """
    with localcontext(PLANNING):
        whole = worth = portfolio.whole
        cost = ZERO
        trades: dict[Asset, Decimal] = {}
        reasons: dict[Asset, LegReason] = {}
        if whole <= ZERO:
            return Sizes()
        forced: dict[Asset, Side] = {}
        last: dict[Asset, Decimal] = {}
        for _ in range(_ROUNDS):
            trades, reasons = _settled(portfolio, worth, way=way, forced=forced)
            cost = cost_of(portfolio.positions, trades)
            is_settled = (whole - cost - worth).copy_abs() <= whole * _SETTLED
            if is_settled or (last and trades == last):
                break
            last, worth = trades, whole - cost
        return Sizes(trades=trades, cost=cost, reasons=reasons)


def _settled(
    portfolio: Portfolio, worth: Decimal, *, way: Decimal, forced: dict[Asset, Side]
) -> tuple[dict[Asset, Decimal], dict[Asset, LegReason]]:
    """Tries again without the trades that cash could not pay, for which others may have joined."""
    dropped: set[Asset] = set()
    while True:
        attempt = _Round(portfolio, worth, way=way, forced=forced, dropped=dropped)
        trades = attempt.settle()
        if attempt.dropped == dropped:
            return trades, attempt.reasons
        dropped = attempt.dropped


class _Round:
    """One round: the costs, and so the *whole* that is left, are taken as known.

    What was outside in an earlier round is in *forced*, so that the rounds come to an end.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        whole: Decimal,
        *,
        way: Decimal,
        forced: dict[Asset, Side],
        dropped: set[Asset],
    ) -> None:
        self.portfolio, self.whole, self.way, self.forced = portfolio, whole, way, forced
        self.near = whole * ROUNDING
        self.dropped = set(dropped)
        self.reasons: dict[Asset, LegReason] = {}
        self.legs: list[_Leg] = []
        self.inside: list[tuple[Position, Edges]] = []
        self.cash = portfolio.cash_goal.at(whole)
        floor = min(whole, portfolio.floor)
        self.low, self.high = max(self.cash.low, floor), max(self.cash.high, floor)

    def settle(self) -> dict[Asset, Decimal]:
        for position in self.portfolio.positions:
            self._sort(position)
        was = self.portfolio.cash
        if not self.cash.low - self.near <= was <= self.cash.high + self.near:
            self.forced[USDT] = Side.SELL if was < self.cash.low else Side.BUY
        if not self.legs and USDT not in self.forced:
            return {}
        self._join()
        self._steer()
        cash = self._cash()
        if cash < self.low - self.near or cash > self.high + self.near:
            self._shrink(is_short=cash < self.low)
        return {
            leg.position.asset: leg.size if leg.side is Side.BUY else -leg.size
            for leg in self.legs
            if leg.size
        }

    def _cash(self) -> Decimal:
        return self.portfolio.cash + sum((leg.size * leg.brings for leg in self.legs), ZERO)

    def _sort(self, position: Position) -> None:
        """Outside: it must trade, or there is a reason. Inside: it may join."""
        edges, value, asset = position.goal.at(self.whole), position.value, position.asset
        above, below = value - edges.high, edges.low - value
        forced = self.forced.get(asset)
        if forced is Side.SELL or above > self.near:
            side, beyond, most = Side.SELL, above, value - edges.low
        elif forced is Side.BUY or below > self.near:
            side, beyond, most = Side.BUY, below, edges.high - value
        else:
            self.inside.append((position, edges))
            return
        self.forced[asset] = side
        if asset in self.dropped:
            self.reasons[asset] = LegReason.WOULD_PUSH_CASH
            return
        if (closed := position.closed(side)) is not None:
            self.reasons[asset] = closed
            return
        if side is Side.SELL and beyond > position.free:
            self.reasons[asset] = LegReason.NOT_ENOUGH_FREE
            size = position.floor(side, position.free)
            if size > ZERO and size >= position.least:
                self.legs.append(_Leg(position, side, size, size, size, beyond, size))
            return
        most = min(most, position.free) if side is Side.SELL else most
        self._add(position, side, beyond=beyond, most=most, edges=edges)

    def _add(
        self, position: Position, side: Side, *, beyond: Decimal, most: Decimal, edges: Edges
    ) -> None:
        needed = max(beyond, position.least)
        least, most = position.ceil(side, needed), position.floor(side, most)
        if least > most:
            reason = LegReason.UNDER_MINIMUM if needed > most else LegReason.STEP_TOO_COARSE
            self.reasons[position.asset] = reason
            return
        aim = edges.inside(
            is_above=side is Side.SELL,
            way=self.way,
            least=position.inset,
            beyond=max(ZERO, beyond),
        )
        wanted = position.value - aim if side is Side.SELL else aim - position.value
        size = position.floor(side, max(ZERO, wanted))
        size = min(most, max(least, size))
        centred = _to_centre(position, edges, side, most)
        self.legs.append(_Leg(position, side, least, most, size, beyond, centred))

    def _reach(self) -> tuple[Decimal, Decimal]:
        """The least and the most cash that sizes within the intervals leave."""
        low = high = self.portfolio.cash
        for leg in self.legs:
            ends = leg.least * leg.brings, leg.most * leg.brings
            low, high = low + min(ends), high + max(ends)
        return low, high

    def _join(self) -> None:
        """Adds tokens from inside, those with the most room first, until cash can be inside."""
        least, most = self._reach()
        if most < self.low:
            side = Side.SELL
        elif least > self.high:
            side = Side.BUY
        elif not self.legs:
            side = self.forced[USDT]
        else:
            return
        for leg in sorted(self._joinable(side), key=lambda leg: self._first(leg, leg.most)):
            self.legs.append(leg)
            least, most = self._reach()
            if most >= self.low if side is Side.SELL else least <= self.high:
                return

    def _joinable(self, side: Side) -> Sequence[_Leg]:
        found = []
        for position, edges in self.inside:
            value = position.value
            room = (
                min(value - edges.low, position.free) if side is Side.SELL else edges.high - value
            )
            least = position.ceil(side, position.least)
            most = position.floor(side, max(ZERO, room))
            if position.closed(side) is None and most > ZERO and most >= least:
                centred = _to_centre(position, edges, side, most)
                found.append(_Leg(position, side, least, most, least, ZERO, centred))
        return found

    def _steer(self) -> None:
        """Brings cash into its band: first less of what hurts, then more of what helps."""
        cash = self._cash()
        if cash < self.low:
            self._bring(self.low - cash, give=Side.BUY, take=Side.SELL, is_free=False)
        elif cash > self.high:
            self._bring(self.high - cash, give=Side.SELL, take=Side.BUY, is_free=False)
        # Cash that was outside goes further inside with what trades anyway, as its own way is.
        cash, side = self._cash(), self.forced.get(USDT)
        if side is None or not self.low - self.near <= cash <= self.high + self.near:
            return
        inset = max((position.inset for position in self.portfolio.positions), default=ZERO)
        aim = self.cash.inside(is_above=side is Side.BUY, way=self.way, least=inset)
        aim = min(self.high, max(self.low, aim))
        if side is Side.SELL and cash < aim:
            self._bring(aim - cash, give=Side.BUY, take=Side.SELL, is_free=True)
        elif side is Side.BUY and cash > aim:
            self._bring(aim - cash, give=Side.SELL, take=Side.BUY, is_free=True)

    def _bring(self, cash: Decimal, *, give: Side, take: Side, is_free: bool) -> None:
        """Moves *cash* in by trading less on one side, then more on the other. *is_free*: nothing
        must, so that no trade goes beyond its centre for it.
        """
        less = [] if is_free else [leg for leg in self.legs if leg.side is give]
        more = [leg for leg in self.legs if leg.side is take]
        line = [(leg, leg.least) for leg in sorted(less, key=self._down)]
        line += [
            (leg, leg.within_centre if is_free else leg.most) for leg in sorted(more, key=self._up)
        ]
        left = cash
        for leg, limit in line:
            if left.copy_abs() <= self.near or (left > ZERO) != (cash > ZERO):
                return
            left = leg.move(left, limit=limit)

    def _down(self, leg: _Leg) -> tuple[Decimal, Asset]:
        return self._first(leg, leg.size - leg.least)

    def _up(self, leg: _Leg) -> tuple[Decimal, Asset]:
        return self._first(leg, leg.most - leg.size)

    def _first(self, leg: _Leg, room: Decimal) -> tuple[Decimal, Asset]:
        """Sorts by *room*, the largest first; what differs by rounding alone goes by name."""
        return -(room / self.near).to_integral_value(), leg.position.asset

    def _shrink(self, *, is_short: bool) -> None:
        """Cash cannot be inside: the trades that push it out get what is left of it, the furthest
        outsiders first; a rest under the minimum is dropped.
        """
        side, edge = (Side.BUY, self.low) if is_short else (Side.SELL, self.high)
        pushing = [leg for leg in self.legs if leg.side is side]
        wanted = {leg.position.asset: leg.size for leg in pushing}
        for leg in pushing:
            leg.size = ZERO
        budget = max(ZERO, self._cash() - edge if is_short else edge - self._cash())
        for leg in sorted(pushing, key=lambda leg: self._first(leg, leg.beyond)):
            position, asset = leg.position, leg.position.asset
            per = cash_per(side, position.cost_rate)
            size = position.floor(side, min(wanted[asset], budget / per))
            if size < wanted[asset] and asset in self.forced:
                self.reasons[asset] = LegReason.WOULD_PUSH_CASH
            if size > ZERO and size >= position.least:
                leg.size, budget = size, budget - size * per
            elif asset in self.forced:
                self.dropped.add(asset)
        cash = self._cash()
        if cash < self.low - self.near or cash > self.high + self.near:
            self.reasons[USDT] = LegReason.NOT_REACHABLE


def _to_centre(position: Position, edges: Edges, side: Side, most: Decimal) -> Decimal:
    """Returns the size that leads to the centre (under zero: away from it); without one, *most*."""
    if edges.centre is None:
        return most
    beyond = position.value - edges.centre
    return beyond if side is Side.SELL else -beyond
