"""Retraces what an account held from its trades and the changes without an order. Pure.

Every stored reading is met exactly: what trades and known changes leave unexplained is a flow too,
found with the next reading. So the account is always opening + flows + trades.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import USDT, Asset, Symbol, base_of
from engine.domain.profit.entries import (
    BUY,
    CORRECTABLE,
    Change,
    Corrections,
    Doubt,
    Event,
    Flow,
    FlowKey,
    FlowKind,
    KnownPrice,
    PairChange,
    Prices,
    Trade,
)
from engine.domain.profit.steps import Booked, Closing, Held, OnUsual, Step, Turn, booked

# How far a fee that is not known may be from that.
_FEE_ROOM = Decimal("0.005")
_CENT = Decimal("0.01")
# A change of the pair that is taken back within this time never was.
_MISTAKE = timedelta(minutes=5)


@dataclass(slots=True)
class _Token:
    """A token that is traded, while the ledger's turn is another's."""

    base: Decimal
    seen: KnownPrice | None = None
    joined: bool = False


class Ledger:
    """Hands on each step of the events, which are given oldest first, as soon as it is final."""

    def __init__(
        self,
        opening: Held,
        prices: Prices,
        corrections: Corrections,
        on_step: Callable[[Step], None],
        on_usual: OnUsual,
    ) -> None:
        self.doubts: set[Doubt] = set()
        self._on_step = on_step
        self._on_usual = on_usual
        self._prices = prices
        self._corrections = corrections
        self._said = {(key.kind, key.asset, key.since): key for key in corrections}
        self._read: dict[Asset, datetime] = {}
        self._asset = opening.base_asset
        self._symbol: Symbol | None = None
        self._quote = opening.quote
        self._base = opening.base
        self._others = {asset: _Token(units) for asset, units in opening.others.items()}
        self._seen: KnownPrice | None = None
        self._last: Booked | None = None
        self._joined = False
        # A new token is traded, and what came since, until it is known how much of it there is.
        self._joining: tuple[PairChange, list[Event]] | None = None

    def take(self, events: Iterable[Event]) -> None:
        for event in events:
            if self._joining is None and isinstance(event, Trade):  # as nearly all
                self._traded(event)
            else:
                self._add(event)

    def _add(self, event: Event) -> None:
        if self._joining is not None:
            change, waiting = self._joining
            if isinstance(event, PairChange) and self._is_undone(change, waiting, by=event):
                self._joining = None
                return
            waiting.append(event)
            if (found := _base_read(event)) is not None:
                self._join(*found)
        elif isinstance(event, Trade):
            self._traded(event)
        elif isinstance(event, Change):
            self._moved(event)
        elif event.joined is not None:
            self._retarget(event.at, (event.asset, *event.others), event.joined)
        elif event.asset != self._asset:
            self._joining = event, []
        else:  # of the token before nothing was read
            self.doubts.add(Doubt.OTHER_PAIR)

    def end(self, now: Held, at: datetime) -> None:
        """The account holds *now* in the end."""
        if self._joining is not None:
            self._join(now.base_asset, now.base)
        if self._others or now.others:
            self._meet(at, quote=now.quote)
            self._retarget(at, tuple(now.tokens), now.tokens)
            for asset, units in now.tokens.items():
                self._turn(at, asset)
                self._meet(at, base=units)
        else:
            self._switch(now.base_asset, at)
            self._meet(at, quote=now.quote, base=now.base)
        self._book()

    def _join(self, asset: Asset, units: Decimal) -> None:
        """The first reading of the new token tells what was there since the pair was changed."""
        if self._joining is None:
            return
        (change, waiting), self._joining = self._joining, None
        self._switch(change.asset, change.at)
        if asset == change.asset:
            self._flow(change.at, asset, units, FlowKind.PAIR, None)
            self._joined = False
        else:
            self.doubts.add(Doubt.OTHER_PAIR)
        for event in waiting:
            self._add(event)

    def _is_undone(self, change: PairChange, waiting: Sequence[Event], *, by: PairChange) -> bool:
        is_back = by.asset == self._asset and by.joined is None
        return not waiting and is_back and by.at - change.at <= _MISTAKE

    def _moved(self, change: Change) -> None:
        if self._others and change.asset != USDT:
            if change.asset != self._asset and change.asset not in self._others:
                self._enter(change.at, change.asset, None)
            self._turn(change.at, change.asset)
        elif change.asset != USDT:
            self._switch(change.asset, change.at)
        if change.price is not None and (change.asset != USDT or not self._others):
            self._seen = change.at, change.price
        if change.asset == USDT:
            self._meet(change.at, quote=change.before)
        else:
            self._meet(change.at, base=change.before)
        self._flow(
            change.at, change.asset, change.after - change.before, FlowKind.MOVED, change.price
        )

    def _traded(self, trade: Trade) -> None:
        _, at, symbol, side, quantity, quote, price, fees, complete, quote_then, base_then = trade
        if symbol != self._symbol:
            if self._others and self._turn_for(trade):
                return
            self._switch(base_of(symbol), at)
            self._symbol = symbol
        self._seen = at, price or quote / quantity
        if quote_then != self._quote or base_then != self._base:
            self._meet(at, quote=quote_then, base=base_then)
        self._read[USDT] = self._read[self._asset] = at
        self._joined = False
        if self._last is not None:
            self._book()
        if price and complete and len(fees) == 1 and USDT in fees:  # as nearly all
            fee = fees[USDT]
            if side is BUY:
                self._quote -= quote + fee
                self._base += quantity
            else:
                self._quote += quote - fee
                self._base -= quantity
            self._on_usual(trade, fee, self._quote, self._base)
            return
        self._last = booked(trade, self._prices)
        if not self._last.is_fee_known:
            self.doubts.add(Doubt.FEES_UNKNOWN)
        self._quote += self._last.quote_change
        self._base += self._last.base_change

    def _turn_for(self, trade: Trade) -> bool:
        """Makes the trade's token the one that what follows is of. True if that was all of it: one
        that is not among those traded came and went with the trade.
        """
        at, asset, before = trade.at, base_of(trade.symbol), self._asset
        self._meet(at, quote=trade.quote_before)
        if asset == before or asset in self._others:
            self._turn(at, asset)
            return False
        self._enter(at, asset, trade.base_before, trade.price or trade.quote / trade.quantity)
        self._symbol = trade.symbol
        self._traded(trade)
        self._leave(at, before)
        return True

    def _turn(self, at: datetime, asset: Asset) -> None:
        if asset == self._asset:
            return
        self._book()
        self._park()
        self._resume(asset)
        self._on_step(Turn(at, asset))

    def _park(self) -> None:
        self._others[self._asset] = _Token(self._base, self._seen, self._joined)

    def _resume(self, asset: Asset) -> None:
        token = self._others.pop(asset)
        self._asset, self._symbol = asset, None
        self._base, self._seen, self._joined = token.base, token.seen, token.joined

    def _enter(
        self, at: datetime, asset: Asset, units: Decimal | None, price: Decimal | None = None
    ) -> None:
        """One more token is traded; of None *units* the next reading tells."""
        self._book()
        self._park()
        self._asset, self._base, self._seen, self._symbol = asset, ZERO, None, None
        self._joined = units is None
        self._on_step(Turn(at, asset))
        self._flow(at, asset, units or ZERO, FlowKind.PAIR, price)

    def _leave(self, at: datetime, following: Asset) -> None:
        """The token is no longer the bot's business."""
        price = self._price(at)
        self._flow(at, self._asset, -self._base, FlowKind.PAIR, None)
        self._book()
        self._on_step(Closing(at, price or ZERO, following))
        self._resume(following)

    def _retarget(
        self, at: datetime, wanted: Sequence[Asset], units: Mapping[Asset, Decimal]
    ) -> None:
        for asset in wanted:
            if asset != self._asset and asset not in self._others:
                self._enter(at, asset, units.get(asset))
        for asset in [one for one in (self._asset, *self._others) if one not in wanted]:
            self._turn(at, asset)
            self._leave(at, wanted[0])

    def _book(self) -> None:
        """The last trade's fee is final with the next reading."""
        if self._last is not None:
            trade, paid = self._last.trade, self._last.paid
            if paid:
                self._on_step(Flow(trade.at, USDT, paid, FlowKind.FEE, trade.price))
            self._on_step(self._last)
            self._last = None
            if self._others:
                self._spend(trade)

    def _spend(self, trade: Trade) -> None:
        """A fee in a coin that is traded itself was not paid from outside: that coin went."""
        for asset, amount in trade.fees.items():
            if asset in self._others:
                self._others[asset].base -= amount
                price = self._prices.of(asset, trade.at)
                self._on_step(Flow(trade.at, asset, -amount, FlowKind.FEE, price))

    def _meet(
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

    def _switch(self, asset: Asset, at: datetime) -> None:
        """The pair was changed: the token before is no longer the bot's business."""
        if asset == self._asset:
            return
        price = self._price(at)
        self._flow(at, self._asset, -self._base, FlowKind.PAIR, None)
        self._book()
        self._on_step(Closing(at, price or ZERO, asset))
        self._asset, self._base, self._seen, self._joined = asset, ZERO, None, True
        self._symbol = None

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
        self._book()
        if price is None and self._seen is not None and self._seen[0] == at:
            price = self._seen[1]
        known = price or self._price(at)
        key = self._key(at, asset, units, kind, known) if kind in CORRECTABLE else None
        correction = None if key is None else self._corrections.get(key)
        flow = Flow(at, asset, units, kind, price, key, correction)
        if asset == USDT:
            self._quote += units
        else:
            self._base += units
        worth = flow._replace(price=known).value
        is_told = correction is not None or (worth is not None and abs(worth) < _CENT)
        if kind is FlowKind.UNEXPLAINED and not is_told:
            self.doubts.add(Doubt.UNEXPLAINED)
        self._on_step(flow)

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

    def _price(self, at: datetime) -> Decimal | None:
        """The newest of what a candle, and what a trade or a flow showed."""
        newest = self._prices.line(self._asset).newest(at, self._seen)
        return newest and newest[1]

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


def _base_read(event: Event) -> tuple[Asset, Decimal] | None:
    """The token that *event* tells of, and how much of it there was."""
    if isinstance(event, Trade):
        return base_of(event.symbol), event.base_before
    if isinstance(event, PairChange):
        return event.asset, ZERO
    return None if event.asset == USDT else (event.asset, event.before)
