"""Queries of past decisions for `/why`: the newest 50 of each account."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.check_result import CheckResult
from engine.domain.rebalancing.decision_history import KEPT, is_news
from engine.storage.models.trading import DecisionRow
from engine.storage.serialization import readable, to_json
from engine.storage.statements import delete


async def remember(session: AsyncSession, account_id: AccountId, look: CheckResult) -> bool:
    """Store the last check's decision if *look* differs from it; deletes the oldest."""
    newest = await latest(session, account_id, most=1)
    if not is_news(look, before=newest[0] if newest else None):
        return False
    session.add(DecisionRow(account_id=account_id, at=look.at, payload=to_json(look)))
    await session.flush()
    too_old = (
        select(DecisionRow.id)
        .where(DecisionRow.account_id == account_id)
        .order_by(DecisionRow.id.desc())
        .limit(1)
        .offset(KEPT)
        .scalar_subquery()
    )
    await session.execute(
        delete(DecisionRow).where(DecisionRow.account_id == account_id, DecisionRow.id <= too_old)
    )
    return True


async def latest(
    session: AsyncSession, account_id: AccountId, *, most: int, skip: int = 0
) -> Sequence[CheckResult]:
    """Newest first. One that another version wrote and this one cannot read is left out."""
    payloads = await session.scalars(
        select(DecisionRow.payload)
        .where(DecisionRow.account_id == account_id)
        .order_by(DecisionRow.id.desc())
        .limit(most)
        .offset(skip)
    )
    looks = (readable(payload, CheckResult) for payload in payloads)
    return [look for look in looks if look is not None]
