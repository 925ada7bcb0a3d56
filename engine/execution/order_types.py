"""Learns which types of orders the exchange takes, and tells the chat once where it takes one not."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.alerts.alerts import PricesNotTaken
from engine.domain.execution.capability import Lesson, learned, says_it_once
from engine.domain.market.pairs import OrderType
from engine.notifications.publish import publish
from engine.storage.trading import order_types


async def learn(
    session: AsyncSession,
    account: Account,
    lesson: Lesson,
    *,
    now: datetime,
    order_type: OrderType = OrderType.IOC,
) -> None:
    """Store what was seen of an order of that type, if it is news."""
    before = await order_types.get(session, account, order_type)
    known = learned(before, lesson, now=now)
    if known.answer is before.at_moment(now):
        return
    await order_types.put(session, account, order_type, known)
    if not says_it_once(before, known):
        return
    settings = account.settings
    alert = PricesNotTaken(
        dry_run=settings.dry_run,
        symbol=settings.symbol,
        rested=lesson is Lesson.NOT_HONOURED,
    )
    key = f"prices:{account.id}:{settings.symbol}:{now.isoformat()}"
    await publish(session, account.chat_id, alert, key=key, now=now)
