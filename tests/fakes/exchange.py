"""An exchange in memory that remembers everything and goes wrong on request.

    exchange = FakeExchange(clock, usdt="57.10")
    exchange.go_wrong("place", OutcomeUnknown("timeout"), executes=True)

Every call of the port has a name: holdings, place, try_order, order, cancel, open_orders,
order_in_history, fees, resync, rules, book, last_price, quotes, hourly_closes.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from engine.clock import Clock
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.candles import HOUR, MOST_HOURS, HourlyClose
from engine.domain.market.decimals import ZERO
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import (
    USDT,
    Asset,
    OrderType,
    PairRules,
    Side,
    Symbol,
    base_of,
)
from engine.domain.market.quotes import Quote, Quotes
from engine.domain.orders.order import ClientOrderId, Execution, Fees
from engine.errors import OrderNotFound
from engine.exchanges.interface import Market, OpenOrder, OrderReport, OrderRequest
from tests import builders

ONE = Decimal(1)
_FEE_RATE = Decimal("0.0005")
_PLENTY = 10_000_000
_SPREAD = Decimal("0.000001")

Meanwhile = Callable[[], Awaitable[None]]
OnStep = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Accident:
    error: BaseException
    executes: bool


async def _uneventful(_: str) -> None:
    """The step passes without anything happening."""


class _Stage:
    """What a call goes through: it is counted, something may happen meanwhile, it may go wrong.

    *on_step* hears of every call before it takes effect and once more when it is answered.
    """

    def __init__(self, on_step: OnStep) -> None:
        self._accidents: defaultdict[str, deque[_Accident]] = defaultdict(deque)
        self._meanwhile: defaultdict[str, deque[Meanwhile]] = defaultdict(deque)
        self.on_step = on_step
        self.calls: Counter[str] = Counter()

    async def enter(self, call: str) -> _Accident | None:
        self.calls[call] += 1
        await self.on_step(f"{call} asked")
        if self._meanwhile[call]:
            await self._meanwhile[call].popleft()()
        return self._accidents[call].popleft() if self._accidents[call] else None

    async def pass_through(self, call: str) -> None:
        accident = await self.enter(call)
        if accident is not None:
            raise accident.error
        await self.on_step(f"{call} answered")

    def go_wrong(self, call: str, error: BaseException, *, executes: bool, times: int) -> None:
        self._accidents[call].extend([_Accident(error, executes)] * times)

    def forget_accidents(self, call: str) -> None:
        self._accidents[call].clear()

    def meanwhile(self, call: str, happens: Meanwhile) -> None:
        self._meanwhile[call].append(happens)


class FakeMarket:
    """Satisfies `Market`: everything can be had at *price*, up to what *bids* and *asks* say.
    *others* are quotes of further tokens, in any amount; *rules_of* are those of their pairs that
    have rules of their own. *odd_price* is shown by the next quotes alone.
    """

    def __init__(self, clock: Clock, stage: _Stage) -> None:
        self._clock = clock
        self._stage = stage
        self.price = Decimal("0.002")
        self.closes: dict[datetime, Decimal] = {}
        self.fails_fresh: Exception | None = None
        self.pair_rules = builders.rules()
        self.bids: builders.Levels | None = None
        self.asks: builders.Levels | None = None
        self.others: dict[Asset, Quote] = {}
        self.odd_price: Decimal | None = None
        self.rules_of: dict[Asset, PairRules] = {}

    async def rules(self, symbol: Symbol) -> PairRules:
        await self._stage.pass_through("rules")
        base = base_of(symbol)
        if base in self.others:
            usual = builders.rules(base=base, quantity_step="0.0001", price_step="0.0001")
            return replace(self.rules_of.get(base, usual), symbol=symbol)
        return replace(self.pair_rules, symbol=symbol)

    async def book(self, symbol: Symbol, *, fresh: bool = False) -> OrderBook:
        if fresh:  # a reading beside others: no step of its own
            self._stage.calls["fresh book"] += 1
            if self.fails_fresh is not None:
                raise self.fails_fresh
        else:
            await self._stage.pass_through("book")
        return self._book(symbol)

    def price_of(self, symbol: Symbol, side: Side) -> Decimal:
        """What an order trades at."""
        quote = self.others.get(base_of(symbol))
        if quote is None:
            return self.price
        return quote.ask if side is Side.BUY else quote.bid

    def _book(self, symbol: Symbol) -> OrderBook:
        if (quote := self.others.get(base_of(symbol))) is not None:
            return builders.book(
                bids=[(quote.bid, _PLENTY)],
                asks=[(quote.ask, _PLENTY)],
                symbol=symbol,
                read_at=self._clock.now(),
            )
        bids, asks = [(self.price, _PLENTY)], [(self.price + _SPREAD, _PLENTY)]
        return builders.book(
            bids=bids if self.bids is None else self.bids,
            asks=asks if self.asks is None else self.asks,
            symbol=symbol,
            read_at=self._clock.now(),
        )

    async def last_price(self, symbol: Symbol) -> Decimal:
        await self._stage.pass_through("last_price")
        return self.price

    async def quotes(self, assets: Collection[Asset], *, listed_only: bool = False) -> Quotes:
        await self._stage.pass_through("quotes")
        odd, self.odd_price = self.odd_price, None
        mntl = (
            Quote.of(self._book(builders.MNTLUSDT)) if odd is None else Quote(odd, odd + _SPREAD)
        )
        known = self.others | ({} if mntl is None else {builders.MNTL: mntl})
        listed = {asset: known[asset] for asset in assets if asset in known}
        return Quotes(listed, read_at=self._clock.now())

    async def hourly_closes(
        self, symbol: Symbol, *, since: datetime, until: datetime
    ) -> Sequence[HourlyClose]:
        await self._stage.pass_through("hourly_closes")
        until = min(until, since + MOST_HOURS * HOUR)
        ends = [since + (n + 1) * HOUR for n in range((until - since) // HOUR)]
        if (quote := self.others.get(base_of(symbol))) is not None:
            return [HourlyClose(end, quote.mid) for end in ends]
        return [HourlyClose(end, self.closes.get(end, self.price)) for end in ends]


class FakeExchange:
    """Satisfies `Exchange` for one account. *others* are what it holds of further tokens.

    *fills* is the share of an order that is executed; one that may rest does, until `fill` or
    `cancel`. *hidden_lookups* more look-ups do not find
    a new order, *ioc_rests* lets an IOC rest too, *hidden_in_history* more do not find it in the history, *open_lookups* find it
    still open, *stale_reads* more reads after a fill show the balances of before. Fees are said to be
    in *fee_coin*.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        usdt: builders.Amount = 40,
        mntl: builders.Amount = 100_000,
        on_step: OnStep = _uneventful,
    ) -> None:
        self._clock = clock
        self._stage = _Stage(on_step)
        self._before: dict[Asset, Decimal] | None = None
        self.paper_market = FakeMarket(clock, self._stage)
        self.usdt = Decimal(usdt)
        self.mntl = Decimal(mntl)
        self.others: dict[Asset, Decimal] = {}
        self.offset = timedelta()
        self.fills = ONE
        self.hidden_lookups = 0
        self.hidden_in_history = 0
        self.open_lookups = 0
        self.odd_status = ""
        self.stale_reads = 0
        self.late_fills = 0
        self.fee_coin = USDT
        self.ioc_rests = False
        self.tickets: list[OrderRequest] = []
        self.ledger: dict[ClientOrderId, OrderReport] = {}
        self.resting: dict[ClientOrderId, OrderRequest] = {}

    @property
    def market(self) -> Market:
        return self.paper_market

    @property
    def calls(self) -> Counter[str]:
        return self._stage.calls

    @property
    def posts(self) -> Counter[ClientOrderId]:
        """How often each client order id was sent."""
        return Counter(ticket.client_order_id for ticket in self.tickets)

    def go_wrong(
        self, call: str, error: BaseException, *, executes: bool = False, times: int = 1
    ) -> None:
        """The next *times* calls of that name raise *error*; an order that *executes* is real."""
        self._stage.go_wrong(call, error, executes=executes, times=times)

    def forget_accidents(self, call: str) -> None:
        self._stage.forget_accidents(call)

    def hear_steps(self, on_step: OnStep = _uneventful) -> None:
        self._stage.on_step = on_step

    def meanwhile(self, call: str, happens: Meanwhile) -> None:
        """*happens* while the next call of that name is under way, before it takes effect."""
        self._stage.meanwhile(call, happens)

    def time(self) -> datetime:
        return self._clock.steady() + self.offset

    async def holdings(self) -> Holdings:
        read_at = self._clock.now()
        await self._stage.pass_through("holdings")
        amounts = self._amounts()
        if self._before is not None and self.stale_reads > 0:
            self.stale_reads -= 1
            amounts = self._before
        held = {asset: Balance(free=amount) for asset, amount in amounts.items()}
        for ticket in self.resting.values():
            asset, locked = self._locked(ticket)
            held[asset] = Balance(held[asset].free - locked, held[asset].locked + locked)
        return Holdings(held, read_at=read_at)

    async def place(self, ticket: OrderRequest) -> str:
        self.tickets.append(ticket)
        accident = await self._stage.enter("place")
        if accident is not None and not accident.executes:
            raise accident.error
        rests = ticket.order_type.may_rest
        if self.ioc_rests and ticket.order_type is OrderType.IOC:
            rests = True
        order_id = self._rest(ticket) if rests else self._execute(ticket)
        if accident is not None:
            raise accident.error
        await self._stage.on_step("place answered")
        return order_id

    async def try_order(self, ticket: OrderRequest) -> None:
        await self._stage.pass_through("try_order")

    async def cancel(self, symbol: Symbol, client_order_id: ClientOrderId) -> None:
        accident = await self._stage.enter("cancel")
        if accident is not None and not accident.executes:
            raise accident.error
        rested = self.resting.pop(client_order_id, None)
        if rested is not None:
            report = self.ledger[client_order_id]
            self.ledger[client_order_id] = replace(report, is_final=True)
        if accident is not None:
            raise accident.error
        if rested is None:
            raise OrderNotFound("-2011: Unknown order sent.")
        await self._stage.on_step("cancel answered")

    async def open_orders(self, symbol: Symbol) -> Sequence[OpenOrder]:
        await self._stage.pass_through("open_orders")
        return [
            OpenOrder(
                exchange_order_id=self.ledger[name].exchange_order_id,
                client_order_id=name,
                side=ticket.side,
                price=ticket.price or ONE,
                base_quantity=ticket.base_quantity or ONE,
                executed=self.ledger[name].execution.base_quantity,
            )
            for name, ticket in self.resting.items()
            if ticket.symbol == symbol
        ]

    async def order(self, symbol: Symbol, client_order_id: ClientOrderId) -> OrderReport:
        await self._stage.pass_through("order")
        report = self.ledger.get(client_order_id)
        if report is None or self.hidden_lookups > 0:
            self.hidden_lookups -= report is not None
            raise OrderNotFound("-2013: Order does not exist.")
        return self._as_seen_now(report)

    async def order_in_history(
        self, symbol: Symbol, client_order_id: ClientOrderId, *, sent_at: datetime
    ) -> OrderReport:
        await self._stage.pass_through("order_in_history")
        report = self.ledger.get(client_order_id)
        if report is None or self.hidden_in_history > 0:
            self.hidden_in_history -= report is not None
            raise OrderNotFound("not in the history")
        return self._as_seen_now(report)

    async def fees(
        self, symbol: Symbol, exchange_order_id: str, *, executed: Decimal, sent_at: datetime
    ) -> Fees:
        await self._stage.pass_through("fees")
        [report] = [r for r in self.ledger.values() if r.exchange_order_id == exchange_order_id]
        fee = report.execution.quote_amount * _FEE_RATE
        if self.late_fills <= 0:
            return Fees({self.fee_coin: fee})
        self.late_fills -= 1
        return Fees({USDT: fee / 2}, complete=False)

    async def resync(self) -> None:
        await self._stage.pass_through("resync")
        self.offset = timedelta()

    def arrive_late(self) -> None:
        """The last order, whose answer was lost, was still under way and is executed now."""
        self._execute(self.tickets[-1])

    def fill(self, client_order_id: ClientOrderId, quantity: builders.Amount) -> None:
        """*quantity* of an order that rests is traded at its price, as a maker, without a fee."""
        ticket, report = self.resting[client_order_id], self.ledger[client_order_id]
        base, price = Decimal(quantity), ticket.price or ONE
        sign = 1 if ticket.side is Side.BUY else -1
        self.usdt -= sign * base * price
        self.mntl += sign * base
        done = report.execution
        execution = Execution(done.base_quantity + base, done.quote_amount + base * price)
        is_whole = execution.base_quantity == ticket.base_quantity
        self.ledger[client_order_id] = replace(
            report, execution=execution, is_final=is_whole, complete=is_whole
        )
        if is_whole:
            del self.resting[client_order_id]

    def _amounts(self) -> dict[Asset, Decimal]:
        return {USDT: self.usdt, builders.MNTL: self.mntl, **self.others}

    def _locked(self, ticket: OrderRequest) -> tuple[Asset, Decimal]:
        executed = self.ledger[ticket.client_order_id].execution.base_quantity
        left = (ticket.base_quantity or ONE) - executed
        if ticket.side is Side.SELL:
            return Asset("MNTL"), left
        return USDT, left * (ticket.price or ONE)

    def _rest(self, ticket: OrderRequest) -> str:
        self.resting[ticket.client_order_id] = ticket
        report = OrderReport(
            f"E{len(self.ledger) + 1}", Execution(ZERO, ZERO), is_final=False, complete=False
        )
        self.ledger[ticket.client_order_id] = report
        return report.exchange_order_id

    def _as_seen_now(self, report: OrderReport) -> OrderReport:
        if self.odd_status:
            return replace(report, is_final=False, unknown_status=self.odd_status)
        if self.open_lookups <= 0:
            return report
        self.open_lookups -= 1
        return replace(report, is_final=False, complete=False)

    def _execute(self, ticket: OrderRequest) -> str:
        asset = base_of(ticket.symbol)
        price = self.paper_market.price_of(ticket.symbol, ticket.side)
        step = Decimal("0.0001") if asset in self.others else ONE
        wanted = ticket.base_quantity or (ticket.quote_amount or 0) / price
        base = (wanted * self.fills).quantize(step, rounding=ROUND_DOWN)
        quote = base * price
        fee = quote * _FEE_RATE
        self._before = self._amounts()
        sign = 1 if ticket.side is Side.BUY else -1
        self.usdt -= sign * quote + fee
        if asset in self.others:
            self.others[asset] += sign * base
        else:
            self.mntl += sign * base
        self.ledger[ticket.client_order_id] = OrderReport(
            exchange_order_id=f"E{len(self.ledger) + 1}",
            execution=Execution(base, quote),
            is_final=True,
            complete=self.fills == ONE,
        )
        return self.ledger[ticket.client_order_id].exchange_order_id
