"""Queries of each account's open incident, which is alerted once, also across restarts."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.incidents import Incident, IncidentKind, IncidentTimes
from engine.domain.orders.order import AccountId
from engine.storage.models.accounts import IncidentRow
from engine.storage.row_mapping import columns_of, from_row


async def get(session: AsyncSession, account_id: AccountId) -> Incident | None:
    row = await session.get(IncidentRow, account_id)
    return None if row is None else _trouble(row)


async def of_accounts(
    session: AsyncSession, account_ids: Sequence[AccountId]
) -> Mapping[AccountId, Incident]:
    rows = await session.scalars(
        select(IncidentRow).where(IncidentRow.account_id.in_(account_ids))
    )
    return {AccountId(row.account_id): _trouble(row) for row in rows}


async def put(session: AsyncSession, account_id: AccountId, trouble: Incident) -> None:
    await session.merge(
        IncidentRow(
            **columns_of(trouble, "kind", "told_kinds", "kinds"),
            account_id=account_id,
            kind=trouble.kind.value,
            told_kinds=",".join(sorted(kind.value for kind in trouble.told_kinds)),
            kinds=_written(trouble.kinds),
        )
    )


async def end(session: AsyncSession, account_id: AccountId) -> None:
    await session.execute(delete(IncidentRow).where(IncidentRow.account_id == account_id))


def _trouble(row: IncidentRow) -> Incident:
    return from_row(
        Incident,
        row,
        kind=_kind(row.kind) or IncidentKind.INTERNAL,
        told_kinds=frozenset(
            kind for told in row.told_kinds.split(",") if (kind := _kind(told)) is not None
        ),
        kinds=_read(row.kinds),
    )


def _written(kinds: Mapping[IncidentKind, IncidentTimes]) -> str:
    """`unreachable=3@2026-11-22T12:00:00+00:00`, separated by commas."""
    return ",".join(
        f"{kind.value}={times.count}@{times.since.isoformat()}" for kind, times in kinds.items()
    )


def _read(text: str) -> Mapping[IncidentKind, IncidentTimes]:
    """Returns the counts by kind; skips what only another version can read."""
    kinds = {}
    for part in text.split(","):
        name, _, times = part.partition("=")
        count, _, since = times.partition("@")
        with suppress(ValueError):
            kinds[IncidentKind(name)] = IncidentTimes(int(count), datetime.fromisoformat(since))
    return kinds


def _kind(name: str) -> IncidentKind | None:
    """None for one that only another version knows: an account must not stop for its name."""
    try:
        return IncidentKind(name)
    except ValueError:
        return None
