"""Reads what the checks of accounts need from the database."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, TypeVar

from sqlalchemy import Exists, bindparam, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.check_input import CheckInput
from engine.storage.accounts import accounts, alert_preferences, incidents, low_balance
from engine.storage.models.accounts import AccountRow, IncidentRow, LowBalanceRow
from engine.storage.models.trading import OrderRow, RunRequestRow
from engine.storage.trading import balance_changes, orders, run_requests, sliced_trades

Key = TypeVar("Key")
Value = TypeVar("Value")
_Read = Callable[[AsyncSession, Sequence[AccountId]], Awaitable[Mapping[Key, Value]]]

_AT_ONCE = 100


def _has(account_id: InstrumentedAttribute[int], *where: Any) -> Exists:
    return exists().where(account_id == AccountRow.id, *where)


# Built once. What few accounts have is read only of those that have it.
_ACCOUNTS = select(
    *AccountRow.__table__.columns,
    _has(OrderRow.account_id, orders.IS_UNRESOLVED).label("unresolved"),
    # One that is unresolved now may be a fill by the time that fills are read.
    _has(OrderRow.account_id, or_(orders.IS_TRADE, orders.IS_UNRESOLVED)).label("filled"),
    _has(IncidentRow.account_id).label("troubled"),
    _has(RunRequestRow.account_id).label("asked"),
    _has(LowBalanceRow.account_id).label("marked"),
).where(AccountRow.id.in_(bindparam("account_ids", expanding=True)))


async def duties(session: AsyncSession, account_ids: Sequence[AccountId]) -> list[CheckInput]:
    """Returns the input of these accounts' checks, in a few statements per hundred.

    Ten thousand rows at once would block the event loop for half a second.
    """
    found: list[CheckInput] = []
    for first in range(0, len(account_ids), _AT_ONCE):
        found += await _duties(session, account_ids[first : first + _AT_ONCE])
    return found


async def _duties(session: AsyncSession, account_ids: Sequence[AccountId]) -> list[CheckInput]:
    read = await session.execute(_ACCOUNTS, {"account_ids": account_ids})
    names = tuple(read.keys())
    # In half the time that mapped rows take, with the same names.
    rows: list[Any] = [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in read]
    found = {AccountId(row.id): accounts.account_of(row) for row in rows}

    def having(what: str) -> list[AccountId]:
        return [AccountId(row.id) for row in rows if getattr(row, what)]

    running = [number for number, one in found.items() if one.slicing_until is not None]
    timed = [number for number, one in found.items() if one.settings.pacing.schedule is not None]
    unresolved = await _of(session, orders.unresolved_of, having("unresolved"))
    fills = await _of(session, orders.last_fills_of, having("filled"))
    ongoing = await _of(session, incidents.of_accounts, having("troubled"))
    asked = await _of(session, run_requests.of_accounts, having("asked"))
    marks = await _of(session, low_balance.of_accounts, having("marked"))
    seen = await _of(session, balance_changes.last_seen_of, list(found))
    sliced = await _of(session, sliced_trades.of_accounts, running)
    zones = await _of(session, alert_preferences.time_zones_of, timed)
    return [
        CheckInput(
            account=account,
            unresolved=unresolved.get(number),
            last_fill=fills.get((number, account.settings.dry_run)),
            trouble=ongoing.get(number),
            request=asked.get(number),
            marks=marks.get(number, ()),
            last_seen=seen.get((number, account.settings.dry_run)),
            sliced=sliced.get(number),
            time_zone=zones.get(number),
        )
        for number, account in found.items()
    ]


async def _of(
    session: AsyncSession, read: _Read[Key, Value], account_ids: Sequence[AccountId]
) -> Mapping[Key, Value]:
    """Of no accounts nothing is asked."""
    return await read(session, account_ids) if account_ids else {}
