"""Holds back a due trade in a chat that approves trades first, or is only informed.

The plan, its buttons and its alert are stored in one transaction, so that neither exists without
the other.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import ANY_TRADER, Confirmation
from engine.domain.accounts.risk_limits import BASIS_POINTS
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.alerts import Alert, DriftNoticed, PlanOffered
from engine.domain.alerts.plan_alerts import PortfolioNoticed, PortfolioOffered
from engine.domain.execution.bounded_order import BoundedOrder
from engine.domain.market.decimals import ZERO, ceil_to_step, step_of
from engine.domain.portfolio.plan import PortfolioPlan
from engine.domain.rebalancing.approval import (
    OFFER,
    ApprovalRequest,
    ApprovalState,
    ApprovalStep,
    lasts_until,
    step,
)
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.check_result import CheckResult
from engine.domain.rebalancing.forecast import Forecast
from engine.domain.rebalancing.planner import ProposedOrder
from engine.domain.rebalancing.run_request import Due, RunOffer, WholePlan
from engine.errors import LeaseLost
from engine.notifications import incidents
from engine.notifications.publish import publish
from engine.rebalancing.pacing import slot_over
from engine.storage.accounts import accounts
from engine.storage.chat import confirmations
from engine.storage.serialization import to_json
from engine.storage.service import Service
from engine.storage.trading import approvals, check_results, run_requests
from engine.timeouts import Timing

_ENDED = frozenset({ApprovalState.OVER, ApprovalState.TAKEN})


@dataclass(eq=False, kw_only=True, repr=False)
class Approvals(Service):
    timing: Timing
    owner: str

    async def request(
        self,
        duty: CheckInput,
        order: ProposedOrder,
        comes_to: Forecast,
        *,
        look: CheckResult,
        fence: int,
    ) -> None:
        """Offer *order* to the chat, or report it, unless done already; *comes_to* is shown.

        Raises LeaseLost, and sends nothing, if the account's owner or settings changed meanwhile:
        after a pause nothing is offered.
        """
        notice = _noticed(duty.account, order, comes_to, look)
        await self._request(duty, order, notice, look=look, fence=fence)

    async def request_plan(
        self, duty: CheckInput, plan: PortfolioPlan, *, look: CheckResult, fence: int
    ) -> None:
        """As `request`, of all trades of *plan* at once."""
        notice = PortfolioNoticed.of(plan, dry_run=duty.account.settings.dry_run)
        await self._request(duty, WholePlan(plan.legs), notice, look=look, fence=fence)

    async def _request(
        self,
        duty: CheckInput,
        due: Due,
        notice: DriftNoticed | PortfolioNoticed,
        *,
        look: CheckResult,
        fence: int,
    ) -> None:
        account, now = duty.account, self.clock.now()
        async with self.database.writing() as session:
            current = await accounts.unchanged(
                session, account, owner=self.owner, fence=fence, now=self.database.now()
            )
            if current is None or current.stopped:
                raise LeaseLost(f"account {account.id} changed before its plan was offered")
            await check_results.put(session, account.id, look)
            await slot_over(session, duty)
            calm = self.timing.calm(account.settings.interval)
            await incidents.resolve(session, account, duty.trouble, now=now, calm=calm)
            if await run_requests.is_waiting(session, account.id):
                return  # tapped during the check: the next check answers it
            last = await approvals.last(session, account.id)
            match step(last, due, account, now=now, patience=self.timing.question):
                case ApprovalStep.NEW:
                    if last is not None:
                        await confirmations.call_off(session, last.id, now=now)
                    await self._tell(session, account, due, notice, now=now)
                case ApprovalStep.KEEP if last is not None:
                    until = lasts_until(account, now=now, patience=self.timing.question)
                    await confirmations.prolong(session, last.id, until=until)
                    await approvals.put(session, account.id, replace(last, expires_at=until))
                case _:
                    pass

    async def withdraw(self, account: Account) -> None:
        """Withdraw the open offer: the balance is back in its band. Writes only then."""
        if account.settings.autonomy is TradingMode.AUTO:
            return
        async with self.database.reading() as session:
            last = await approvals.last(session, account.id)
        if last is None or last.standing in _ENDED:
            return
        now = self.clock.now()
        async with self.database.writing() as session:
            await confirmations.call_off(session, last.id, now=now)
            await approvals.answered(session, account.id, last.id, ApprovalState.OVER, now)

    async def _tell(
        self,
        session: AsyncSession,
        account: Account,
        due: Due,
        notice: DriftNoticed | PortfolioNoticed,
        *,
        now: datetime,
    ) -> None:
        patience = self.timing.question
        offer = ApprovalRequest.of(
            due, account, offer_id=secrets.token_urlsafe(9), now=now, patience=patience
        )
        await approvals.put(session, account.id, offer)
        alert: Alert = notice
        if account.settings.autonomy is TradingMode.ASK:
            alert = (
                PlanOffered(confirmation_id=offer.id, drift=notice)
                if isinstance(notice, DriftNoticed)
                else PortfolioOffered(confirmation_id=offer.id, notice=notice)
            )
            question = Confirmation(
                id=offer.id,
                chat_id=account.chat_id,
                user_id=ANY_TRADER,
                kind=OFFER,
                payload=to_json(RunOffer.of(account, due)),
                asked_at=now,
                expires_at=offer.expires_at,
            )
            await confirmations.ask(session, question)
        await publish(session, account.chat_id, alert, key=f"offer:{offer.id}", now=now)


def _noticed(
    account: Account, order: ProposedOrder, comes_to: Forecast, look: CheckResult
) -> DriftNoticed:
    settings, fixed = account.settings, account.settings.fixed_goal
    return DriftNoticed(
        dry_run=settings.dry_run,
        symbol=settings.symbol,
        side=order.side,
        expected_quote=comes_to.quote_amount,
        expected_base=comes_to.base_quantity,
        asked_quote=order.expected_quote,
        held_after=comes_to.held_after,
        complete=comes_to.complete,
        held=look.seen.held if look.seen else fixed.target,
        target=fixed.target,
        band=fixed.band,
        bound=order.price if isinstance(order, BoundedOrder) else None,
        cost=expected_cost(order),
    )


def expected_cost(order: ProposedOrder) -> Decimal | None:
    """Returns what an order with a bound is expected to cost, with the fee: a fraction of its worth."""
    if not isinstance(order, BoundedOrder):
        return None
    return ceil_to_step(max(order.cost_bp, ZERO) / BASIS_POINTS, step_of(6))
