"""Profit of a span: what was made, what only holding had made, and what trading brought. Pure.

The parts are exact: start + flows + made is what is there now, and what trading brought is both the
account less what had only been held, and the sum over the trades.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

from engine.domain.market.candles import HOUR
from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import USDT, Asset
from engine.domain.profit.entries import (
    BUY,
    NO_CORRECTIONS,
    STALE_AFTER,
    Corrections,
    Doubt,
    Event,
    Flow,
    FlowKind,
    KnownPrice,
    Prices,
    Trade,
)
from engine.domain.profit.ledger import Booked, Closing, Held, Ledger, Opening, Step, booked
from engine.domain.profit.points import Points, ValuePoint
from engine.domain.profit.returns import WIDE, Index
from engine.domain.profit.worths import TradesOfSide, TradeWorth, Worths

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfitReport:
    """Amounts in USDT; *returned*, *held_returned* and *drawdown* are fractions, time-weighted.
    *deposits* is what came in less what went out; *fee_flows* paid fees from outside the account.
    *results* are what a person corrected to be part of *made*; the other *flows* are not.
    *held* is what only holding would come to, *held_made* what it had made; trading *brought* the
    difference, which is exactly the sum over the trades.

    *points* are as far as *apart* where no hour is missing. Of many *trades* some of each time are
    there, as a picture shows them; *bought* and *sold* count all. Of the *flows* those that paid
    fees are put together by the day, in UTC. *holdings* are what is held now: units and their price,
    USDT included.
    """

    since: datetime
    until: datetime
    start: Decimal
    now: Decimal
    deposits: Decimal
    fee_flows: Decimal
    made: Decimal
    held: Decimal
    held_made: Decimal
    brought: Decimal
    turnover: Decimal
    fees: Decimal
    slippage: Decimal
    returned: Decimal | None
    held_returned: Decimal | None
    drawdown: Decimal | None
    bought: int
    sold: int
    points: Sequence[ValuePoint]
    trades: Sequence[TradeWorth]
    flows: Sequence[Flow]
    results: Sequence[Flow]
    doubts: frozenset[Doubt]
    apart: timedelta = HOUR
    holdings: Mapping[Asset, tuple[Decimal, Decimal]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return self.bought + self.sold


def profit(
    events: Iterable[Event],
    *,
    now: Held,
    prices: Prices,
    since: datetime,
    until: datetime,
    corrections: Corrections = NO_CORRECTIONS,
) -> ProfitReport | None:
    """Returns the report of *events*, which are those from *since* on, oldest first. *now* is held
    at *until*. None where the token has no price at the end, or none before.
    """
    reckoning = Reckoning(
        now=now, prices=prices, since=since, until=until, corrections=corrections
    )
    reckoning.take(events)
    return reckoning.report()


class Reckoning:
    """The report of events that are taken some at a time, in their order: as `profit`."""

    def __init__(
        self,
        *,
        now: Held,
        prices: Prices,
        since: datetime,
        until: datetime,
        corrections: Corrections = NO_CORRECTIONS,
    ) -> None:
        self._now, self._prices, self._since, self._until = now, prices, since, until
        self._corrections = corrections
        self._opening = Opening()
        self._early: list[Event] = []
        self._opened: tuple[Ledger, _Books] | None = None

    def take(self, events: Iterable[Event]) -> None:
        with localcontext(WIDE):
            if self._opened is not None:
                self._opened[0].take(events)
                return
            for event in events:
                self._early.append(event)
                self._opening.read(event)
            if self._opening.is_known:
                self._opened = self._open()

    def report(self) -> ProfitReport | None:
        """Returns the report of all that was taken; once."""
        with localcontext(WIDE):
            ledger, books = self._opened or self._open()
            ledger.end(self._now, self._until)
            return books.report(ledger.doubts)

    def _open(self) -> tuple[Ledger, "_Books"]:
        opening = self._opening.held(self._now)
        books = _Books(opening, self._prices, since=self._since, until=self._until)
        ledger = Ledger(opening, self._prices, self._corrections, books.take, books.trade)
        ledger.take(self._early)
        self._early.clear()
        return ledger, books


class _Books:
    def __init__(self, opening: Held, prices: Prices, *, since: datetime, until: datetime) -> None:
        self.prices, self.since, self.until = prices, since, until
        self.quote = self.held_quote = opening.quote
        self.base = self.held_base = opening.base
        self.seen: KnownPrice | None = None
        self.ends: list[Decimal] = []
        self.points = Points(until - since)
        self.index, self.held_index = Index(), Index()
        self.flows: list[Flow] = []
        self.results: list[Flow] = []
        self.day_of_fees: int | None = None
        self.waiting: list[Flow] = []
        self.bought, self.sold = TradesOfSide(until - since), TradesOfSide(until - since)
        self.deposits = self.fee_flows = self.turnover = self.fees = self.slippage = ZERO
        self.doubts: set[Doubt] = set()
        self._follow(opening.base_asset, since)
        # What comes before a price is known waits for it.
        self.early: list[Step] | None = []
        self.first: ValuePoint | None = None
        if self.line.at(since) is not None:
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
            else:
                self._close(step)
            return
        self.early.append(step)
        is_closing = isinstance(step, Closing)
        if is_closing or step.price is not None or self.next_hour <= step.at:
            self._begin(None if is_closing or step.price is None else (step.at, step.price))

    def report(self, doubts: set[Doubt]) -> ProfitReport | None:
        if self.early is not None:
            self._begin()
        self._hours(self.until)
        last = self._mark(self.until)
        if self.first is None or last is None:
            return None
        flows = self.deposits + self.fee_flows
        start = self.first.value
        shown = sorted(self.bought.shown + self.sold.shown, key=lambda one: one[0].trade.at)
        return ProfitReport(
            since=self.since,
            until=self.until,
            start=start,
            now=last.value,
            deposits=self.deposits,
            fee_flows=self.fee_flows,
            made=last.value - start - flows,
            held=last.held,
            held_made=last.held - start - flows,
            brought=last.value - last.held,
            turnover=self.turnover,
            fees=self.fees,
            slippage=self.slippage,
            returned=self.index.returned,
            held_returned=self.held_index.returned,
            drawdown=self.index.drawdown,
            bought=self.bought.count,
            sold=self.sold.count,
            points=self.points.all(),
            trades=Worths(shown, [*self.ends, last.price]),
            flows=self.flows,
            results=self.results,
            doubts=frozenset(self.doubts | doubts),
            apart=self.points.apart,
            holdings={USDT: (self.quote, ONE), self.asset: (self.base, last.price)},
        )

    def _begin(self, seen: KnownPrice | None = None) -> None:
        """Where no price is as old as the span, the first one known after it: what the first step
        *seen* shows, or a candle.
        """
        if self.line.at(self.since) is None:
            known = [*zip(self.line.times[:1], self.line.closes[:1], strict=True)]
            known += [seen] if seen else []
            if known:
                at, price = min(known)
                self.seen = self.since, price
                self._doubt_price(at - self.since)
        self.first = self._mark(self.since)
        early, self.early = self.early or [], None
        for step in early:
            self.take(step)

    def _follow(self, asset: Asset, since: datetime) -> None:
        """The token that is traded after *since*."""
        self.asset = asset
        self.line = self.prices.line(asset)
        self.hour = bisect_right(self.line.times, since)
        self.next_hour = self._hour()

    def _hour(self) -> datetime:
        return self.line.times[self.hour] if self.hour < len(self.line.times) else _NEVER

    def _hours(self, before: datetime) -> None:
        """Adds a point for each hour *before* whose price is known."""
        while self.next_hour < before:
            self._point(self.next_hour, self.line.closes[self.hour])
            self.hour += 1
            self.next_hour = self._hour()

    def _price(self, at: datetime) -> Decimal | None:
        """The newest of what a candle, and what a trade or a flow showed."""
        newest = self.line.newest(at, self.seen)
        if newest is None:
            return None
        self._doubt_price(at - newest[0])
        return newest[1]

    def _doubt_price(self, age: timedelta) -> None:
        if age > STALE_AFTER and (self.base or self.held_base):
            self.doubts.add(Doubt.PRICE_OLD)

    def _mark(self, at: datetime) -> ValuePoint | None:
        """Adds a point; there is none where the token has no price."""
        price = self._price(at)
        if price is None:
            if self.base or self.held_base:
                return None
            price = ZERO
        return self._point(at, price)

    def _point(self, at: datetime, price: Decimal) -> ValuePoint:
        point = ValuePoint(
            at, price, self.quote, self.base, self.held_quote + self.held_base * price
        )
        self.points.add(point)
        flow = ZERO
        for waiting in self.waiting:
            flow += self._noted(waiting._replace(price=price))
        self.waiting.clear()
        self.index.add(point.value - flow, flow)
        self.held_index.add(point.held - flow, flow)
        return point

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
            trades.show(step or booked(trade, self.prices), len(self.ends))

    def _flow(self, flow: Flow) -> None:
        self._hours(flow.at)
        if flow.price is not None:
            self.seen = flow.at, flow.price
        price = self._price(flow.at)
        in_quote = flow.asset == USDT
        if price is None and (self.base or self.held_base or not in_quote):
            self.waiting.append(flow)
        else:
            worth = self._noted(flow if in_quote else flow._replace(price=price))
            value = self.quote + self.base * (price or ZERO)
            held = self.held_quote + self.held_base * (price or ZERO)
            if not flow.is_result:
                self.index.add(value, worth)
                self.held_index.add(held, worth)
        if in_quote:
            self.quote += flow.units
            self.held_quote += flow.units
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
        self.held_base = ZERO
        self.ends.append(closing.price)
        self.seen = None
        self._follow(closing.asset, closing.at)
