"""Reports a run that the user confirmed and that did not become an order."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.alerts.alerts import RunDeclined
from engine.domain.rebalancing.planner import Plan
from engine.domain.rebalancing.run_request import RunRequest
from engine.notifications.publish import publish
from engine.storage.trading import run_requests


async def decline(
    session: AsyncSession, account: Account, request: RunRequest, decided: Plan, *, now: datetime
) -> None:
    """Answer a tap once, unless the run was cancelled or its order has left."""
    confirmation_id = request.confirmation_id
    if not await run_requests.drop(session, account.id, confirmation_id=confirmation_id):
        return
    order = decided.order
    declined = RunDeclined(
        dry_run=account.settings.dry_run,
        symbol=account.settings.symbol,
        held=decided.held,
        target=account.settings.target,
        reason=decided.reason,
        new_side=order.side if order else None,
        new_quote=order.expected_quote if order else None,
    )
    await publish(
        session, account.chat_id, declined, key=f"run:{confirmation_id}:declined", now=now
    )
