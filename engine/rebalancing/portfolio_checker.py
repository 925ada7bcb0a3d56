"""The check of an account whose target is of shares, of several tokens, or of no single amount.

One that holds makes the request for the balances, shares the one for all prices with every account,
and writes nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Incident
from engine.domain.accounts.settings import TradingMode
from engine.domain.execution.bound import ExecutionMode
from engine.domain.execution.bounded_order import NoOfferNear
from engine.domain.market.balances import Holdings
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import USDT, Asset, symbol_of
from engine.domain.portfolio.plan import NoLegs, NoPlan, Outlook, PortfolioPlan, WithinSpread
from engine.domain.portfolio.position import LegReason
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.check_result import (
    AwaitingApproval,
    CheckResult,
    Decision,
    NoTrade,
    PlanChanged,
    PortfolioSnapshot,
)
from engine.domain.rebalancing.planner import InsideBand, OverLimit, Plan, Reason
from engine.domain.runs.stored_run import shown
from engine.domain.targets.outside import is_far_outside
from engine.domain.targets.pacing import BuyingStopped, Pace, SecondLook
from engine.domain.targets.timing import Due, Sighting
from engine.domain.targets.usdt_goal import needs_price, usdt_goal
from engine.errors import LeaseLost
from engine.exchanges.interface import Exchange
from engine.execution.executor import OrderExecutor
from engine.notifications import incidents
from engine.rebalancing import run_requests
from engine.rebalancing.approvals import Approvals
from engine.rebalancing.balance_readings import BalanceReading
from engine.rebalancing.checked import Checked
from engine.rebalancing.crash_guard import buying_stopped, closed_to
from engine.rebalancing.pacing import Pacer, is_jump, slot_over
from engine.rebalancing.portfolio_planning import (
    BandWidths,
    Planned,
    PortfolioPlanner,
    Seen,
    first_sight,
    in_pair,
)
from engine.rebalancing.portfolio_runs import PortfolioRunner, Ran
from engine.storage.service import Service
from engine.storage.trading import check_results
from engine.timeouts import Timing


@dataclass(eq=False, kw_only=True, repr=False)
class PortfolioChecker(Service):
    """*drift_over* notes that all is inside again; it writes only where something was outside."""

    timing: Timing
    pacer: Pacer
    executor: OrderExecutor
    approvals: Approvals
    drift_over: Callable[[Account, Incident | None], Awaitable[None]]

    def __post_init__(self) -> None:
        self._planner = PortfolioPlanner(database=self.database, clock=self.clock)
        self._widths = BandWidths(database=self.database, clock=self.clock)
        self._runner = PortfolioRunner(
            database=self.database,
            clock=self.clock,
            timing=self.timing,
            executor=self.executor,
            planner=self._planner,
        )

    async def check(  # noqa: PLR0911 - one return an outcome
        self, duty: CheckInput, exchange: Exchange, reading: BalanceReading, *, fence: int
    ) -> Checked:
        """Trade what is surely outside, or store the reason. *reading* may be acted on."""
        duty = await self._widths.renew(duty)
        account, holdings, asked = duty.account, reading.holdings, duty.request is not None
        if not asked and self._rests_without_prices(account, holdings):
            pace = self.pacer.pace(duty, is_outside=False, is_far=False)
            if pace.due is Due.NOTHING:
                return await self._rests(duty, reading, InsideBand(), pace=pace)
        seen = await self._planner.see(account, holdings, exchange.market)
        if isinstance(seen.found, Outlook) and not asked:
            waits = await self._waits(duty, reading, seen, seen.found)
            if waits is not None:
                return waits
        planned = await self._planned(duty, seen, exchange)
        if not isinstance(planned, Planned):
            return await self._declined(duty, reading, planned, seen.snapshot)
        plan, snapshot = planned.plan, planned.snapshot
        if not plan.legs:
            found = _why_none(plan, duty)
            return await self._declined(duty, reading, found, snapshot)
        if (over := planned.over_limit) is not None:
            return await self._declined(duty, reading, over, snapshot)
        if duty.request is not None and not duty.request.covers_plan(plan, now=self.clock.now()):
            return await self._changed(duty, reading, planned)
        if not asked and account.settings.autonomy is not TradingMode.AUTO:
            return await self._left_to_user(duty, reading, planned, fence=fence)
        return await self._run(duty, exchange, reading, planned, fence=fence)

    async def _waits(
        self, duty: CheckInput, reading: BalanceReading, seen: Seen, found: Outlook
    ) -> Checked | None:
        """Trade nothing where all is inside, where it is not the time to, or at a first sight."""
        is_far = is_far_outside(seen.inputs.settings.goals, found.plan.values)
        pace = self.pacer.pace(duty, is_outside=bool(found.surely), is_far=is_far)
        if pace.due is Due.NOTHING:
            outside = tuple(found.plan.outside)
            reason: Reason = WithinSpread(outside) if outside else InsideBand()
            return await self._rests(duty, reading, pace.waits or reason, seen.snapshot, pace=pace)
        sighting = first_sight(duty.account, found.surely, read_at=seen.inputs.quotes.read_at)
        if pace.due is Due.OUTSIDE and sighting is not None:
            return await self._looks_again(duty, reading, seen, sighting)
        return None

    async def _planned(self, duty: CheckInput, seen: Seen, exchange: Exchange) -> Planned | NoPlan:
        """A tap on what a check offered trades that; any other one leads all to the centre, and so
        may a set time.
        """
        closed = closed_to(duty.account) if buying_stopped(duty) else ()
        usual = await self._planner.plan(duty.account, seen, exchange, closed=closed)
        request = duty.request
        if not duty.to_centre or not isinstance(usual, Planned):
            return usual
        if request is not None and request.covers_plan(usual.plan, now=self.clock.now()):
            return usual
        return await self._planner.plan(
            duty.account, seen, exchange, to_centre=True, closed=closed
        )

    def _rests_without_prices(self, account: Account, holdings: Holdings) -> bool:
        """True if a target that is an amount of USDT is met: no price changes that."""
        settings = account.settings
        if needs_price(settings.targeting):
            return False
        goal = usdt_goal(settings.targeting, destination=settings.leads_to)
        return goal.edges.holds(settings.held(holdings))

    async def _run(
        self,
        duty: CheckInput,
        exchange: Exchange,
        reading: BalanceReading,
        planned: Planned,
        *,
        fence: int,
    ) -> Checked:
        def look(
            verdict: Decision, holdings: Holdings, book: OrderBook, plan: Planned, run_id: str
        ) -> CheckResult:
            snapshot = replace(plan.snapshot, run_id=run_id)
            of_leg = replace(duty, account=in_pair(duty.account, book.symbol))
            return self._look(of_leg, verdict, holdings=holdings, book=book, portfolio=snapshot)

        try:
            ran: Ran = await self._runner.run(
                duty, exchange, planned, reading.holdings, fence=fence, look=look
            )
        except LeaseLost:
            if duty.request is not None:
                async with self.database.writing() as session:
                    await run_requests.decline_plan(
                        session,
                        duty.account,
                        duty.request,
                        planned.plan,
                        now=self.clock.now(),
                    )
            raise
        if ran.look is not None:
            await self._note_outside(duty.account, ran)
            return Checked(ran.look, again_in=ran.again_in, backs_off=ran.backs_off)
        # Not one leg had an order: the first one says why, if prices did not bring all inside.
        asset, reason = next(iter(ran.obstacles.items()), (None, InsideBand()))
        return await self._declined(duty, reading, reason, planned.snapshot, asset=asset)

    async def _note_outside(self, account: Account, ran: Ran) -> None:
        """What found no offer within its bound goes on waiting for one, whatever else was traded."""
        waits = any(isinstance(reason, NoOfferNear) for reason in ran.obstacles.values())
        if waits and account.outside_since is None:
            async with self.database.writing() as session:
                await check_results.note_outside(session, account, self.clock.now())

    async def _rests(
        self,
        duty: CheckInput,
        reading: BalanceReading,
        reason: Reason,
        snapshot: PortfolioSnapshot | None = None,
        *,
        pace: Pace,
    ) -> Checked:
        if pace.waits is None:
            await self.drift_over(duty.account, duty.trouble)
        if duty.account.sighted is not None:
            async with self.database.writing() as session:
                await check_results.note_sighting(session, duty.account, None)
        look = self._seen(duty, NoTrade(reason), reading, snapshot)
        return await self.pacer.rests(duty, pace, look)

    async def _looks_again(
        self, duty: CheckInput, reading: BalanceReading, seen: Seen, sighting: Sighting
    ) -> Checked:
        """Remember what is outside for the first time. A set time that is due waits, so the next
        check is soon then.
        """
        reason = SecondLook(tuple(sighting.outside))
        look = self._seen(duty, NoTrade(reason), reading, seen.snapshot)
        async with self.database.writing() as session:
            await check_results.put(session, duty.account.id, look)
            await check_results.note_sighting(session, duty.account, sighting)
        soon = min(duty.account.settings.interval, self.timing.error_backoff)
        return Checked(look, None if duty.slot is None else soon)

    async def _declined(
        self,
        duty: CheckInput,
        reading: BalanceReading,
        reason: Reason,
        snapshot: PortfolioSnapshot,
        *,
        asset: Asset | None = None,
    ) -> Checked:
        """Store and report why what is outside is not traded. *asset* is the one that it is about."""
        account, settings, now = duty.account, duty.account.settings, self.clock.now()
        if asset is None and isinstance(reason, OverLimit) and snapshot.plan is not None:
            asset = snapshot.plan.legs[0].asset
        about = account if asset is None else in_pair(account, symbol_of(asset))
        look = self._seen(replace(duty, account=about), NoTrade(reason), reading, snapshot)
        async with self.database.writing() as session:
            await check_results.put(session, account.id, look)
            await slot_over(session, duty, reason)
            if duty.request is not None:
                held = snapshot.held[USDT]
                decided = Plan(held, reason=reason)
                await run_requests.decline(session, about, duty.request, decided, now=now)
            elif not isinstance(reason, InsideBand | BuyingStopped):
                calm = self.timing.calm(settings.interval)
                await incidents.record_blocked(
                    session, about, duty.trouble, reason, now=now, calm=calm
                )
                if settings.execution is not ExecutionMode.MARKET and not account.outside_since:
                    await check_results.note_outside(session, account, now)
        if is_jump(reason):
            soon = min(settings.interval, self.timing.error_backoff)
            return Checked(look, again_in=soon, backs_off=True)
        return Checked(look)

    async def _changed(
        self, duty: CheckInput, reading: BalanceReading, planned: Planned
    ) -> Checked:
        """The user's tap does not cover what is right by now: nothing is sent."""
        plan = planned.plan
        verdict = PlanChanged(plan.legs[0].side, plan.turnover)
        look = self._seen(duty, verdict, reading, planned.snapshot)
        async with self.database.writing() as session:
            await check_results.put(session, duty.account.id, look)
            if duty.request is not None:
                await run_requests.decline_plan(
                    session, duty.account, duty.request, plan, now=self.clock.now()
                )
        return Checked(look)

    async def _left_to_user(
        self, duty: CheckInput, reading: BalanceReading, planned: Planned, *, fence: int
    ) -> Checked:
        account, plan = duty.account, planned.plan
        verdict = AwaitingApproval(plan.legs[0].side, plan.turnover, account.settings.autonomy)
        look = self._seen(duty, verdict, reading, planned.snapshot)
        await self.approvals.request_plan(duty, shown(plan), look=look, fence=fence)
        return Checked(look)

    def _seen(
        self,
        duty: CheckInput,
        verdict: Decision,
        reading: BalanceReading,
        snapshot: PortfolioSnapshot | None,
    ) -> CheckResult:
        return self._look(
            duty, verdict, holdings=reading.holdings, first=reading.first, portfolio=snapshot
        )

    def _look(self, duty: CheckInput, verdict: Decision, **seen: Any) -> CheckResult:
        return CheckResult.of(
            duty.account.settings,
            at=self.clock.now(),
            trigger=duty.trigger,
            verdict=verdict,
            funds=duty.account.funds,
            **seen,
        )


def _why_none(plan: PortfolioPlan, duty: CheckInput) -> Reason:
    if not plan.outside:
        return InsideBand()
    return buying_stopped(duty) or _no_legs(plan)


def _no_legs(plan: PortfolioPlan) -> NoLegs:
    """Returns the reasons of what is outside, those of the plan first."""
    unsaid = dict.fromkeys(plan.outside, LegReason.NOT_REACHABLE)
    return NoLegs(
        {**plan.reasons, **{a: why for a, why in unsaid.items() if a not in plan.reasons}}
    )
