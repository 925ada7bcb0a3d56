"""A run that the user confirmed: whether its tap covers the order, and the answer where it does not."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.alerts.alerts import ManualDeclined, RunDeclined
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import USDT, PairRules, symbol_of
from engine.domain.portfolio.plan import PortfolioPlan
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.forecast import forecast
from engine.domain.rebalancing.planner import Plan
from engine.domain.rebalancing.run_request import RunRequest
from engine.exchanges.interface import Market
from engine.notifications.publish import publish
from engine.storage.trading import run_requests


async def confirmed(
    duty: CheckInput,
    decided: Plan,
    market: Market,
    rules: PairRules,
    book: OrderBook,
    *,
    now: datetime,
) -> tuple[Plan, bool]:
    """Returns the plan, and whether the user's tap covers its order; without one it does.
    A trade by hand is forecast once more: it leaves the account as was said, or is not made.
    """
    if decided.order is None or duty.request is None:
        return decided, True
    manual, is_covered = duty.request.manual, duty.request.covers(decided.order, now=now)
    if manual is None or not is_covered:
        return decided, is_covered
    last_price = await market.last_price(book.symbol)
    decided, comes_to = forecast(decided, rules=rules, book=book, last_price=last_price)
    account = duty.account
    return decided, comes_to is not None and manual.holds(
        account.settings, version=account.version, held_after=comes_to.held_after
    )


async def decline(
    session: AsyncSession, account: Account, request: RunRequest, decided: Plan, *, now: datetime
) -> None:
    """Answer a tap once, unless the run was cancelled or its order has left."""
    confirmation_id = request.confirmation_id
    if not await run_requests.drop(session, account.id, confirmation_id=confirmation_id):
        return
    alert = _declined(account, request, decided)
    await publish(session, account.chat_id, alert, key=f"run:{confirmation_id}:declined", now=now)


async def decline_plan(
    session: AsyncSession,
    account: Account,
    request: RunRequest,
    plan: PortfolioPlan,
    *,
    now: datetime,
) -> None:
    """As `decline`, where *plan* is another one by now than the user confirmed."""
    confirmation_id = request.confirmation_id
    if not await run_requests.drop(session, account.id, confirmation_id=confirmation_id):
        return
    first = plan.legs[0] if len(plan.legs) == 1 else None
    alert = RunDeclined(
        dry_run=account.settings.dry_run,
        symbol=account.settings.symbol if first is None else symbol_of(first.asset),
        held=plan.values[USDT],
        target=None,
        reason=None,
        new_side=None if first is None else first.side,
        new_quote=None if first is None else first.quote_amount,
    )
    await publish(session, account.chat_id, alert, key=f"run:{confirmation_id}:declined", now=now)


def _declined(
    account: Account, request: RunRequest, decided: Plan
) -> RunDeclined | ManualDeclined:
    settings, order = account.settings, decided.order
    if request.manual is not None:
        return ManualDeclined(
            dry_run=settings.dry_run,
            symbol=settings.symbol,
            side=request.side,
            reason=decided.reason,
        )
    return RunDeclined(
        dry_run=settings.dry_run,
        symbol=settings.symbol,
        held=decided.held,
        target=fixed.target if (fixed := settings.fixed) else None,
        reason=decided.reason,
        new_side=order.side if order else None,
        new_quote=order.expected_quote if order else None,
    )
