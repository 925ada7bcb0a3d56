"""Small facts of the installation, by name."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from engine.storage.models.coordination import KeyValueRow
from engine.storage.statements import delete, insert_into

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


async def locked(session: AsyncSession, name: str, first: str = "") -> KeyValueRow:
    """Returns the fact, locked until the transaction ends; stored as *first* if there is none."""
    await session.execute(
        insert_into(session, KeyValueRow)
        .values(name=name, value=first)
        .on_conflict_do_nothing(index_elements=["name"])
    )
    return await session.get_one(KeyValueRow, name, with_for_update=True, populate_existing=True)


async def put(session: AsyncSession, name: str, value: str) -> None:
    await session.merge(KeyValueRow(name=name, value=value))


async def remove(session: AsyncSession, name: str) -> bool:
    """Delete a fact; True for the one caller that did."""
    removed = await session.scalar(
        delete(KeyValueRow).where(KeyValueRow.name == name).returning(KeyValueRow.name)
    )
    return removed is not None
