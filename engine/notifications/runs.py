"""Ends runs over several pairs, and tells the chat once what came of each.

Works inside the caller's transaction, so the message is stored with its fact.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.alerts.alerts import TradeSettled, trade_settled
from engine.domain.alerts.run_alerts import RunSettled, run_settled
from engine.domain.orders.order import AccountId
from engine.domain.portfolio.run import RunEnd
from engine.domain.runs.stored_run import LeftOutside, PortfolioRun
from engine.notifications.publish import publish
from engine.storage.accounts import accounts
from engine.storage.trading import runs


async def end(
    session: AsyncSession,
    run: PortfolioRun,
    why: RunEnd,
    *,
    left: tuple[LeftOutside, ...] = (),
    now: datetime,
) -> None:
    """Store the end of *run*, unless it has one; tell of its trades. A single one is told like any
    other trade, and an order whose outcome is not known yet tells of itself once it is.
    """
    story = replace(run.story, left=left)
    ended = replace(run, story=story, end=why, ended_at=now, told=True)
    if not await runs.close(session, ended):
        return
    trades = [order for order in await runs.legs(session, run) if order.execution.base_quantity]
    if not trades:
        return
    account = await accounts.get(session, run.account_id)
    alert: RunSettled | TradeSettled
    if len(trades) == 1:
        [trade] = trades
        alert = trade_settled(trade, late=False)
        key = f"order:{trade.client_order_id}:{trade.state.value}"
    else:
        alert, key = run_settled(ended, trades), f"run:{run.account_id}:{run.run_id}"
    await publish(session, account.chat_id, alert, key=key, now=now)


async def end_left_open(
    session: AsyncSession, account_ids: Sequence[AccountId], *, now: datetime
) -> None:
    """End the runs of accounts that were taken over: whoever ran them is gone."""
    for run in await runs.open_of(session, account_ids):
        await end(session, run, RunEnd.RESTARTED, left=run.story.left, now=now)
