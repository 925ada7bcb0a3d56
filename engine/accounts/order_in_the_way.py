"""Refuses what would leave an order behind that cannot be looked up any more."""

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.execution.maker_first import rests
from engine.domain.orders.order import AccountId
from engine.errors import OrderRests, OrderUnresolved
from engine.storage.accounts import accounts
from engine.storage.trading import orders, run_requests


async def refuse_unresolved(session: AsyncSession, account_id: AccountId) -> None:
    """Raises OrderRests while an order waits at the exchange, OrderUnresolved while the end of
    another is not known. Else none leaves before the transaction ends.
    """
    if not await accounts.has_unresolved(session, account_id):
        return
    order = (await orders.unresolved_of(session, [account_id])).get(account_id)
    if order is not None and rests(order):
        raise OrderRests("an order waits at the exchange")
    raise OrderUnresolved("an order is not resolved yet")


async def cancel_run(session: AsyncSession, account_id: AccountId) -> None:
    """Cancel a confirmed run that has not begun. Raises OrderUnresolved while an order is."""
    await refuse_unresolved(session, account_id)
    await run_requests.drop(session, account_id)
