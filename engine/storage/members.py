"""Who was let in by the pairing code, who was refused, and the code itself (hashed)."""

from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage.models import MemberRow, NoteRow, StrangerRow

_CODE = "pairing_code"
_TRIES = "pairing_tries"


async def is_member(session: AsyncSession, *, chat_id: int, user_id: int) -> bool:
    return await session.get(MemberRow, (chat_id, user_id)) is not None


async def is_owner(session: AsyncSession, *, user_id: int) -> bool:
    query = exists().where(MemberRow.user_id == user_id, MemberRow.is_owner)
    return bool(await session.scalar(select(query)))


async def has_owner(session: AsyncSession) -> bool:
    return bool(await session.scalar(select(exists().where(MemberRow.is_owner))))


async def admit(
    session: AsyncSession, *, chat_id: int, user_id: int, is_owner: bool, now: datetime
) -> None:
    session.add(MemberRow(chat_id=chat_id, user_id=user_id, is_owner=is_owner, created_at=now))
    await session.execute(delete(StrangerRow).where(StrangerRow.chat_id == chat_id))


async def refuse_once(session: AsyncSession, *, chat_id: int, now: datetime) -> bool:
    """True the first time a chat is refused; afterwards it hears nothing."""
    if await session.get(StrangerRow, chat_id) is not None:
        return False
    session.add(StrangerRow(chat_id=chat_id, refused_at=now))
    return True


async def set_code(session: AsyncSession, *, code_hash: str, tries: int) -> None:
    """Offer a new pairing code; the one before is worthless from now on."""
    await session.merge(NoteRow(name=_CODE, value=code_hash))
    await session.merge(NoteRow(name=_TRIES, value=str(tries)))


async def spend_try(session: AsyncSession) -> str | None:
    """The code's hash for one comparison, or None where there is no code or no try is left."""
    code = await session.get(NoteRow, _CODE, with_for_update=True)
    tries = await session.get(NoteRow, _TRIES, with_for_update=True)
    if code is None or tries is None or int(tries.value) < 1:
        return None
    tries.value = str(int(tries.value) - 1)
    return code.value


async def void_code(session: AsyncSession) -> None:
    await session.execute(delete(NoteRow).where(NoteRow.name.in_({_CODE, _TRIES})))
