"""Queries of who may view an account, its forum topic, and when it is offered plans.

None is a setting of the trading: the account's version stays, and plans stay valid.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.orders.order import AccountId
from engine.storage.models.accounts import AccountRow


@dataclass(frozen=True, slots=True)
class AlertRoute:
    """The chat's own account, if it has one, its topic for alerts, and how it stands."""

    account_id: AccountId | None = None
    topic_id: int | None = None
    paused: bool = False
    halted: bool = False


async def alert_route(session: AsyncSession, chat_id: int) -> AlertRoute:
    columns = (AccountRow.id, AccountRow.topic_id, AccountRow.paused, AccountRow.halted)
    known = await session.execute(select(*columns).where(AccountRow.chat_id == chat_id))
    row = known.one_or_none()
    return AlertRoute() if row is None else AlertRoute(AccountId(row[0]), *row[1:])


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
