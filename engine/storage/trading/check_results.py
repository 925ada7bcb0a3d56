"""Queries of the last check that wanted to trade, and of the last balances.

For `/why` after a restart, and for when the balances cannot be read.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from engine import work_log
from engine.domain.accounts.account import Account
from engine.domain.accounts.guard_state import GuardState
from engine.domain.market.pairs import Symbol
from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.check_result import BalanceSnapshot, CheckResult
from engine.domain.targets.scaling import Widths
from engine.domain.targets.timing import Sighting
from engine.storage.coordination import key_values
from engine.storage.models.accounts import AccountRow
from engine.storage.models.trading import CheckResultRow
from engine.storage.serialization import readable, to_json
from engine.storage.statements import update
from engine.storage.trading import decision_history


async def put(session: AsyncSession, account_id: AccountId, look: CheckResult) -> None:
    """Remembered among the decisions too, where it decided something new."""
    work_log.decided(session, account_id, look)
    await session.merge(CheckResultRow(account_id=account_id, at=look.at, payload=to_json(look)))
    await decision_history.remember(session, account_id, look)


async def get(session: AsyncSession, account_id: AccountId) -> CheckResult | None:
    """None too where another version wrote it."""
    row = await session.get(CheckResultRow, account_id)
    return None if row is None else readable(row.payload, CheckResult)


async def see(session: AsyncSession, account_id: AccountId, look: CheckResult) -> None:
    """Store the balances of *look*; a check that holds does not, so they may be old."""
    await key_values.put(session, _name(account_id), to_json(look))


async def seen(session: AsyncSession, account_id: AccountId) -> CheckResult | None:
    """None too where another version wrote it."""
    return readable(await key_values.get(session, _name(account_id)), CheckResult)


async def seen_of(
    session: AsyncSession, account_id: AccountId, symbol: Symbol
) -> BalanceSnapshot | None:
    """Returns the pair's last balances; None where unknown."""
    look = await get(session, account_id)
    if look is None or look.seen is None or look.seen.symbol != symbol:
        return None
    return look.seen


async def note_outside(session: AsyncSession, account: Account, since: datetime | None) -> None:
    """Store since when checks find the balance out of its band."""
    await _note(session, account, outside_since=since)


async def note_slot(session: AsyncSession, account: Account, at: datetime | None) -> None:
    """Store the set time that was dealt with."""
    await _note(session, account, slot_at=at)


async def note_sighting(
    session: AsyncSession, account: Account, sighting: Sighting | None
) -> None:
    """Store what is outside for the first time, or that nothing is."""
    await _note(session, account, sighted=None if sighting is None else to_json(sighting))


async def note_widths(session: AsyncSession, account: Account, widths: Widths) -> None:
    """Store the widths of today's bands."""
    await _note(session, account, widths=to_json(widths))


async def note_guard(session: AsyncSession, account: Account, state: GuardState) -> None:
    """Store what the crash guard saw."""
    await _note(session, account, guard=to_json(state))


async def _note(session: AsyncSession, account: Account, **seen: Any) -> None:
    """The account's version stays, so that the check goes on; where it has changed, nothing is
    stored.
    """
    await session.execute(
        update(AccountRow)
        .where(AccountRow.id == account.id, AccountRow.version == account.version)
        .values(**seen)
    )


def _name(account_id: AccountId) -> str:
    return f"seen:{account_id}"
