"""Queries of accounts: one per chat, its settings, its sealed key."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.accounts.deposits import WaitingDeposit
from engine.domain.accounts.guard_state import GuardState
from engine.domain.accounts.risk_limits import Limits
from engine.domain.accounts.settings import Settings
from engine.domain.execution.slices import SlicesEnd
from engine.domain.market.pairs import Symbol, base_of
from engine.domain.orders.order import AccountId
from engine.domain.targets.scaling import Widths
from engine.domain.targets.timing import Sighting
from engine.storage.accounts import (
    acting,
    shares,
    timed_pauses,
)
from engine.storage.accounts import halt as stored_halt
from engine.storage.accounts.setting_columns import columns_for, limits_of, settings_of, waiting_of
from engine.storage.chat import confirmations, undeliverable
from engine.storage.coordination import leases
from engine.storage.models.accounts import AccountRow, ShareRow
from engine.storage.models.trading import BalanceRow, OrderRow, RunRequestRow
from engine.storage.row_mapping import from_row
from engine.storage.serialization import readable, to_json
from engine.storage.statements import delete, has_row, update
from engine.storage.trading import balance_changes, orders, sliced_trades
from engine.storage.trading.candles import CAN_TRADE, IS_HELD

# After a change of these, what is held cannot be compared with what was held before.
_ANOTHER_PURSE = frozenset({"symbol", "dry_run", "sealed_key"})
_NO_DEPOSIT = dict.fromkeys(("waiting_amount", "waiting_until", "waiting_question"))


async def of_chat(session: AsyncSession, chat_id: int) -> Account | None:
    """The chat's own account, whatever is shared with it."""
    row = await session.scalar(select(AccountRow).where(AccountRow.chat_id == chat_id))
    return None if row is None else account_of(row)


async def acting_for(session: AsyncSession, chat_id: int) -> Account | None:
    """The account that the chat's users see: the one that is shared with it, or else its own.
    A command keeps to the one that its author was let in to.
    """
    if (known := acting.present(chat_id)) is not None and not known.left:
        share = known.share
        return await (
            of_chat(session, chat_id) if share is None else get(session, share.account_id)
        )
    shared = select(ShareRow.account_id).where(ShareRow.chat_id == chat_id).scalar_subquery()
    own = select(AccountRow.id).where(AccountRow.chat_id == chat_id).scalar_subquery()
    row = await session.scalar(
        select(AccountRow).where(AccountRow.id == func.coalesce(shared, own))
    )
    return None if row is None else account_of(row)


async def chats_with(session: AsyncSession, chat_id: int) -> Sequence[int]:
    """All chats that see the same account as this one, which is among them."""
    account = await acting_for(session, chat_id)
    return [chat_id] if account is None else await shares.chats_of(session, account)


async def get(session: AsyncSession, account_id: AccountId) -> Account:
    return account_of(await session.get_one(AccountRow, account_id))


async def get_or_create(
    session: AsyncSession, *, chat_id: int, settings: Settings, now: datetime
) -> Account:
    """The chat's account; a new one starts with *settings* and no key, and halted in a halt."""
    existing = await of_chat(session, chat_id)
    if existing is not None:
        return existing
    halt = await stored_halt.settled(session)
    row = AccountRow(
        uuid=uuid.uuid4().hex,
        chat_id=chat_id,
        version=1,
        sealed_key=None,
        key_tail=None,
        key_print=None,
        created_at=now,
        halted=halt is not None,
        **columns_for(settings),
    )
    session.add(row)
    await session.flush()
    await leases.add(session, AccountId(row.id))
    return account_of(row)


async def change(session: AsyncSession, account: Account, **wishes: Any) -> Account:
    """Set fields of the account's Settings, under a new version.

    Returns *account* itself where nothing would change. A new version stops any order planned
    under the old one (see orders.start_sending), and wakes the owner for a check. A change of
    *paused* also ends an automatic pause, and one with an end: neither is lifted automatically.
    """
    if "paused" in wishes:
        # Serialized with what lifts a pause: `engine/accounts/deliverability.py`, `timed_pause.py`.
        account = await locked(session, account.id)
        await unmark_pause(session, account.id)
    before = columns_for(account.settings)
    after = columns_for(replace(account.settings, **wishes))
    # *account* may have been read a while ago: settings changed since then are kept.
    changed = {name: value for name, value in after.items() if value != before[name]}
    is_other_pace = wishes.get("pacing", account.settings.pacing) != account.settings.pacing
    if "paused" in changed or is_other_pace:
        changed["slot_at"] = None  # what was before that was not missed
    if is_other_pace and wishes["pacing"].crash_guard != account.settings.pacing.crash_guard:
        changed["guard"] = None
    if wishes.get("scaled", account.settings.scaled) != account.settings.scaled:
        changed["widths"] = None
    changed_to = await _store(session, account, **changed) if changed else account
    await sliced_trades.end_by(session, account, wishes)
    return changed_to


async def note_slices(
    session: AsyncSession, account: Account, *, until: datetime | None
) -> Account:
    """A trade over time begins, or is over, under a new version: an order planned before stops."""
    return await _store(session, account, slicing_until=until)


async def set_guard(session: AsyncSession, account: Account, state: GuardState) -> Account:
    """The crash guard acts or is lifted, under a new version: an order planned before stops."""
    return await _store(session, account, guard=to_json(state))


async def set_limits(session: AsyncSession, account: Account, limits: Limits) -> Account:
    """Under a new version, as `change`: an order planned under the old limits stops."""
    return await _store(
        session,
        account,
        limit_order=limits.order,
        limit_day=limits.day,
        limit_orders=limits.orders_per_hour,
        limit_move=limits.move,
    )


async def wait_with(
    session: AsyncSession, account: Account, waiting: WaitingDeposit | None
) -> Account:
    """A user's word on the deposit that waits, under a new version: an order planned before it
    stops.
    """
    return await _store(session, account, **_waiting(waiting))


async def note_waiting(
    session: AsyncSession, account: Account, waiting: WaitingDeposit | None
) -> Account:
    """What a check found of the deposit that waits. The account is held by `unchanged`; its version
    stays, so that the check goes on.
    """
    await session.execute(
        update(AccountRow).where(AccountRow.id == account.id).values(**_waiting(waiting))
    )
    return replace(account, waiting=waiting)


async def store_key(
    session: AsyncSession,
    account: Account,
    *,
    sealed_key: str | None,
    key_tail: str | None,
    key_print: str | None,
    expires_at: datetime | None = None,
    checked_at: datetime | None = None,
) -> Account:
    """Replace the key and pause trading. The reminders of its expiry start again."""
    await unmark_pause(session, account.id)
    after = await _store(
        session,
        account,
        sealed_key=sealed_key,
        key_tail=key_tail,
        key_print=key_print,
        key_expires_at=expires_at,
        key_checked_at=checked_at,
        key_told_days=None,
        paused=True,
    )
    await sliced_trades.end(session, account.id, SlicesEnd.CHANGED)
    return after


async def unmark_pause(session: AsyncSession, account_id: AccountId) -> None:
    """A pause, if there is one, stays until a user ends it."""
    await undeliverable.unmark_paused(session, account_id)
    await timed_pauses.forget(session, account_id)


async def renew(session: AsyncSession, account: Account) -> Account:
    """Under a new version, with nothing else changed: an order planned under the old one stops."""
    return await _store(session, account)


async def forget_key(session: AsyncSession, account: Account) -> Account:
    """Remove the key, as `store_key` replaces it."""
    return await store_key(session, account, sealed_key=None, key_tail=None, key_print=None)


async def halt_all(session: AsyncSession, *, halted: bool) -> list[Account]:
    """Mark every account, under a new version, and wake its owner.

    A confirmed run that has not begun is cancelled, and a trade over time ends: lifting the halt
    must not start them.
    """
    # The leases come last, as in every other change, to prevent deadlocks.
    rows = await session.scalars(
        update(AccountRow)
        .values(halted=halted, version=AccountRow.version + 1, outside_since=None)
        .returning(AccountRow)
        .execution_options(populate_existing=True)
    )
    marked = [account_of(row) for row in rows]
    await session.execute(delete(RunRequestRow))
    await sliced_trades.end_all(session, SlicesEnd.HALTED)
    await leases.wake_all(session)
    return marked


async def every(session: AsyncSession) -> list[Account]:
    return [account_of(row) for row in await session.scalars(select(AccountRow))]


async def with_key(session: AsyncSession, *, after: int, most: int) -> list[Account]:
    """Returns accounts with a key and a higher number than *after*, in order."""
    query = select(AccountRow).where(AccountRow.sealed_key.is_not(None), AccountRow.id > after)
    return [
        account_of(row) for row in await session.scalars(query.order_by(AccountRow.id).limit(most))
    ]


async def trading(session: AsyncSession, symbol: Symbol, *, most: int) -> list[Account]:
    """Returns accounts that trade *symbol*, those with a key first: it may see a hidden pair."""
    held = exists().where(*IS_HELD, BalanceRow.asset == base_of(symbol))
    query = select(AccountRow).where(or_(AccountRow.symbol == symbol, held), CAN_TRADE)
    return [
        account_of(row)
        for row in await session.scalars(
            query.order_by(AccountRow.dry_run, AccountRow.id).limit(most)
        )
    ]


async def move(
    session: AsyncSession, account: Account, *, chat_id: int, sealed_key: str | None
) -> Account:
    """Move an account to another chat, with its key sealed for that one. A deposit goes on waiting,
    with its buttons.
    """
    waiting = account.waiting
    if waiting is not None:
        await confirmations.move(session, waiting.question_id, chat_id=chat_id)
    return await _store(
        session, account, chat_id=chat_id, sealed_key=sealed_key, **_waiting(waiting)
    )


async def is_key_elsewhere(session: AsyncSession, account: Account, *, key_print: str) -> bool:
    """True if another chat has connected the same key: both would trade the same drift."""
    return await has_row(session, AccountRow.key_print == key_print, AccountRow.id != account.id)


async def locked(session: AsyncSession, account_id: AccountId) -> Account:
    """Returns the current account, locked until the transaction ends."""
    row = await session.get(AccountRow, account_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise LookupError(f"account {account_id} is gone")
    return account_of(row)


async def _store(session: AsyncSession, account: Account, **columns: Any) -> Account:
    # Another target or pair has another band, and a pause is no waiting for offers.
    columns = {"outside_since": None} | columns
    is_another_purse = not _ANOTHER_PURSE.isdisjoint(columns)
    if is_another_purse:
        columns = _NO_DEPOSIT | columns
    row = await session.scalar(
        update(AccountRow)
        .where(AccountRow.id == account.id)
        .values(version=AccountRow.version + 1, **columns)
        .returning(AccountRow)
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise LookupError(f"account {account.id} is gone")
    if is_another_purse:
        await balance_changes.forget_seen(session, account.id)
    await leases.wake(session, account.id)
    return account_of(row)


async def has_unresolved(session: AsyncSession, account_id: AccountId) -> bool:
    """True if an order is unresolved; if not, none leaves before the transaction ends."""
    await orders.hold_account(session, account_id, changes=True)
    return await has_row(session, OrderRow.account_id == account_id, orders.IS_UNRESOLVED)


async def unchanged(
    session: AsyncSession, account: Account, *, owner: str, fence: int, now: ColumnElement[Any]
) -> Account | None:
    """Returns the account as it is now. None if it has changed since *account* was read, has an
    unresolved order, or is not leased to *owner* under *fence*. No order of it leaves before the
    transaction ends.
    """
    if await has_unresolved(session, account.id):
        return None
    current = await get(session, account.id)
    is_ours = current.version == account.version and await leases.is_held(
        session, account.id, owner=owner, fence=fence, now=now
    )
    return current if is_ours else None


def _waiting(waiting: WaitingDeposit | None) -> dict[str, Any]:
    if waiting is None:
        return dict(_NO_DEPOSIT)
    return {
        "waiting_amount": waiting.amount,
        "waiting_until": waiting.until,
        "waiting_question": waiting.question_id,
    }


def account_of(row: AccountRow) -> Account:
    return from_row(
        Account,
        row,
        settings=settings_of(row),
        waiting=waiting_of(row),
        guard=readable(row.guard, GuardState),
        sighted=readable(row.sighted, Sighting),
        widths=readable(row.widths, Widths),
        limits=limits_of(row),
    )
