"""Runs one check of one account: reads, decides, and trades or stores the reason.

A check that holds makes one request to the exchange and writes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Incident, IncidentKind
from engine.domain.accounts.settings import TradingMode
from engine.domain.execution.bound import ExecutionMode
from engine.domain.execution.bounded_order import NoOfferNear
from engine.domain.execution.maker_first import rests
from engine.domain.execution.slices import SlicesRun
from engine.domain.orders.ledger import EndReason
from engine.domain.orders.order import UNRESOLVED, Order, OrderState, Trigger
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.check_result import (
    AwaitingApproval,
    AwaitingSettlement,
    CheckFailed,
    CheckResult,
    Decision,
    NoTrade,
    OrderPending,
    OrderPlaced,
    PlanChanged,
)
from engine.domain.rebalancing.forecast import forecast
from engine.domain.rebalancing.order_factory import create_order, run_id
from engine.domain.rebalancing.planner import InsideBand, Plan
from engine.domain.rebalancing.replay import shortened
from engine.domain.targets.timing import Due
from engine.errors import ClockRefused, DecryptionFailed, EngineError, LeaseLost
from engine.exchanges.interface import Exchange, ExchangeFor
from engine.exchanges.pair_data import rules_and_book
from engine.execution.executor import OrderExecutor, must_narrow
from engine.execution.reconciliation import OrderReconciler, next_look
from engine.execution.stray_orders import StrayOrderFinder
from engine.notifications import incidents
from engine.rebalancing import run_requests
from engine.rebalancing.approvals import Approvals
from engine.rebalancing.balance_changes import BalanceChangeMonitor
from engine.rebalancing.balance_readings import BalanceReader, BalanceReading
from engine.rebalancing.checked import Checked, CheckFailures
from engine.rebalancing.crash_guard import CrashGuards, guarded
from engine.rebalancing.evaluation import evaluate
from engine.rebalancing.low_balance import LowBalanceMonitor
from engine.rebalancing.pacing import Pacer, is_jump, is_quiet, slot_over
from engine.rebalancing.portfolio_checker import PortfolioChecker
from engine.rebalancing.slices import AT_ONCE, SlicedTrades, over_by_a_look
from engine.storage.service import Service
from engine.storage.trading import check_results
from engine.streaming.live_accounts import LiveAccounts
from engine.timeouts import Timing, steadily

# How long a balance may lag behind a fill before the user is alerted.
_SETTLES_SOON = timedelta(minutes=1)
_SETTLE_POLL = timedelta(seconds=2)


@dataclass(eq=False, kw_only=True, repr=False)
class Checker(Service):
    timing: Timing
    exchange_for: ExchangeFor
    owner: str
    live: LiveAccounts | None = None

    def __post_init__(self) -> None:
        self._live = self.live or LiveAccounts(self.clock)
        self._executor = OrderExecutor(
            database=self.database,
            clock=self.clock,
            timing=self.timing,
            owner=self.owner,
            live=self._live,
        )
        self._balance_changes = BalanceChangeMonitor(
            database=self.database, clock=self.clock, owner=self.owner
        )
        self._balances = BalanceReader(
            clock=self.clock,
            timing=self.timing,
            balance_changes=self._balance_changes,
            live=self._live,
        )
        self._approvals = Approvals(
            database=self.database, clock=self.clock, timing=self.timing, owner=self.owner
        )
        self._reconciler = OrderReconciler(
            database=self.database, clock=self.clock, executor=self._executor
        )
        self._strays = StrayOrderFinder(database=self.database, clock=self.clock)
        self._low_balance = LowBalanceMonitor(database=self.database, clock=self.clock)
        self._guards = CrashGuards(database=self.database, clock=self.clock)
        self._pacer = Pacer(database=self.database, clock=self.clock)
        self._portfolio = PortfolioChecker(
            database=self.database,
            clock=self.clock,
            pacer=self._pacer,
            timing=self.timing,
            executor=self._executor,
            approvals=self._approvals,
            drift_over=self._drift_over,
        )
        self._failures = CheckFailures(database=self.database, clock=self.clock)
        self._slices = SlicedTrades(database=self.database, clock=self.clock, owner=self.owner)

    async def check(self, duty: CheckInput, *, fence: int) -> Checked:
        """Do what is due for the account. Failures become troubles, not exceptions."""
        order = duty.unresolved.client_order_id if duty.unresolved is not None else None
        self._live.checking(duty.account, marks=duty.marks, order=order)
        try:
            return await self._check(duty, fence=fence)
        finally:
            self._live.checked(duty.account.id)

    async def _check(self, duty: CheckInput, *, fence: int) -> Checked:
        try:
            if duty.unresolved is not None:
                return await self._resolve(duty, duty.unresolved)
            if duty.sliced is not None and duty.sliced.is_over(self.clock.now()):
                await self._slices.finish(duty, duty.sliced, fence=fence)  # without the exchange
                return self._suspended(duty, again_in=AT_ONCE)
            exchange = self.exchange_for(duty.account)
            duty = await self._pacer.begin(duty)
            checked = await self._decide(duty, exchange, fence=fence)
            checked = self._pacer.in_time(duty, checked)
            await self._strays.look(duty.account, exchange, fence=fence)
            if isinstance(checked.look.verdict, NoTrade):
                await self._executor.learn_late_fees(duty.last_fill, exchange)
        except LeaseLost:
            # The account changed during planning: check it again at once.
            look = self._look(duty, CheckFailed(IncidentKind.INTERNAL, "changed"))
            return Checked(look, again_in=AT_ONCE)
        except EngineError as e:
            return await self._failed(duty, e)
        return checked

    async def cancel_resting(self, duty: CheckInput) -> None:
        """Cancel the order that rests, as the process stops; the next start looks up its end."""
        if duty.unresolved is not None and rests(duty.unresolved):
            await self._resolve(duty, duty.unresolved, EndReason.STOPPED)

    async def _resolve(
        self, duty: CheckInput, intent: Order, why: EndReason | None = None
    ) -> Checked:
        # Asked where the order went, whatever kind of money the account uses by now.
        try:
            exchange = self.exchange_for(duty.account.with_money(dry_run=intent.dry_run))
        except DecryptionFailed:
            await self._reconciler.escalate(intent, duty.account)
            raise
        unwanted = why or duty.why_unwanted(intent)
        intent = await self._reconciler.resolve(
            intent, account=duty.account, exchange=exchange, unwanted=unwanted
        )
        pending = OrderPending(intent.client_order_id)
        look = replace(self._look(duty, pending), trigger=intent.trigger)
        if intent.state in UNRESOLVED:
            return Checked(look, again_in=next_look(intent, now=exchange.time()))
        return Checked(look, again_in=AT_ONCE)  # re-planned from fresh balances

    async def _decide(  # noqa: PLR0911 - one return an outcome
        self, duty: CheckInput, exchange: Exchange, *, fence: int, attempt: int = 1
    ) -> Checked:
        reading = await self._balances.read(duty, exchange)
        holdings = reading.holdings
        if not reading.is_settled:
            return await self._unsettled(duty, reading)
        await self._low_balance.observe(duty, holdings, exchange.market)
        account = await self._balance_changes.record(
            duty, reading.finding, holdings, exchange, fence=fence
        )
        if account is not duty.account:
            duty = replace(duty, account=account)
        if await self._guards.observe(duty, holdings, exchange.market):
            return Checked(self._look(duty, NoTrade(InsideBand()), holdings=holdings), AT_ONCE)
        if duty.sliced is not None:
            step = await self._slices.check(duty, duty.sliced, holdings, fence=fence)
            if isinstance(step, timedelta):
                await self._resolve_incident(account, over_by_a_look(duty.trouble))
                return self._suspended(duty, again_in=step, holdings=holdings, first=reading.first)
            traded = await self._rebalance(step, exchange, reading, fence=fence, attempt=1)
            return replace(
                traded, again_in=self._slices.next_in(step, duty.sliced, traded.again_in)
            )
        is_by_hand = duty.request is not None and duty.request.manual is not None
        if account.settings.fixed is None and not is_by_hand:
            return await self._portfolio.check(duty, exchange, reading, fence=fence)
        if duty.request is None:
            rest, pace = self._pacer.pace_of(duty, holdings)
            if pace.due is Due.NOTHING:
                reason = rest or pace.waits or InsideBand()
                look = self._look(duty, NoTrade(reason), holdings=holdings, first=reading.first)
                if rest is not None:
                    await self._drift_over(account, duty.trouble)
                return await self._pacer.rests(duty, pace, look, until=reason)
        return await self._rebalance(duty, exchange, reading, fence=fence, attempt=attempt)

    async def _drift_over(self, account: Account, trouble: Incident | None) -> None:
        """All is inside again: end what was noted while it was not."""
        await self._resolve_incident(account, trouble)
        if account.outside_since is not None:
            async with self.database.writing() as session:
                await check_results.note_outside(session, account, None)
        await self._approvals.withdraw(account)

    def _suspended(self, duty: CheckInput, *, again_in: timedelta, **seen: Any) -> Checked:
        runs = SlicesRun(duty.account.slicing_until or self.clock.now())
        return Checked(self._look(duty, NoTrade(runs), **seen), again_in)

    async def _resolve_incident(self, account: Account, trouble: Incident | None) -> None:
        """A check that holds writes nothing, unless a trouble has ended."""
        if trouble is None or trouble.kind is IncidentKind.PAIR_UNAVAILABLE:
            return  # the pair was not even asked for
        now, calm = self.clock.now(), self.timing.calm(account.settings.interval)
        if incidents.lingers(trouble, now=now, calm=calm):
            return
        async with self.database.writing() as session:
            await incidents.resolve(session, account, trouble, now=now, calm=calm)

    async def _unsettled(self, duty: CheckInput, reading: BalanceReading) -> Checked:
        """The balances lack a fill that is known: a moment is normal, longer is a trouble. Or they
        lack what a stream told: soon they show it, or are believed.
        """
        if reading.again_in is not None:
            verdict = AwaitingSettlement(told=True)
            look = self._look(duty, verdict, holdings=reading.holdings)
            return Checked(look, again_in=reading.again_in)
        now, fill = self.clock.now(), duty.last_fill
        waited = now - ((fill and fill.resolved_at) or now)
        if waited > _SETTLES_SOON:
            async with self.database.writing() as session:
                kind = IncidentKind.STALE_BALANCE
                await incidents.record(session, duty.account, kind=kind, now=now)
        look = self._look(duty, AwaitingSettlement(), holdings=reading.holdings)
        return Checked(look, again_in=min(max(waited / 4, _SETTLE_POLL), _SETTLE_POLL * 15))

    async def _rebalance(  # noqa: C901, PLR0911, PLR0912 - one return an outcome
        self,
        duty: CheckInput,
        exchange: Exchange,
        reading: BalanceReading,
        *,
        fence: int,
        attempt: int,
        again: bool = False,
        is_narrowed: bool = False,
    ) -> Checked:
        account, settings, holdings = duty.account, duty.account.settings, reading.holdings
        manual = duty.request.manual if duty.request else None
        rules, book = await rules_and_book(exchange.market, settings.symbol)
        read_at, now = steadily(self.clock, holdings.read_at, book.read_at), self.clock.now()
        evaluated = await evaluate(
            self.database,
            account,
            holdings,
            rules,
            book,
            market=exchange.market,
            at=exchange.time(),
            ignore_band=duty.to_centre,
            trade=duty.trade,
            is_narrowed=is_narrowed,
            worst=duty.request.bound if duty.request else None,
            is_slot=duty.slot is not None,
        )
        decided, jump = guarded(evaluated.allowed, duty), evaluated.jump
        if duty.due is not None and isinstance(decided.reason, NoOfferNear):
            decided = replace(decided, reason=replace(decided.reason, strict=True))
        seen = {"holdings": holdings, "book": book, "first": reading.first, "jump": jump}
        decided, is_confirmed = await run_requests.confirmed(
            duty, decided, exchange.market, rules, book, now=now
        )
        if decided.order is None or not is_confirmed:
            return await self._declined(duty, decided, seen)
        order, autonomy = decided.order, settings.autonomy
        if duty.trigger is Trigger.INTERVAL and autonomy is not TradingMode.AUTO:
            last_price = await exchange.market.last_price(settings.symbol)
            foreseen, comes_to = forecast(decided, rules=rules, book=book, last_price=last_price)
            if comes_to is None:
                return await self._declined(duty, foreseen, seen)
            left = AwaitingApproval(order.side, comes_to.quote_amount, autonomy)
            look = self._look(duty, left, **seen)
            await self._approvals.request(duty, order, comes_to, look=look, fence=fence)
            return Checked(look)
        intent = create_order(
            account,
            order,
            run_id=duty.due.run_id if duty.due else run_id(duty.request, fence=fence, now=now),
            inputs=evaluated.inputs,
            fence=fence,
            trigger=duty.trigger,
            attempt=attempt,
            now=now,
            target=manual.target if manual else None,
            due=duty.due,
        )
        if not again and await self._executor.must_plan_again(
            intent,
            book=book,
            is_untried=evaluated.is_untried,
            account=account,
            exchange=exchange,
        ):
            return await self._rebalance(
                duty,
                exchange,
                reading,
                fence=fence,
                attempt=attempt,
                again=True,
                is_narrowed=is_narrowed,
            )
        verdict = OrderPlaced(intent.client_order_id, intent.side, intent.expected_quote)
        look = self._look(duty, verdict, **seen)
        try:
            intent = await self._executor.execute(
                intent,
                account=account,
                exchange=exchange,
                read_at=read_at,
                look=look,
                inputs=shortened(evaluated.inputs, order),
                request=duty.request,
                slot=duty.slot,
            )
        except LeaseLost:
            if duty.request is not None:
                async with self.database.writing() as session:
                    await run_requests.decline(
                        session, account, duty.request, decided, now=self.clock.now()
                    )
            raise
        except ClockRefused:
            await exchange.resync()
            if attempt > 1 or duty.trade is not None:  # whose tap, or number, is used up
                raise
            return await self._decide(duty, exchange, fence=fence, attempt=attempt + 1)
        if intent.state in UNRESOLVED:
            return Checked(look, again_in=next_look(intent, now=exchange.time()))
        if must_narrow(intent):
            return await self._rebalance(
                duty, exchange, reading, fence=fence, attempt=attempt + 1, is_narrowed=True
            )
        if intent.order_type.may_rest and intent.state is not OrderState.FILLED:
            return Checked(look, again_in=timedelta(seconds=1))  # the rest trades at once
        if intent.state in {OrderState.UNFILLED, OrderState.REJECTED}:
            failures = duty.trouble.count if duty.trouble else 0
            return Checked(look, again_in=self.timing.backoff(failures), backs_off=True)
        return Checked(look)

    async def _declined(self, duty: CheckInput, decided: Plan, seen: Mapping[str, Any]) -> Checked:
        """Store and report why a drift is not traded."""
        account, settings, now = duty.account, duty.account.settings, self.clock.now()
        order, reason = decided.order, decided.reason
        verdict: Decision = (
            NoTrade(reason or InsideBand())
            if order is None
            else PlanChanged(order.side, order.expected_quote)
        )
        look = self._look(duty, verdict, **seen)
        async with self.database.writing() as session:
            await check_results.put(session, account.id, look)
            await slot_over(session, duty, reason)
            if duty.request is not None:
                await run_requests.decline(session, account, duty.request, decided, now=now)
            elif reason is not None and not is_quiet(duty, seen["holdings"], reason):
                calm = self.timing.calm(settings.interval)
                await incidents.record_blocked(
                    session, account, duty.trouble, reason, now=now, calm=calm
                )
                is_new = duty.due is None and account.outside_since is None
                if is_new and settings.execution is not ExecutionMode.MARKET:
                    await check_results.note_outside(session, account, now)
        if is_jump(reason):
            # Seen once now; the next readings show whether it stays.
            soon = min(settings.interval, self.timing.error_backoff)
            return Checked(look, again_in=soon, backs_off=True)
        return Checked(look)

    async def _failed(self, duty: CheckInput, error: EngineError) -> Checked:
        look = self._look(duty, await self._failures.record(duty, error))
        return Checked(look, again_in=self.timing.error_backoff, backs_off=True)

    def _look(self, duty: CheckInput, verdict: Decision, **seen: Any) -> CheckResult:
        return CheckResult.of(
            duty.account.settings,
            at=self.clock.now(),
            trigger=duty.trigger,
            verdict=verdict,
            funds=duty.account.funds,
            **seen,
        )
