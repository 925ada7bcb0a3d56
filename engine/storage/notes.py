"""Small facts of the installation, by name."""

from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage.models import NoteRow

VAULT_CANARY = "vault_canary"


async def get(session: AsyncSession, name: str) -> str | None:
    row = await session.get(NoteRow, name)
    return None if row is None else row.value


async def put(session: AsyncSession, name: str, value: str) -> None:
    await session.merge(NoteRow(name=name, value=value))
