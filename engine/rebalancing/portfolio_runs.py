"""Trades a plan over several pairs, one order at a time: after each the account is looked at, and
planned again. Sells come first; a buy is never planned from what a sell was expected to bring.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.execution.capability import Answer
from engine.domain.market.balances import Holdings
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import USDT, Asset, Side, base_of
from engine.domain.orders.order import UNRESOLVED, Order, OrderState, client_order_id
from engine.domain.portfolio.plan import Leg
from engine.domain.portfolio.position import LegReason
from engine.domain.portfolio.run import NextOrder, Run, RunEnd, begun, next_order
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.check_result import CheckResult, Decision, OrderPlaced
from engine.domain.rebalancing.leg_order import (
    LegInputs,
    shortened_leg,
    terms_of_leg,
)
from engine.domain.rebalancing.order_factory import run_id, top_of
from engine.domain.rebalancing.planner import (
    LimitKind,
    OverLimit,
    ProposedOrder,
    Reason,
)
from engine.domain.runs.stored_run import (
    LeftOutside,
    PortfolioRun,
    Refused,
    RunStory,
    left_outside,
    shown,
)
from engine.errors import ClockRefused, LeaseLost
from engine.exchanges.interface import Exchange
from engine.execution.executor import OrderExecutor, must_narrow
from engine.execution.reconciliation import next_look
from engine.notifications import incidents, runs
from engine.rebalancing.portfolio_legs import LegDecider, with_limits_of
from engine.rebalancing.portfolio_planning import (
    Planned,
    PortfolioPlanner,
    in_pair,
)
from engine.storage.service import Service
from engine.storage.trading import order_types
from engine.timeouts import Timing, steadily

logger = logging.getLogger(__name__)

# The limits that no other leg would keep either.
_OF_ALL = frozenset({LimitKind.ORDER, LimitKind.DAY, LimitKind.HOUR})
_SETTLE_POLL = timedelta(seconds=2)
# The last plan was made after the last order: what it finds outside is so.
_AFTER_A_PLAN = frozenset(
    {
        RunEnd.INSIDE,
        RunEnd.NO_LEG,
        RunEnd.NO_PROGRESS,
        RunEnd.MOST_ORDERS,
        RunEnd.OVER_LIMIT,
    }
)

# Makes what is stored with an order: of what was read, and the id of the run.
Look = Callable[[Decision, Holdings, OrderBook, Planned, str], CheckResult]


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a plan. *look* is of the last order that was sent; None where none was, each leg
    for its own reason in *obstacles*. *again_in* and *backs_off* are as in `Checked`.
    """

    look: CheckResult | None
    obstacles: dict[Asset, Reason]
    again_in: timedelta | None = None
    backs_off: bool = False


@dataclass(slots=True, kw_only=True)
class _Under:
    """A run under way. *closed* are the sides on which it trades no more, *obstacles* why; *stored*
    is set from its first order on. The bounds of *narrowed* tokens were refused as too far away.
    """

    duty: CheckInput
    account: Account
    exchange: Exchange
    fence: int
    planned: Planned
    holdings: Holdings
    progress: Run
    run: PortfolioRun
    closed: set[tuple[Asset, Side]] = field(default_factory=set)
    obstacles: dict[Asset, Reason] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    narrowed: set[Asset] = field(default_factory=set)
    attempts: int = 0
    failed: bool = False
    stored: bool = False
    retimed: bool = False
    look: CheckResult | None = None
    again_in: timedelta | None = None

    @property
    def left(self) -> tuple[LeftOutside, ...]:
        left = left_outside(self.planned.plan, self.obstacles)
        own = {asset for asset, _ in self.closed}
        return tuple(
            replace(part, why=None)
            if part.asset in own and part.why is LegReason.SIDE_CLOSED
            else part
            for part in left
        )

    def close(self, leg: Leg, reason: Reason | None = None) -> None:
        """Trade no more of it on that side; what else is possible is a plan of its own."""
        self.closed.add((leg.asset, leg.side))
        if reason is not None:
            self.obstacles[leg.asset] = reason
        self.progress = replace(self.progress, legs=0, outside=None)


@dataclass(eq=False, kw_only=True, repr=False)
class PortfolioRunner(Service):
    timing: Timing
    executor: OrderExecutor
    planner: PortfolioPlanner

    def __post_init__(self) -> None:
        self._legs = LegDecider(self.clock)

    async def run(
        self,
        duty: CheckInput,
        exchange: Exchange,
        planned: Planned,
        holdings: Holdings,
        *,
        fence: int,
        look: Look,
    ) -> Ran:
        """Send the orders of *planned*, and of the plans that follow from what they bring.

        Raises as the executor does; the run is ended and told of in each case. *look* makes what is
        stored with an order.
        """
        account = with_limits_of(duty.account, planned)
        under = _Under(
            duty=duty,
            account=account,
            exchange=exchange,
            fence=fence,
            planned=planned,
            holdings=holdings,
            progress=begun(planned.plan),
            run=self._opened(duty, planned, fence=fence),
            closed=set(planned.closed),
            refused=list(planned.refused),
        )
        if planned.left_open:
            async with self.database.writing() as session:
                await runs.end_left_open(session, [account.id], now=self.clock.now())
        try:
            await self._leave_out_what_is_not_offered(under)
            why = await self._go_on(under, look)
        except LeaseLost:
            await self._end(under, RunEnd.STOPPED)
            raise
        except Exception:
            await self._end(under, RunEnd.FAILED)
            raise
        await self._end(under, why)
        backs_off = under.failed and why is not RunEnd.UNCLEAR
        if backs_off:
            failures = duty.trouble.count if duty.trouble else 0
            under.again_in = self.timing.backoff(failures)
        return Ran(under.look, under.obstacles, under.again_in, backs_off)

    def _opened(self, duty: CheckInput, planned: Planned, *, fence: int) -> PortfolioRun:
        account, now = duty.account, self.clock.now()
        return PortfolioRun(
            account_id=account.id,
            run_id=run_id(duty.request, fence=fence, now=now),
            started_at=now,
            dry_run=account.settings.dry_run,
            story=RunStory(
                settings=planned.inputs.settings,
                destination=planned.inputs.destination,
                trigger=duty.trigger,
                plan=shown(planned.plan),
            ),
        )

    async def _go_on(
        self,
        under: _Under,
        look: Look,
    ) -> RunEnd:
        """Returns why there is no further order."""
        while True:
            step = next_order(under.progress, under.planned.plan)
            if isinstance(step, RunEnd):
                return step
            if under.stored and under.planned.over_limit is not None:
                return RunEnd.OVER_LIMIT
            leg, market = step.leg, under.exchange.market
            decided, inputs = await self._legs.decide(
                under.account,
                under.planned,
                leg,
                market,
                is_narrowed=leg.asset in under.narrowed,
            )
            if decided.order is None:
                reason = decided.reason
                under.close(leg, reason)
                if isinstance(reason, OverLimit) and reason.kind in _OF_ALL:
                    return RunEnd.OVER_LIMIT
            elif (over := await self._sent(under, step, decided.order, inputs, look)) is not None:
                return over
            if not await self._plan_again(under):
                return RunEnd.NO_PLAN

    async def _plan_again(self, under: _Under) -> bool:
        """Plan what is there now; False where that is not possible."""
        seen = await self.planner.see(under.account, under.holdings, under.exchange.market)
        planned = await self.planner.plan(
            under.account,
            seen,
            under.exchange,
            to_centre=under.planned.to_centre,
            closed=under.closed,
        )
        if not isinstance(planned, Planned):
            return False
        under.planned = planned
        return True

    async def _leave_out_what_is_not_offered(self, under: _Under) -> None:
        """Before anything is sold for a buy that finds nobody."""
        while True:
            found = await self._legs.not_offered(
                under.account, under.planned, under.exchange.market
            )
            for leg, reason in found.items():
                under.close(leg, reason)
            if not found or not await self._plan_again(under):
                return

    async def _sent(
        self,
        under: _Under,
        step: NextOrder,
        order: ProposedOrder,
        inputs: LegInputs,
        look: Look,
    ) -> RunEnd | None:
        """Send one order, and look what it did. Returns the run's end, if it is one."""
        leg, exchange, account = step.leg, under.exchange, under.account
        intent = self._intent(under, order, inputs)
        if leg.asset in under.planned.untried and not await self.executor.try_type(
            intent, account=in_pair(account, intent.symbol), exchange=exchange
        ):
            return None  # planned again, by MARKET
        verdict = OrderPlaced(intent.client_order_id, intent.side, intent.expected_quote)
        holdings, read_at = under.holdings, under.holdings.read_at
        quotes_at = under.planned.inputs.quotes.read_at
        under.attempts += 1
        story = under.run.story
        rounds = story.rounds + (under.progress.legs == 0 and under.stored)
        story = replace(story, rounds=rounds, orders=story.orders + 1)
        under.run, under.stored = replace(under.run, story=story), True
        under.look = look(verdict, holdings, inputs.book, under.planned, under.run.run_id)
        try:
            intent = await self.executor.execute(
                intent,
                account=in_pair(account, intent.symbol),
                exchange=exchange,
                read_at=steadily(self.clock, read_at, inputs.book.read_at, quotes_at),
                look=under.look,
                inputs=shortened_leg(inputs),
                request=under.duty.request,
                run=under.run,
                slot=under.duty.slot,
            )
        except ClockRefused:
            await exchange.resync()
            if under.retimed:
                raise
            under.retimed = True
            return None
        under.progress = step.run
        return await self._outcome(under, leg, intent)

    async def _outcome(self, under: _Under, leg: Leg, intent: Order) -> RunEnd | None:
        if intent.state in UNRESOLVED:
            under.again_in = next_look(intent, now=under.exchange.time())
            return RunEnd.UNCLEAR
        if must_narrow(intent) and leg.asset not in under.narrowed:
            under.narrowed.add(leg.asset)
        elif intent.state in {OrderState.REJECTED, OrderState.UNFILLED}:
            if must_narrow(intent):
                await self._note_refused(under, intent)
            if not await self._refuses_type(under, intent):  # else it is sent by MARKET now
                under.failed = True
                under.refused.append(Refused(leg.asset, leg.side, self.clock.now()))
                under.close(leg)
        elif (after := self._settled(under, intent)) is None:
            under.again_in = _SETTLE_POLL
            return RunEnd.UNSETTLED
        else:
            under.holdings = after
            # What a run has just sold it does not buy back, nor sells what it bought.
            other = Side.BUY if leg.side is Side.SELL else Side.SELL
            under.closed.add((leg.asset, other))
        return None

    async def _refuses_type(self, under: _Under, intent: Order) -> bool:
        if intent.state is not OrderState.REJECTED or intent.priced is None:
            return False
        account, now = in_pair(under.account, intent.symbol), self.clock.now()
        async with self.database.reading() as session:
            known = await order_types.get(session, account, intent.order_type)
        return known.at_moment(now) is Answer.NO

    async def _note_refused(self, under: _Under, intent: Order) -> None:
        """The executor left it to whoever narrows the bound, which did not help."""
        async with self.database.writing() as session:
            await incidents.record(
                session,
                in_pair(under.account, intent.symbol),
                kind=IncidentKind.ORDER_REFUSED,
                detail=intent.error or "",
                now=self.clock.now(),
            )

    def _intent(self, under: _Under, order: ProposedOrder, inputs: LegInputs) -> Order:
        account, run, number = under.account, under.run.run_id, under.attempts + 1
        goal = under.planned.snapshot.edges[USDT]
        held = under.planned.plan.values[USDT]
        return Order(
            client_order_id=client_order_id(account_uuid=account.uuid, run_id=run, attempt=number),
            account_id=account.id,
            run_id=run,
            attempt=number,
            dry_run=account.settings.dry_run,
            trigger=under.duty.trigger,
            fence=under.fence,
            target=goal.nearest(held),
            created_at=self.clock.now(),
            leg=number,
            top=top_of(order, inputs.book),
            **terms_of_leg(order, inputs),
        )

    def _settled(self, under: _Under, intent: Order) -> Holdings | None:
        """Returns the balances that show the order, if they have lost nothing else: an answer that
        is cut off is no base for the next order.
        """
        after = self.executor.take_balances(intent)
        if after is None:
            return None
        others = set(under.planned.inputs.settings.tokens) - {base_of(intent.symbol)}
        has_all = all(after.of(asset).total >= under.holdings.of(asset).total for asset in others)
        return after if has_all else None

    async def _end(self, under: _Under, why: RunEnd) -> None:
        if not under.stored:
            return
        async with self.database.writing() as session:
            now = self.clock.now()
            left = under.left if why in _AFTER_A_PLAN else ()
            story = replace(under.run.story, refused=tuple(under.refused))
            run = replace(under.run, story=story)
            await runs.end(session, run, why, left=left, now=now)
