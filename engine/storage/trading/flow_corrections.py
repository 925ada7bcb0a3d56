"""Queries of what people say of the flows of an account."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.flows import Correction
from engine.domain.market.pairs import Asset
from engine.domain.orders.order import AccountId
from engine.domain.profit.entries import Corrections, FlowKey
from engine.storage.models.trading import FlowCorrectionRow
from engine.storage.row_mapping import columns_of
from engine.storage.statements import delete


async def of(session: AsyncSession, account_id: AccountId, *, dry_run: bool) -> Corrections:
    rows = await session.execute(
        select(
            FlowCorrectionRow.kind,
            FlowCorrectionRow.asset,
            FlowCorrectionRow.since,
            FlowCorrectionRow.units,
            FlowCorrectionRow.correction,
        ).where(FlowCorrectionRow.account_id == account_id, FlowCorrectionRow.dry_run.is_(dry_run))
    )
    return {
        FlowKey(kind, Asset(asset), since, units): correction
        for kind, asset, since, units, correction in rows
    }


async def put(
    session: AsyncSession,
    account_id: AccountId,
    keys: Sequence[FlowKey],
    correction: Correction | None,
    *,
    dry_run: bool,
) -> None:
    """Keep what is said of all *keys*; None forgets it."""
    for key in keys:
        await session.execute(
            delete(FlowCorrectionRow).where(
                FlowCorrectionRow.account_id == account_id,
                FlowCorrectionRow.dry_run.is_(dry_run),
                FlowCorrectionRow.kind == key.kind,
                FlowCorrectionRow.asset == key.asset,
                FlowCorrectionRow.since == key.since,
            )
        )
    if correction is not None:
        session.add_all(
            FlowCorrectionRow(
                account_id=account_id, dry_run=dry_run, **columns_of(key), correction=correction
            )
            for key in keys
        )
