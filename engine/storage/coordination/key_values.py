"""Small facts of the installation, by name."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage.models.coordination import KeyValueRow

VAULT_CANARY = "vault_canary"
WEBHOOK_SECRET = "webhook_secret"  # noqa: S105 - its name
HALT = "halt"


async def get(session: AsyncSession, name: str) -> str | None:
    row = await session.get(KeyValueRow, name)
    return None if row is None else row.value


async def put_first(session: AsyncSession, name: str, value: str) -> str:
    """Store a value unless there is one, even concurrently; returns the stored value."""
    try:
        async with session.begin_nested():
            session.add(KeyValueRow(name=name, value=value))
    except IntegrityError:
        return await get(session, name) or value
    return value


async def put(session: AsyncSession, name: str, value: str) -> None:
    await session.merge(KeyValueRow(name=name, value=value))
