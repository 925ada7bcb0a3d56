"""Profit of a span: what was made, what only holding had made, and what trading brought. Pure.

The parts are exact: start + flows + made is what is there now, and what trading brought is both the
account less what had only been held, and the sum over the trades.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import NamedTuple, overload

from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.orders.order import ClientOrderId
from engine.domain.profit.entries import (
    NO_CORRECTIONS,
    STALE_AFTER,
    Change,
    Corrections,
    Doubt,
    Flow,
    FlowKind,
    PriceLine,
    Prices,
    Trade,
)
from engine.domain.profit.ledger import Booked, Held, Ledger, Step, retrace
from engine.domain.profit.returns import WIDE, Valuation, drawdown, index_of


class ValuePoint(NamedTuple):
    """What was there at a moment; *held* is the worth of the opening and the flows, never traded."""

    at: datetime
    price: Decimal
    quote: Decimal
    base: Decimal
    held: Decimal

    @property
    def value(self) -> Decimal:
        return self.quote + self.base * self.price

    @property
    def share(self) -> Decimal | None:
        """The USDT share of the value; None where there is none."""
        return self.quote / self.value if self.value else None


class TradeWorth(NamedTuple):
    """What one trade *brought* against not trading, by the price at the end. Its *fee* is in USDT;
    *slippage* is the USDT that its price was worse than the middle, None where that is not known.
    """

    client_order_id: ClientOrderId
    at: datetime
    side: Side
    quantity: Decimal
    quote: Decimal
    fee: Decimal
    slippage: Decimal | None
    brought: Decimal

    @property
    def price(self) -> Decimal:
        return self.quote / self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfitReport:
    """Amounts in USDT; *returned*, *held_returned* and *drawdown* are fractions, time-weighted.
    *deposits* is what came in less what went out; *fee_flows* paid fees from outside the account.
    *results* are what a person corrected to be part of *made*; the other *flows* are not.
    *held* is what only holding would come to, *held_made* what it had made; trading *brought* the
    difference, which is exactly the sum over the trades.
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
    points: Sequence[ValuePoint]
    trades: Sequence[TradeWorth]
    flows: Sequence[Flow]
    results: Sequence[Flow]
    doubts: frozenset[Doubt]


def profit(
    events: Sequence[Trade | Change],
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
    with localcontext(WIDE):
        ledger = retrace(events, now=now, at=until, prices=prices, corrections=corrections)
        return _Reckoning(ledger, now.base_asset, prices).report(since, until)


class _Reckoning:
    def __init__(self, ledger: Ledger, last_asset: Asset, prices: Prices) -> None:
        opening = ledger.opening
        self.ledger = ledger
        self.prices = prices
        self.assets = [*(closing.asset for closing in ledger.closings), last_asset]
        self.segment = 0
        self.quote = self.held_quote = opening.quote
        self.base = self.held_base = opening.base
        self.seen: tuple[datetime, Decimal] | None = None
        self.points: list[ValuePoint] = []
        self.values: list[Valuation] = []
        self.held_values: list[Valuation] = []
        self.flows: list[Flow] = []
        self.results: list[Flow] = []
        self.waiting: list[Flow] = []
        self.booked: list[tuple[Booked, int]] = []
        self.doubts = set(ledger.doubts)

    @property
    def line(self) -> PriceLine:
        return self.prices.line(self.assets[self.segment])

    def report(self, since: datetime, until: datetime) -> ProfitReport | None:
        self._first_price(since)
        if not self._mark(since):
            return None
        start = self.points[0].value
        hours = deque([*self._hours(since, until), until])
        for number, step in enumerate(self.ledger.steps):
            self._close_at(number)
            while len(hours) > 1 and hours[0] < step.at:
                self._mark(hours.popleft())
            self._take(step)
        self._close_at(len(self.ledger.steps))
        while len(hours) > 1:
            self._mark(hours.popleft())
        return self._summary(since, until, start) if self._mark(until) else None

    def _summary(self, since: datetime, until: datetime, start: Decimal) -> ProfitReport:
        last = self.points[-1]
        ends = [*(closing.price for closing in self.ledger.closings), last.price]
        index, held_index = index_of(self.values), index_of(self.held_values)
        flows = sum((flow.value or ZERO for flow in self.flows), ZERO)
        fee_flows = sum(
            (flow.value or ZERO for flow in self.flows if flow.kind is FlowKind.FEE), ZERO
        )
        return ProfitReport(
            since=since,
            until=until,
            start=start,
            now=last.value,
            deposits=flows - fee_flows,
            fee_flows=fee_flows,
            made=last.value - start - flows,
            held=last.held,
            held_made=last.held - start - flows,
            brought=last.value - last.held,
            turnover=sum((booked.trade.quote for booked, _ in self.booked), ZERO),
            fees=sum((booked.fee for booked, _ in self.booked), ZERO),
            slippage=sum((slippage_of(booked.trade) or ZERO for booked, _ in self.booked), ZERO),
            returned=index[-1] - 1 if index else None,
            held_returned=held_index[-1] - 1 if held_index else None,
            drawdown=drawdown(index) if index else None,
            points=self.points,
            trades=_Worths(self.booked, ends),
            flows=self.flows,
            results=self.results,
            doubts=frozenset(self.doubts),
        )

    def _hours(self, since: datetime, until: datetime) -> Sequence[datetime]:
        """The moments of all prices of the tokens that were traded."""
        times = {time for asset in self.assets for time in self.prices.line(asset).times}
        return sorted(time for time in times if since < time < until)

    def _first_price(self, since: datetime) -> None:
        """Where no price is as old as the span, the first one known after it."""
        if self.line.at(since) is not None:
            return
        known = [*zip(self.line.times[:1], self.line.closes[:1], strict=True)]
        for step in self.ledger.steps:
            if step.price is not None:
                known.append((step.at, step.price))
                break
        if known:
            at, price = min(known)
            self.seen = since, price
            self._doubt_price(at - since)

    def _price(self, at: datetime) -> Decimal | None:
        """The newest of what a candle, and what a trade or a flow showed."""
        candle = self.line.time(at)
        if self.seen is not None and (candle is None or candle < self.seen[0]):
            self._doubt_price(at - self.seen[0])
            return self.seen[1]
        if candle is not None:
            self._doubt_price(at - candle)
        return self.line.at(at)

    def _doubt_price(self, age: timedelta) -> None:
        if age > STALE_AFTER and (self.base or self.held_base):
            self.doubts.add(Doubt.PRICE_OLD)

    def _mark(self, at: datetime) -> bool:
        """Adds a point; there is none where the token has no price."""
        price = self._price(at)
        if price is None:
            if self.base or self.held_base:
                return False
            price = ZERO
        held = self.held_quote + self.held_base * price
        point = ValuePoint(at, price, self.quote, self.base, held)
        self.points.append(point)
        flow = ZERO
        for waiting in self.waiting:
            flow += self._noted(waiting._replace(price=price))
        self.waiting.clear()
        self.values.append(Valuation(point.value - flow, flow))
        self.held_values.append(Valuation(held - flow, flow))
        return True

    def _take(self, step: Step) -> None:
        if isinstance(step, Booked):
            self.quote += step.quote_change - step.paid
            self.base += step.base_change
            self.booked.append((step, self.segment))
        if step.price is not None:
            self.seen = step.at, step.price
        if isinstance(step, Flow):
            self._flow(step)

    def _flow(self, flow: Flow) -> None:
        price = self._price(flow.at)
        in_quote = flow.asset == USDT
        if price is None and (self.base or self.held_base or not in_quote):
            self.waiting.append(flow)
        else:
            worth = self._noted(flow if in_quote else flow._replace(price=price))
            value = self.quote + self.base * (price or ZERO)
            held = self.held_quote + self.held_base * (price or ZERO)
            if not flow.is_result:
                self.values.append(Valuation(value, worth))
                self.held_values.append(Valuation(held, worth))
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
        self.flows.append(flow)
        return flow.value or ZERO

    def _close_at(self, number: int) -> None:
        """Where the pair was changed, what only holding has more or less of the token becomes USDT."""
        closings = self.ledger.closings
        while self.segment < len(closings) and closings[self.segment].steps == number:
            self.held_quote += self.held_base * closings[self.segment].price
            self.held_base = ZERO
            self.segment += 1
            self.seen = None


class _Worths(Sequence[TradeWorth]):
    """What each trade brought, reckoned when it is asked for: there may be 100,000."""

    def __init__(self, booked: Sequence[tuple[Booked, int]], ends: Sequence[Decimal]) -> None:
        self._booked = booked
        self._ends = ends

    def __len__(self) -> int:
        return len(self._booked)

    @overload
    def __getitem__(self, index: int) -> TradeWorth: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[TradeWorth]: ...
    def __getitem__(self, index: int | slice) -> TradeWorth | Sequence[TradeWorth]:
        if isinstance(index, slice):
            return _Worths(self._booked[index], self._ends)
        booked, segment = self._booked[index]
        return worth_of(booked, price=self._ends[segment])


def slippage_of(trade: Trade) -> Decimal | None:
    """Returns the USDT that its price was worse than the middle; None where that is not known."""
    if trade.price is None:
        return None
    worse = trade.quote - trade.price * trade.quantity
    return worse if trade.side is Side.BUY else worse.copy_negate()


def worth_of(booked: Booked, *, price: Decimal) -> TradeWorth:
    """Returns what the trade brought against not trading, where the token costs *price* now."""
    trade = booked.trade
    with localcontext(WIDE):
        brought = booked.base_change * price + booked.quote_change - booked.paid
        slippage = slippage_of(trade)
    return TradeWorth(
        trade.client_order_id,
        trade.at,
        trade.side,
        trade.quantity,
        trade.quote,
        booked.fee,
        slippage,
        brought,
    )
