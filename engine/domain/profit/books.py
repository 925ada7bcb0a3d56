"""The worth of an account, and of what had only been held, over the steps of its ledger. Pure."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import USDT, Asset
from engine.domain.profit.entries import (
    BUY,
    STALE_AFTER,
    Doubt,
    Flow,
    FlowKind,
    KnownPrice,
    PriceLine,
    Prices,
    Trade,
)
from engine.domain.profit.points import Points, ValuePoint
from engine.domain.profit.returns import Index
from engine.domain.profit.steps import Booked, Closing, Held, Step, Turn, booked
from engine.domain.profit.worths import TradesOfSide

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Token:
    """A token that is traded, while the turn is another's; as the fields of `Books` are called."""

    line: PriceLine
    hour: int
    segment: int
    seen: KnownPrice | None
    base: Decimal
    held_base: Decimal

    @property
    def next_hour(self) -> datetime:
        return self.line.times[self.hour] if self.hour < len(self.line.times) else _NEVER

    @property
    def is_held(self) -> bool:
        return bool(self.base or self.held_base)

    def newest(self, at: datetime) -> KnownPrice | None:
        return self.line.newest(at, self.seen)


class Books:
    def __init__(self, opening: Held, prices: Prices, *, since: datetime, until: datetime) -> None:
        self.prices, self.since, self.until = prices, since, until
        self.quote = self.held_quote = opening.quote
        self.ends: list[Decimal] = []
        """The price of each token when it was left, or at the end, by the token's segment."""
        self.others: dict[Asset, _Token] = {}
        self.seen: KnownPrice | None
        self.points = Points(until - since)
        self.index, self.held_index = Index(), Index()
        self.flows: list[Flow] = []
        self.results: list[Flow] = []
        self.day_of_fees: int | None = None
        self.waiting: list[Flow] = []
        self.bought, self.sold = TradesOfSide(until - since), TradesOfSide(until - since)
        self.deposits = self.fee_flows = self.turnover = self.fees = self.slippage = ZERO
        self.doubts: set[Doubt] = set()
        for asset, units in opening.others.items():
            self._follow(asset, since)
            self.base = self.held_base = units
            self._park()
        self._follow(opening.base_asset, since)
        self.base = self.held_base = opening.base
        # What comes before prices are known waits for them; the first that steps show, by asset.
        self.early: list[Step] | None = []
        self.shown: dict[Asset, KnownPrice] = {}
        self.turn = self.asset
        self.first: ValuePoint | None = None
        self.last: ValuePoint | None = None
        if all(token.line.at(since) is not None for token in self._tokens().values()):
            self._begin()

    def take(self, step: Step) -> None:
        if self.early is None:
            if isinstance(step, Booked):
                self.trade(
                    step.trade,
                    step.fee,
                    self.quote + step.quote_change - step.paid,
                    self.base + step.base_change,
                    step,
                )
            elif isinstance(step, Flow):
                self._flow(step)
            elif isinstance(step, Closing):
                self._close(step)
            else:
                self._take_turn(step)
            return
        self.early.append(step)
        if isinstance(step, Turn):
            self.turn = step.asset
            return
        is_closing = isinstance(step, Closing)
        if not is_closing and step.price is not None:
            asset = step.asset if isinstance(step, Flow) and step.asset != USDT else self.turn
            self.shown.setdefault(asset, (step.at, step.price))
        elif not is_closing and step.at < self.next_hour:
            return
        if is_closing or all(
            token.line.times or asset in self.shown
            for asset, token in self._tokens().items()
            if token.is_held or not self.others
        ):
            self._begin()

    def end(self) -> None:
        """Finds the *last* point, and what each token is worth in the end."""
        if self.early is not None:
            self._begin()
        self._hours(self.until)
        self.last = self._mark(self.until)
        self.holdings = {USDT: (self.quote, ONE)}
        for asset, token in self._tokens().items():
            newest = token.newest(self.until)
            self.ends[token.segment] = newest[1] if newest else ZERO
            self.holdings[asset] = token.base, self.ends[token.segment]

    def _begin(self) -> None:
        """Where no price is as old as the span, the first one known after it: what the first steps
        showed, or a candle.
        """
        for asset, token in self._tokens().items():
            if token.line.at(self.since) is not None:
                continue
            known = [*zip(token.line.times[:1], token.line.closes[:1], strict=True)]
            known += [self.shown[asset]] if asset in self.shown else []
            if known:
                at, price = min(known)
                self._see(asset, (self.since, price))
                self._doubt_price(at - self.since, token)
        self.first = self._mark(self.since)
        early, self.early = self.early or [], None
        for step in early:
            self.take(step)

    def _tokens(self) -> Mapping[Asset, _Token]:
        """The tokens that are traded, the one whose turn it is first."""
        return {self.asset: self._token(), **self.others}

    def _token(self) -> _Token:
        return _Token(self.line, self.hour, self.segment, self.seen, self.base, self.held_base)

    def _park(self) -> None:
        self.others[self.asset] = self._token()

    def _resume(self, asset: Asset) -> None:
        token = self.others.pop(asset)
        self.asset, self.line, self.hour, self.segment = (
            asset,
            token.line,
            token.hour,
            token.segment,
        )
        self.seen, self.base, self.held_base = token.seen, token.base, token.held_base

    def _follow(self, asset: Asset, since: datetime) -> None:
        """A token that is traded after *since*."""
        self.asset, self.line = asset, self.prices.line(asset)
        self.hour = bisect_right(self.line.times, since)
        self.seen = None
        self.base = self.held_base = ZERO
        self.segment = len(self.ends)
        self.ends.append(ZERO)
        self.next_hour = self._hour()

    def _take_turn(self, turn: Turn) -> None:
        self._hours(turn.at)
        self._park()
        if turn.asset in self.others:
            self._resume(turn.asset)
        else:
            self._follow(turn.asset, turn.at)

    def _see(self, asset: Asset, price: KnownPrice) -> None:
        if asset in self.others:
            self.others[asset].seen = price
        else:
            self.seen = price

    def _hour(self) -> datetime:
        """The next one for which a token has a price."""
        hour = self.line.times[self.hour] if self.hour < len(self.line.times) else _NEVER
        return (
            min(hour, *(token.next_hour for token in self.others.values()))
            if self.others
            else hour
        )

    def _hours(self, before: datetime) -> None:
        """Adds a point for each hour *before* whose price is known."""
        while self.next_hour < before:
            if self.others:
                self._hour_of_several(self.next_hour)
            else:
                self._point(self.next_hour, self.line.closes[self.hour])
                self.hour += 1
            self.next_hour = self._hour()

    def _hour_of_several(self, at: datetime) -> None:
        """A thin token's price is of an earlier hour; of more than a day ago it makes no point."""
        if self._token().next_hour == at:
            self.hour += 1
        for token in self.others.values():
            if token.next_hour == at:
                token.hour += 1
        known = [token.newest(at) for token in self._tokens().values() if token.is_held]
        if all(price is not None and at - price[0] <= STALE_AFTER for price in known):
            self._mark(at)

    def _price(self, at: datetime) -> Decimal | None:
        """The newest of what a candle, and what a trade or a flow showed."""
        newest = self.line.newest(at, self.seen)
        if newest is None:
            return None
        if at - newest[0] > STALE_AFTER:
            self._doubt_price(at - newest[0], self._token())
        return newest[1]

    def _doubt_price(self, age: timedelta, token: _Token) -> None:
        if age > STALE_AFTER and token.is_held:
            self.doubts.add(Doubt.PRICE_OLD)

    def _beside(self, at: datetime) -> tuple[Decimal, Decimal] | None:
        """Returns the worth of the tokens whose turn it is not, and of what had only been held of
        them; None where one has no price.
        """
        worth = held = ZERO
        for token in self.others.values():
            if not token.is_held:
                continue
            newest = token.newest(at)
            if newest is None:
                return None
            self._doubt_price(at - newest[0], token)
            worth += token.base * newest[1]
            held += token.held_base * newest[1]
        return worth, held

    def _mark(self, at: datetime) -> ValuePoint | None:
        """Adds a point; there is none where a token has no price."""
        price = self._price(at)
        if price is None:
            if self.base or self.held_base:
                return None
            price = ZERO
        return self._point(at, price)

    def _point(self, at: datetime, price: Decimal) -> ValuePoint | None:
        point = ValuePoint(
            at, price, self.quote, self.base, self.held_quote + self.held_base * price
        )
        if self.others:
            if (beside := self._beside(at)) is None:
                return None
            worth = self.base * price + beside[0]
            point = ValuePoint(at, ONE, self.quote, worth, point.held + beside[1])
        self.points.add(point)
        flow = ZERO
        for waiting in self.waiting:
            flow += self._noted(waiting._replace(price=self._worth_of(waiting.asset, at, price)))
        self.waiting.clear()
        self.index.add(point.value - flow, flow)
        self.held_index.add(point.held - flow, flow)
        return point

    def _worth_of(self, asset: Asset, at: datetime, price: Decimal | None) -> Decimal | None:
        """Returns the price of *asset*, where *price* is that of the token whose turn it is."""
        if (token := self.others.get(asset)) is not None:
            newest = token.newest(at)
            return newest and newest[1]
        return price if asset in {USDT, self.asset} else None

    def trade(
        self,
        trade: Trade,
        fee: Decimal,
        quote_after: Decimal,
        base_after: Decimal,
        step: Booked | None = None,
    ) -> None:
        """Takes a trade, as OnUsual. What it is booked as is its *step*; without, it is made where
        it is shown.
        """
        if self.early is not None:
            self.take(booked(trade, self.prices))
            return
        _, at, _, side, quantity, quote, price, _, _, _, _ = trade
        if self.next_hour < at:
            self._hours(at)
        self.quote, self.base = quote_after, base_after
        self.turnover += quote
        self.fees += fee
        worse = ZERO
        if price is not None:
            self.seen = at, price
            worse = quote - price * quantity
        if side is BUY:
            self.slippage += worse
            trades = self.bought
        else:
            self.slippage -= worse
            trades = self.sold
        trades.count += 1
        if at >= trades.next:
            trades.show(step or booked(trade, self.prices), self.segment)

    def _flow(self, flow: Flow) -> None:
        self._hours(flow.at)
        if flow.price is not None:
            self._see(flow.asset, (flow.at, flow.price))
        price, beside = self._price(flow.at), self._beside(flow.at)
        own, in_quote = self._worth_of(flow.asset, flow.at, price), flow.asset == USDT
        is_priced = price is not None or not (self.base or self.held_base)
        if beside is None or not is_priced or (own is None and not in_quote):
            self.waiting.append(flow)
        else:
            worth = self._noted(flow if in_quote else flow._replace(price=own))
            value = self.quote + self.base * (price or ZERO) + beside[0]
            held = self.held_quote + self.held_base * (price or ZERO) + beside[1]
            if not flow.is_result:
                self.index.add(value, worth)
                self.held_index.add(held, worth)
        if in_quote:
            self.quote += flow.units
            self.held_quote += flow.units
        elif (token := self.others.get(flow.asset)) is not None:
            token.base += flow.units
            token.held_base += flow.units
        else:
            self.base += flow.units
            self.held_base += flow.units

    def _noted(self, flow: Flow) -> Decimal:
        """Returns what *flow* brought in; a result is none."""
        if flow.is_result:
            self.results.append(flow)
            return ZERO
        value = flow.value or ZERO
        if flow.kind is not FlowKind.FEE:
            self.deposits += value
            self.flows.append(flow)
            return value
        self.fee_flows += value
        if flow.asset != USDT:
            self.flows.append(flow)
            return value
        last, day = self.day_of_fees, flow.at.date()
        if last is not None and self.flows[last].at.date() == day:
            flow = self.flows[last]._replace(units=self.flows[last].units + flow.units)
            self.flows[last] = flow
        else:
            self.day_of_fees = len(self.flows)
            self.flows.append(flow)
        return value

    def _close(self, closing: Closing) -> None:
        """What only holding has more or less of the token becomes USDT."""
        self._hours(closing.at)
        if self.waiting:  # there never was a price, and the next token's is none of this one
            self.doubts.add(Doubt.PRICE_OLD)
            self._point(closing.at, closing.price)
        self.held_quote += self.held_base * closing.price
        self.ends[self.segment] = closing.price
        if closing.asset in self.others:
            self._resume(closing.asset)
            self.next_hour = self._hour()
        else:
            self._follow(closing.asset, closing.at)
