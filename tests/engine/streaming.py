"""An exchange in memory that tells what changes in its account, and a process that listens to it.

exchange = TellingExchange(clock)
process = Process(engine, exchange, live)
process.listen(account)
exchange.change(USDT, 20)
await process.run(timedelta(minutes=5))
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.accounts.account import Account
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.pairs import USDT, Asset, Symbol
from engine.domain.orders.order import AccountId, ClientOrderId, Execution, Fees, Fill
from engine.domain.rebalancing.check_result import CheckResult, NoTrade
from engine.domain.rebalancing.planner import InsideBand
from engine.domain.streams.events import (
    AccountEvent,
    Amounts,
    BalanceEvent,
    Cause,
    FillEvent,
    OrderEvent,
)
from engine.exchanges.interface import OrderRequest
from engine.streaming.live_accounts import Feed, LiveAccounts
from tests.builders import MNTL, Amount
from tests.engine.harness import Engine
from tests.fakes.clock import FakeClock
from tests.fakes.exchange import FakeExchange

_FEE_RATE = Decimal("0.0005")
NOTHING_LOCKED = Decimal(0)


@dataclass(frozen=True)
class _Then:
    """What the account held from that moment on."""

    at: datetime
    amounts: dict[Asset, Amounts]


class TellingExchange(FakeExchange):
    """Tells each change of a balance, each end of an order and each fill, in an order that
    *arranged* decides. What is read is so much *behind* the truth, and what is told *delayed*; so
    many *cut_reads* more say nothing of the USDT.
    """

    def __init__(self, clock: FakeClock, *, usdt: Amount = 40, mntl: Amount = 100_000) -> None:
        super().__init__(clock, usdt=usdt, mntl=mntl)
        self._time = clock
        self.told: list[AccountEvent] = []
        self.feed: Feed | None = None
        self.behind = timedelta()
        self.delayed = timedelta()
        self.arranged: Callable[[list[AccountEvent]], Sequence[AccountEvent]] = list
        self.cut_reads = 0
        self._under_way: list[tuple[datetime, AccountEvent]] = []
        self._counter = 0
        self._history = [_Then(clock.steady(), self._now())]

    def change(self, asset: Asset, by: Amount, cause: Cause = Cause.DEPOSIT) -> None:
        """Money comes, goes, or is exchanged by hand."""
        if asset == USDT:
            self.usdt += Decimal(by)
        else:
            self.mntl += Decimal(by)
        self._tell(self._changes(cause))

    async def holdings(self) -> Holdings:
        self.deliver()
        stale_reads = self.stale_reads
        truth = await super().holdings()
        if self.stale_reads < stale_reads:
            return truth
        until = self._time.steady() - self.behind
        seen = [then for then in self._history if then.at <= until]
        amounts = (seen or self._history[:1])[-1].amounts
        held = {asset: Balance(*both) for asset, both in amounts.items()}
        if self.cut_reads > 0:
            self.cut_reads -= 1
            del held[USDT]
        return Holdings(held, read_at=truth.read_at)

    async def place(self, ticket: OrderRequest) -> str:
        before = self._now()
        try:
            return await super().place(ticket)
        finally:
            if ticket.client_order_id in self.ledger:
                self._tell(self._of_order(ticket, before))

    async def cancel(self, symbol: Symbol, client_order_id: ClientOrderId) -> None:
        try:
            await super().cancel(symbol, client_order_id)
        finally:
            self._tell([*self._changes(Cause.TRADE), self._end_of(client_order_id)])

    def fill(self, client_order_id: ClientOrderId, quantity: Amount) -> None:
        ticket = self.resting[client_order_id]
        super().fill(client_order_id, quantity)
        self._tell(
            [
                *self._changes(Cause.TRADE),
                self._fill_of(ticket, Execution(Decimal(quantity), Decimal(0)), fee=Decimal(0)),
                self._end_of(client_order_id),
            ]
        )

    async def fees(
        self, symbol: Symbol, exchange_order_id: str, *, executed: Decimal, sent_at: datetime
    ) -> Fees:
        self.deliver()
        return await super().fees(symbol, exchange_order_id, executed=executed, sent_at=sent_at)

    def lie(self, usdt: Amount) -> None:
        """Tell of an amount that there is not."""
        amounts = Decimal(usdt), NOTHING_LOCKED
        event = self._event(USDT, amounts, before=amounts, cause=Cause.OTHER)
        self._under_way.append((self._time.steady(), event))
        self.deliver()

    def deliver(self) -> None:
        """What was under way long enough arrives."""
        now = self._time.steady()
        due = [event for at, event in self._under_way if at <= now]
        self._under_way = [(at, event) for at, event in self._under_way if at > now]
        for event in due:
            self.told.append(event)
            if self.feed is not None:
                self.feed.event(_arrived(event, now))

    @property
    def next_arrival(self) -> datetime | None:
        return min((at for at, _ in self._under_way), default=None)

    def _tell(self, events: list[AccountEvent]) -> None:
        now = self._time.steady()
        self._history.append(_Then(now, self._now()))
        self._under_way += [(now + self.delayed, event) for event in self.arranged(events)]
        self.deliver()

    def _now(self) -> dict[Asset, Amounts]:
        held = {asset: (amount, NOTHING_LOCKED) for asset, amount in self._amounts().items()}
        for ticket in self.resting.values():
            asset, locked = self._locked(ticket)
            free, already = held[asset]
            held[asset] = (free - locked, already + locked)
        return held

    def _changes(self, cause: Cause) -> list[AccountEvent]:
        before = self._history[-1].amounts
        return [
            self._event(asset, amounts, before=before[asset], cause=cause)
            for asset, amounts in self._now().items()
            if amounts != before[asset]
        ]

    def _of_order(self, ticket: OrderRequest, before: dict[Asset, Amounts]) -> list[AccountEvent]:
        """Placed, filled, its fee: as many frames as there may be."""
        report, after = self.ledger[ticket.client_order_id], self._now()
        if not report.is_final:
            return self._changes(Cause.TRADE)
        done = report.execution
        fee = done.quote_amount * _FEE_RATE
        is_buy = after[MNTL] > before[MNTL]
        spent, got = (USDT, MNTL) if is_buy else (MNTL, USDT)
        amount = done.quote_amount if is_buy else done.base_quantity
        placed = (before[spent][0] - amount, before[spent][1] + amount)
        paid = (placed[0], before[spent][1])
        events: list[AccountEvent] = [
            self._event(spent, placed, before=before[spent], cause=Cause.TRADE),
            self._event(spent, paid, before=placed, cause=Cause.TRADE),
        ]
        came = after[got] if is_buy else (after[USDT][0] + fee, after[USDT][1])
        events.append(self._event(got, came, before=before[got], cause=Cause.TRADE))
        without_fee = paid if is_buy else came
        events.append(self._event(USDT, after[USDT], before=without_fee, cause=Cause.TRADE))
        return [
            *events,
            self._fill_of(ticket, done, fee=fee),
            self._end_of(ticket.client_order_id),
        ]

    def _event(
        self, asset: Asset, amounts: Amounts, *, before: Amounts, cause: Cause
    ) -> BalanceEvent:
        self._counter += 1
        return BalanceEvent(
            asset=asset,
            free=amounts[0],
            locked=amounts[1],
            before=before,
            cause=cause,
            order=(self._counter, self._counter),
            at=self._time.steady(),
        )

    def _end_of(self, name: ClientOrderId) -> OrderEvent:
        report = self.ledger[name]
        return OrderEvent(
            symbol=Symbol("MNTLUSDT"),
            exchange_order_id=report.exchange_order_id,
            client_order_id=name,
            executed=report.execution.base_quantity,
            is_final=report.is_final,
            at=self._time.steady(),
        )

    def _fill_of(self, ticket: OrderRequest, done: Execution, *, fee: Decimal) -> FillEvent:
        self._counter += 1
        return FillEvent(
            symbol=ticket.symbol,
            exchange_order_id=self.ledger[ticket.client_order_id].exchange_order_id,
            client_order_id=ticket.client_order_id,
            fill=Fill(
                trade_id=str(self._counter),
                at=self._time.now(),
                price=self.paper_market.price,
                quantity=done.base_quantity,
                fee=fee,
                fee_asset=USDT,
            ),
            at=self._time.steady(),
        )


def _arrived(event: AccountEvent, now: datetime) -> AccountEvent:
    return replace(event, at=now)


class Process:
    """Checks the account when it is due, as the dispatcher does: at its interval, when a check asks
    for it, and when *live* says so.
    """

    def __init__(
        self, engine: Engine, exchange: TellingExchange, account: Account, live: LiveAccounts
    ) -> None:
        self.engine = engine
        self.exchange = exchange
        self.account = account
        self.live = live
        self.clock = engine.clock
        self.looks: list[CheckResult] = []
        self._due = self.clock.steady()
        self._is_busy = False
        self._woken: datetime | None = None
        live.on_due = live.on_reread = self._wake

    def listen(self, *, fence: int = 1) -> Feed:
        feed = self.live.open(self.account, fence=fence)
        feed.acknowledge()
        self.exchange.feed = feed
        return feed

    async def run(self, duration: timedelta) -> None:
        """Let time pass, and do what falls due in it."""
        until = self.clock.steady() + duration
        while True:
            arrival = self.exchange.next_arrival
            if arrival is not None and arrival <= min(self._due, until):
                await self._at(arrival)
                self.exchange.deliver()
            elif self._due <= until:
                await self._at(self._due)
                await self._check()
            else:
                await self._at(until)
                self.exchange.deliver()
                return

    async def _at(self, moment: datetime) -> None:
        left = moment - self.clock.steady()
        await self.engine.wait(max(left, timedelta()))

    async def _check(self) -> None:
        self._is_busy = True
        checked = await self.engine.check(self.account)
        self._is_busy = False
        self.looks.append(checked.look)
        wait = checked.again_in
        if wait is None:
            wait = self.account.settings.interval
            verdict = checked.look.verdict
            if isinstance(verdict, NoTrade) and isinstance(verdict.reason, InsideBand):
                wait = self.live.interval(self.account.id, wait)
        self._due = self.clock.steady() + wait
        woken, self._woken = self._woken, None
        if woken is not None:
            self._wake(self.account.id, woken)

    def _wake(self, account_id: AccountId, at: datetime) -> None:
        if account_id != self.account.id:
            return
        if self._is_busy:
            self._woken = min(at, self._woken or at)
        else:
            self._due = min(self._due, max(at, self.clock.steady()))
