"""What the ledger of value is made of: trades, flows, and prices. Pure."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from engine.domain.accounts.flows import Correction
from engine.domain.market.decimals import ONE
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.orders.order import ClientOrderId

# A token without a price for so long is shown at its last one, and the report says so.
STALE_AFTER = timedelta(days=1)
# Looked up once: in the enumeration it takes as long as three sums of amounts.
BUY = Side.BUY
KnownPrice = tuple[datetime, Decimal]
"""A price, and since when it is known."""


class Trade(NamedTuple):
    """One order with fills. *price* is the middle of the book when it was planned, *fees* are by
    asset; the amounts before it are what the account held in all.
    """

    client_order_id: ClientOrderId
    at: datetime
    symbol: Symbol
    side: Side
    quantity: Decimal
    quote: Decimal
    price: Decimal | None
    fees: Mapping[Asset, Decimal]
    fees_complete: bool
    quote_before: Decimal
    base_before: Decimal


class Change(NamedTuple):
    """*asset* went from *before* to *after* without an order of ours.
    *price* is the traded token's in USDT at that moment, if it was known.
    """

    at: datetime
    asset: Asset
    before: Decimal
    after: Decimal
    price: Decimal | None


class PairChange(NamedTuple):
    """From *at* on *asset* is the traded token, and *others* beside it. *joined* is what there was
    of those that were not traded before; None where the next reading tells.
    """

    at: datetime
    asset: Asset
    others: tuple[Asset, ...] = ()
    joined: Mapping[Asset, Decimal] | None = None


Event = Trade | Change | PairChange


class FlowKind(Enum):
    """*MOVED* was seen to come or go, *FEE* came from outside and was spent at once,
    *UNEXPLAINED* is what the next reading showed, *PAIR* belongs to a change of the pair.
    """

    MOVED = "moved"
    FEE = "fee"
    UNEXPLAINED = "unexplained"
    PAIR = "pair"


CORRECTABLE = frozenset({FlowKind.MOVED, FlowKind.UNEXPLAINED})


@dataclass(frozen=True, slots=True)
class FlowKey:
    """Names a flow in every report, whatever came later. What is not explained came or went after
    *since*, when the asset was last read; what moved was seen then. More than a cent off, it is another flow.
    """

    kind: FlowKind
    asset: Asset
    since: datetime
    units: Decimal


Corrections = Mapping[FlowKey, Correction]
NO_CORRECTIONS: Corrections = {}


class Flow(NamedTuple):
    """Units that no trade of ours explains, above zero where they came in. *price* is the traded
    token's at the time, *value* the flow's in USDT; None where there was no price. One that a person
    corrected to a result counts as made, also by who had only held.
    """

    at: datetime
    asset: Asset
    units: Decimal
    kind: FlowKind
    price: Decimal | None
    key: FlowKey | None = None
    correction: Correction | None = None

    @property
    def is_result(self) -> bool:
        return self.correction is Correction.RESULT

    @property
    def value(self) -> Decimal | None:
        if self.asset == USDT:
            return self.units
        return None if self.price is None else self.units * self.price


class Doubt(Enum):
    """Why a figure of a report is "about" what it says."""

    FEES_UNKNOWN = "fees_unknown"
    PRICE_OLD = "price_old"
    UNEXPLAINED = "unexplained"
    OTHER_PAIR = "other_pair"
    ORDER_UNCLEAR = "order_unclear"


@dataclass(frozen=True, slots=True)
class PriceLine:
    """A token's prices in USDT, oldest first; each holds until the next one."""

    times: Sequence[datetime]
    closes: Sequence[Decimal]

    def at(self, moment: datetime) -> Decimal | None:
        """Returns the last price that was known then."""
        index = bisect_right(self.times, moment)
        return self.closes[index - 1] if index else None

    def time(self, moment: datetime) -> datetime | None:
        """Returns since when that price was known."""
        index = bisect_right(self.times, moment)
        return self.times[index - 1] if index else None

    def newest(self, moment: datetime, seen: KnownPrice | None) -> KnownPrice | None:
        """Returns the newer of the last price that was known then and of what was *seen*."""
        index = bisect_right(self.times, moment)
        if seen is not None and (not index or self.times[index - 1] < seen[0]):
            return seen
        return (self.times[index - 1], self.closes[index - 1]) if index else None


NO_PRICES = PriceLine((), ())


@dataclass(frozen=True, slots=True)
class Prices:
    lines: Mapping[Asset, PriceLine]

    def of(self, asset: Asset, moment: datetime) -> Decimal | None:
        return ONE if asset == USDT else self.line(asset).at(moment)

    def line(self, asset: Asset) -> PriceLine:
        return self.lines.get(asset, NO_PRICES)
