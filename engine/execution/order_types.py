"""Learns which types of orders the exchange takes, and tells the chat once where it takes one not."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.alerts.alerts import PricesNotTaken
from engine.domain.execution.capability import Lesson, learned, says_it_once
from engine.domain.market.pairs import OrderType
from engine.domain.orders.order import Order, OrderState
from engine.notifications.publish import publish
from engine.storage.trading import order_types


async def learn(
    session: AsyncSession,
    account: Account,
    intent: Order,
    lesson: Lesson,
    *,
    now: datetime,
) -> None:
    """Store what was seen of the order's type, if it is news: of its pair and its kind of money,
    whatever the account uses by now.
    """
    order_type = intent.order_type
    then = replace(account.settings, symbol=intent.symbol, dry_run=intent.dry_run)
    account = replace(account, settings=then)
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
        maker=order_type is OrderType.LIMIT_MAKER,
    )
    key = f"prices:{account.id}:{settings.symbol}:{order_type.value}:{now.isoformat()}"
    await publish(session, account.chat_id, alert, key=key, now=now)


async def learn_from_end(
    session: AsyncSession, account: Account, ended: Order, *, now: datetime
) -> None:
    """What the end of an order says of its type. A maker that ended at once says nothing."""
    cancelled = ended.cancelling_since is not None
    if ended.order_type is OrderType.IOC:
        lesson = Lesson.NOT_HONOURED if cancelled else Lesson.HONOURED
        await learn(session, account, ended, lesson, now=now)
    elif ended.order_type.may_rest and (cancelled or ended.state is not OrderState.UNFILLED):
        await learn(session, account, ended, Lesson.HONOURED, now=now)
