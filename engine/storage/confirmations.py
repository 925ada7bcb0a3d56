"""Buttons that change something: bound to a chat and a user, good once, until they expire."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage.models import ConfirmationRow


class Refusal(Enum):
    """Why a tap does nothing."""

    UNKNOWN = "unknown"
    FOREIGN = "foreign"
    EXPIRED = "expired"
    USED = "used"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """*payload* is whatever the question was about, as JSON."""

    id: str
    chat_id: int
    user_id: int
    kind: str
    payload: str
    expires_at: datetime


async def ask(session: AsyncSession, confirmation: Confirmation, *, now: datetime) -> None:
    session.add(
        ConfirmationRow(
            id=confirmation.id,
            chat_id=confirmation.chat_id,
            user_id=confirmation.user_id,
            kind=confirmation.kind,
            payload=confirmation.payload,
            created_at=now,
            expires_at=confirmation.expires_at,
            used_at=None,
        )
    )


async def take(
    session: AsyncSession, confirmation_id: str, *, chat_id: int, user_id: int, now: datetime
) -> Confirmation | Refusal:
    """Use the button up. Only the first tap of the right person in time gets the Confirmation."""
    row = await session.get(ConfirmationRow, confirmation_id)
    if row is None or row.chat_id != chat_id:
        return Refusal.UNKNOWN
    if row.user_id != user_id:
        return Refusal.FOREIGN
    if row.used_at is not None:
        return Refusal.USED
    if row.expires_at < now:
        return Refusal.EXPIRED
    first = await session.scalar(
        update(ConfirmationRow)
        .where(ConfirmationRow.id == confirmation_id, ConfirmationRow.used_at.is_(None))
        .values(used_at=now)
        .returning(ConfirmationRow.id)
        .execution_options(synchronize_session=False)
    )
    if first is None:  # another process was faster
        return Refusal.USED
    return Confirmation(
        id=row.id,
        chat_id=row.chat_id,
        user_id=row.user_id,
        kind=row.kind,
        payload=row.payload,
        expires_at=row.expires_at,
    )
