"""Queries of one-time invitation codes (hashed), and of the wrong codes per user."""

import hmac
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import from_millis, to_millis
from engine.domain.accounts.members import Invitation
from engine.storage.coordination import key_values
from engine.storage.models.accounts import InvitationRow
from engine.storage.models.coordination import KeyValueRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.statements import delete, update

# How long a late user still gets the answer that the code has expired.
_REMEMBERED = timedelta(days=7)
_GUESSES = "code_guesses:{}"


async def add(
    session: AsyncSession, invitation: Invitation, *, code_hash: str, now: datetime
) -> None:
    """Store a code; deletes expired ones."""
    await session.execute(
        delete(InvitationRow).where(InvitationRow.expires_at < now - _REMEMBERED)
    )
    session.add(
        InvitationRow(
            code_hash=code_hash,
            created_at=now,
            used_by=None,
            used_at=None,
            **columns_of(invitation),
        )
    )


async def find(session: AsyncSession, code_hash: str) -> tuple[Invitation, int | None] | None:
    """The invitation with that hash and who used it; compared in constant time."""
    rows = (await session.scalars(select(InvitationRow))).all()
    # Every hash is compared, whichever fits: the duration reveals nothing.
    fitting = [row for row in rows if hmac.compare_digest(row.code_hash, code_hash)]
    if not fitting:
        return None
    [row] = fitting
    return from_row(Invitation, row), row.used_by


async def use(session: AsyncSession, code_hash: str, *, user_id: int, now: datetime) -> bool:
    """Use the code up; returns True for the first caller alone."""
    used = await session.scalar(
        update(InvitationRow)
        .where(InvitationRow.code_hash == code_hash, InvitationRow.used_at.is_(None))
        .values(used_at=now, used_by=user_id)
        .returning(InvitationRow.code_hash)
    )
    return used is not None


async def is_any_open(session: AsyncSession, *, now: datetime) -> bool:
    """True if some code could be used now."""
    query = select(InvitationRow.code_hash).where(
        InvitationRow.used_at.is_(None), InvitationRow.expires_at >= now
    )
    return await session.scalar(query.limit(1)) is not None


async def withdraw(session: AsyncSession, *, chat_id: int, invited_by: int, now: datetime) -> None:
    """Revoke the codes that a user made as an owner of the chat."""
    await session.execute(
        update(InvitationRow)
        .where(
            InvitationRow.chat_id == chat_id,
            InvitationRow.invited_by == invited_by,
            InvitationRow.used_at.is_(None),
            InvitationRow.expires_at > now,
        )
        .values(expires_at=now - timedelta(seconds=1))
    )


async def void(session: AsyncSession, *, code_hash: str, now: datetime) -> None:
    """Expire a code that was not used."""
    await session.execute(
        update(InvitationRow)
        .where(InvitationRow.code_hash == code_hash, InvitationRow.used_at.is_(None))
        .values(expires_at=now - timedelta(seconds=1))
    )


async def move(session: AsyncSession, *, old: int, new: int) -> None:
    """Move a group's codes to its new id."""
    await session.execute(
        update(InvitationRow).where(InvitationRow.chat_id == old).values(chat_id=new)
    )


async def guesses(session: AsyncSession, *, user_id: int, since: datetime) -> int:
    """Returns how many wrong codes the user sent after *since*; locks the count."""
    name = _GUESSES.format(user_id)
    await key_values.put_first(session, name, f"0 {to_millis(since)}")
    row = await session.get_one(KeyValueRow, name, with_for_update=True, populate_existing=True)
    count, first = row.value.split()
    return int(count) if from_millis(int(first)) > since else 0


async def guessed(session: AsyncSession, *, user_id: int, count: int, now: datetime) -> None:
    """Store the *count* of wrong codes, beside the time of the first."""
    name = _GUESSES.format(user_id)
    before = await key_values.get(session, name)
    first = before.split()[1] if before and count > 1 else str(to_millis(now))
    await key_values.put(session, name, f"{count} {first}")


async def forget_guesses(session: AsyncSession) -> None:
    """Every user may guess again: there is another code to be guessed."""
    await session.execute(
        delete(KeyValueRow).where(
            KeyValueRow.name.startswith(_GUESSES.format(""), autoescape=True)
        )
    )
