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


def gains(entries: Sequence[Entry], *, method: Method) -> Gains:
    """Returns the gains of one token's *entries*, oldest first."""
    lots: deque[Entry] = deque()
    realised = unknown = unknown_proceeds = ZERO
    with localcontext(WIDE):
        for entry in entries:
            if entry.units >= ZERO:
                _add(lots, entry, method)
                continue
            sold = -entry.units
            known, cost = _take(lots, sold)
            realised += entry.quote * known / sold - cost
            unknown += sold - known
            unknown_proceeds += entry.quote * (sold - known) / sold
        left = sum((lot.units for lot in lots), ZERO)
        cost = sum((lot.quote for lot in lots), ZERO)
    return Gains(realised, left, cost, unknown, unknown_proceeds)


def _add(lots: deque[Entry], entry: Entry, method: Method) -> None:
    if method is Method.AVERAGE and lots:
        held = lots.pop()
        entry = Entry(held.units + entry.units, held.quote + entry.quote)
    lots.append(entry)


def _take(lots: deque[Entry], wanted: Decimal) -> tuple[Decimal, Decimal]:
    """Take up to *wanted* units from the oldest lots; returns how many, and what they cost."""
    taken = cost = ZERO
    while lots and taken < wanted:
        lot = lots.popleft()
        part = min(lot.units, wanted - taken)
        paid = lot.quote * part / lot.units if lot.units else lot.quote
        taken, cost = taken + part, cost + paid
        if part < lot.units:
            lots.appendleft(Entry(lot.units - part, lot.quote - paid))
    return taken, cost
