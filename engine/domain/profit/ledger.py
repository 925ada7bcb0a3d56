"""Retraces what an account held from its trades and the changes without an order. Pure.

Every stored reading is met exactly: what trades and known changes leave unexplained is a flow too,
found with the next reading. So the account is always opening + flows + trades.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import USDT, Asset, Side, base_of
from engine.domain.profit.entries import (
    CORRECTABLE,
    Change,
    Corrections,
    Doubt,
    Flow,
    FlowKey,
    FlowKind,
    Prices,
    Trade,
)

# Counted where an order's fills were not seen; the next reading corrects it.
USUAL_FEE_RATE = Decimal("0.0005")
# How far a fee that is not known may be from that.
_FEE_ROOM = Decimal("0.005")
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Held:
    """USDT and units of the traded token."""

    base_asset: Asset
    quote: Decimal
    base: Decimal


class Booked(NamedTuple):
    """A trade with its *fee* in USDT; *paid* of that did not come out of USDT or the token.
    *quote_change* and *base_change* are what it did to USDT and to the token.
    """

    trade: Trade
    fee: Decimal
    paid: Decimal
    quote_change: Decimal
    base_change: Decimal
    is_fee_known: bool

    @property
    def at(self) -> datetime:
        return self.trade.at

    @property
    def price(self) -> Decimal | None:
        return self.trade.price


Step = Flow | Booked


class Closing(NamedTuple):
    """After so many *steps* the pair was changed: *asset* was left at *price*."""

    steps: int
    asset: Asset
    price: Decimal


@dataclass(slots=True)
class Ledger:
    """*opening* was held before the first of *steps*."""

    opening: Held
    steps: list[Step] = field(default_factory=list)
    closings: list[Closing] = field(default_factory=list)
    doubts: set[Doubt] = field(default_factory=set)


def retrace(
    events: Sequence[Trade | Change],
    *,
    now: Held,
    at: datetime,
    prices: Prices,
    corrections: Corrections,
) -> Ledger:
    """Returns the ledger of *events*, oldest first; the account holds *now* in the end."""
    ledger = Ledger(_opening(events, now))
    walk = _Walk(ledger, prices, corrections)
    for event in events:
        if isinstance(event, Change):
            walk.moved(event)
        else:
            walk.traded(event)
    walk.switch(now.base_asset, at)
    walk.meet(at, quote=now.quote, base=now.base)
    walk.book()
    return ledger


def _opening(events: Iterable[Trade | Change], now: Held) -> Held:
    """What the first reading of each asset showed; what is held now where there is none."""
    quote: Decimal | None = None
    base: tuple[Asset, Decimal] | None = None
    for event in events:
        if isinstance(event, Trade):
            quote = event.quote_before if quote is None else quote
            base = base or (base_of(event.symbol), event.base_before)
        elif event.asset == USDT:
            quote = event.before if quote is None else quote
        else:
            base = base or (event.asset, event.before)
        if quote is not None and base is not None:
            break
    base = base or (now.base_asset, now.base)
    return Held(base[0], now.quote if quote is None else quote, base[1])


class _Walk:
    def __init__(self, ledger: Ledger, prices: Prices, corrections: Corrections) -> None:
        self._ledger = ledger
        self._prices = prices
        self._corrections = corrections
        self._said = {(key.kind, key.asset, key.since): key for key in corrections}
        self._read: dict[Asset, datetime] = {}
        self._asset = ledger.opening.base_asset
        self._quote = ledger.opening.quote
        self._base = ledger.opening.base
        self._seen: Decimal | None = None
        self._last: Booked | None = None
        self._joined = False

    def moved(self, change: Change) -> None:
        if change.asset == USDT:
            self.meet(change.at, quote=change.before)
        else:
            self.switch(change.asset, change.at)
            self._seen = change.price or self._seen
            self.meet(change.at, base=change.before)
        self._flow(
            change.at, change.asset, change.after - change.before, FlowKind.MOVED, change.price
        )

    def traded(self, trade: Trade) -> None:
        self.switch(base_of(trade.symbol), trade.at)
        self._seen = trade.price or trade.quote / trade.quantity
        self.meet(trade.at, quote=trade.quote_before, base=trade.base_before)
        self.book()
        self._last = booked(trade, self._prices)
        if not self._last.is_fee_known:
            self._ledger.doubts.add(Doubt.FEES_UNKNOWN)
        self._quote += self._last.quote_change
        self._base += self._last.base_change

    def book(self) -> None:
        """The last trade's fee is final with the next reading."""
        if self._last is not None:
            if self._last.paid:
                trade, paid = self._last.trade, self._last.paid
                self._ledger.steps.append(Flow(trade.at, USDT, paid, FlowKind.FEE, trade.price))
            self._ledger.steps.append(self._last)
            self._last = None

    def meet(
        self, at: datetime, *, quote: Decimal | None = None, base: Decimal | None = None
    ) -> None:
        """What a reading shows beyond what is known is a flow, or the fee that was not known."""
        if quote is not None:
            if found := quote - self._quote:
                found = self._as_fee(found)
                self._flow(at, USDT, found, FlowKind.UNEXPLAINED, None)
            self._read[USDT] = at
        if base is not None:
            if found := base - self._base:
                kind = FlowKind.PAIR if self._joined else FlowKind.UNEXPLAINED
                self._flow(at, self._asset, found, kind, None)
            self._read[self._asset] = at
        self._joined = self._joined and base is None

    def switch(self, asset: Asset, at: datetime) -> None:
        """The pair was changed: the token before is no longer the bot's business."""
        if asset == self._asset:
            return
        price = self._price(self._asset, at)
        self._flow(at, self._asset, -self._base, FlowKind.PAIR, None)
        self.book()
        steps = len(self._ledger.steps)
        self._ledger.closings.append(Closing(steps, self._asset, price or ZERO))
        self._asset, self._base, self._seen, self._joined = asset, ZERO, None, True

    def _flow(
        self,
        at: datetime,
        asset: Asset,
        units: Decimal,
        kind: FlowKind,
        price: Decimal | None,
    ) -> None:
        if not units:
            return
        self.book()
        known = price or self._price(self._asset, at)
        key = self._key(at, asset, units, kind, known) if kind in CORRECTABLE else None
        correction = None if key is None else self._corrections.get(key)
        flow = Flow(at, asset, units, kind, known, key, correction)
        if asset == USDT:
            self._quote += units
        else:
            self._base += units
        is_told = correction is not None or (flow.value is not None and abs(flow.value) < _CENT)
        if kind is FlowKind.UNEXPLAINED and not is_told:
            self._ledger.doubts.add(Doubt.UNEXPLAINED)
        self._ledger.steps.append(flow)

    def _key(
        self,
        at: datetime,
        asset: Asset,
        units: Decimal,
        kind: FlowKind,
        price: Decimal | None,
    ) -> FlowKey:
        """The name of a flow; of a corrected one that, though a cent of it was seen later."""
        key = FlowKey(kind, asset, self._read.get(asset, at), units)
        said = self._said.get((kind, asset, key.since))
        worth = ONE if asset == USDT else price
        if said is None or worth is None or abs(said.units - units) * worth > _CENT:
            return key
        return said

    def _price(self, asset: Asset, at: datetime) -> Decimal | None:
        known = self._prices.of(asset, at)
        return self._seen if known is None and asset == self._asset else known

    def _as_fee(self, found: Decimal) -> Decimal:
        """Corrects the last trade's fee by what was *found*, where that fee was not known."""
        last = self._last
        if last is None or last.trade.fees_complete:
            return found
        if abs(found) > last.trade.quote * _FEE_ROOM + _CENT or last.fee < found:
            return found
        self._last = last._replace(fee=last.fee - found, quote_change=last.quote_change + found)
        self._quote += found
        return ZERO


def booked(trade: Trade, prices: Prices) -> Booked:
    """Returns *trade* with its fees in USDT; what is not known of them counts at the usual rate."""
    base, sign = base_of(trade.symbol), 1 if trade.side is Side.BUY else -1
    in_quote = in_base = paid = ZERO
    is_known = trade.fees_complete
    for asset, amount in trade.fees.items():
        if asset == USDT:
            in_quote += amount
        elif asset == base:
            in_base += amount
        elif (price := prices.of(asset, trade.at)) is not None:
            paid += amount * price
        else:
            paid += trade.quote * USUAL_FEE_RATE
            is_known = False
    if not trade.fees_complete:
        in_quote = max(in_quote, trade.quote * USUAL_FEE_RATE)
    return Booked(
        trade,
        in_quote + paid + (in_base * trade.quote / trade.quantity if in_base else ZERO),
        paid,
        -sign * trade.quote - in_quote,
        sign * trade.quantity - in_base,
        is_known,
    )
