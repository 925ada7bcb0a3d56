"""Queries of who may view an account, its forum topic, and when it is offered plans.

None is a setting of the trading: the account's version stays, and plans stay valid.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.orders.order import AccountId
from engine.storage.models.accounts import AccountRow


async def alert_route(session: AsyncSession, chat_id: int) -> tuple[int | None, bool, bool]:
    """The topic for alerts to the chat, and whether its account is paused and halted."""
    columns = (AccountRow.topic_id, AccountRow.paused, AccountRow.halted)
    known = await session.execute(select(*columns).where(AccountRow.chat_id == chat_id))
    return known.one_or_none() or (None, False, False)


async def set_all_may_look(session: AsyncSession, account_id: AccountId, *, on: bool) -> None:
    await session.execute(
        update(AccountRow).where(AccountRow.id == account_id).values(all_may_look=on)
    )


async def set_topic(session: AsyncSession, account_id: AccountId, topic_id: int | None) -> None:
    """None: the general topic, or a chat without topics."""
    await session.execute(
        update(AccountRow).where(AccountRow.id == account_id).values(topic_id=topic_id)
    )


async def ask_not_before(
    session: AsyncSession, account_id: AccountId, moment: datetime | None
) -> None:
    """Offer no plan until then."""
    await session.execute(
        update(AccountRow).where(AccountRow.id == account_id).values(not_before=moment)
    )
