"""Realised and unrealised gains by lots: first in first out, or at average cost. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import Enum

from engine.domain.market.decimals import ZERO
from engine.domain.profit.returns import WIDE


class Method(Enum):
    """Which lot a sale takes from."""

    FIFO = "fifo"
    AVERAGE = "average"


@dataclass(frozen=True, slots=True)
class Entry:
    """Units that came in (or, below zero, were sold), and the USDT paid or received, fees included.
    Units that a fee took are not among those that came in.
    """

    units: Decimal
    quote: Decimal


@dataclass(frozen=True, slots=True)
class Gains:
    """*left* units cost *cost*. Of the *unknown* units sold the cost is not known: they have no
    gain, and brought *unknown_proceeds*.
    """

    realised: Decimal
    left: Decimal
    cost: Decimal
    unknown: Decimal
    unknown_proceeds: Decimal

    def unrealised(self, price: Decimal) -> Decimal:
        return self.left * price - self.cost


@dataclass(frozen=True, slots=True)
class Sale:
    """What was sold: *known* units cost *cost* and made *gain*; of the others the cost is not known."""

    known: Decimal
    cost: Decimal
    gain: Decimal
    unknown: Decimal
    unknown_proceeds: Decimal


class Lots:
    """What was bought of one token and not sold yet, by *method*."""

    def __init__(self, method: Method) -> None:
        self._method = method
        self._lots: deque[Entry] = deque()
        self._realised = self._unknown = self._unknown_proceeds = ZERO

    def buy(self, units: Decimal, paid: Decimal) -> None:
        with localcontext(WIDE):
            if self._method is Method.AVERAGE and self._lots:
                held = self._lots.pop()
                units, paid = held.units + units, held.quote + paid
            self._lots.append(Entry(units, paid))

    def sell(self, units: Decimal, proceeds: Decimal) -> Sale:
        with localcontext(WIDE):
            known, cost = self._take(units)
            of_known = proceeds if known == units else proceeds * known / units
            sale = Sale(known, cost, of_known - cost, units - known, proceeds - of_known)
            self._realised += sale.gain
            self._unknown += sale.unknown
            self._unknown_proceeds += sale.unknown_proceeds
        return sale

    def gains(self) -> Gains:
        with localcontext(WIDE):
            left = sum((lot.units for lot in self._lots), ZERO)
            cost = sum((lot.quote for lot in self._lots), ZERO)
        return Gains(self._realised, left, cost, self._unknown, self._unknown_proceeds)

    def _take(self, wanted: Decimal) -> tuple[Decimal, Decimal]:
        """Take up to *wanted* units from the oldest lots; returns how many, and what they cost."""
        taken = cost = ZERO
        while self._lots and taken < wanted:
            lot = self._lots.popleft()
            part = min(lot.units, wanted - taken)
            paid = lot.quote * part / lot.units if part < lot.units else lot.quote
            taken, cost = taken + part, cost + paid
            if part < lot.units:
                self._lots.appendleft(Entry(lot.units - part, lot.quote - paid))
        return taken, cost


def gains(entries: Sequence[Entry], *, method: Method) -> Gains:
    """Returns the gains of one token's *entries*, oldest first."""
    lots = Lots(method)
    for entry in entries:
        if entry.units >= ZERO:
            lots.buy(entry.units, entry.quote)
        else:
            lots.sell(-entry.units, entry.quote)
    return lots.gains()
