"""Every row of every table, out of one database and into another, of the same kind or not.

A row is a list of plain values (text, whole numbers, truth values, nothing), as they are stored:
nothing is understood on the way, so nothing is changed.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    exists,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import TypeEngine

from engine.storage.models.accounts import AccountRow, MemberRow
from engine.storage.models.metadata import METADATA

Value = str | int | bool | None
_ROWS = 500


def columns() -> Mapping[str, Sequence[str]]:
    """The tables, each after those it refers to, with their columns."""
    return {name: table.columns.keys() for name, table in _TABLES.items()}


async def pages(session: AsyncSession) -> AsyncIterator[tuple[str, list[list[Value]]]]:
    """All rows as of one moment, a table and some of its rows at a time.

    The session must be a new one that only reads.
    """
    if _is_postgres(session):
        # The driver is left alone: it would say a BEGIN of its own beside ours from then on.
        await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    for name, table in _TABLES.items():
        query = select(table).order_by(*table.primary_key)
        rows = await session.stream(query, execution_options={"yield_per": _ROWS})
        async for page in rows.partitions():
            yield name, [list(row) for row in page]


async def is_in_use(session: AsyncSession) -> bool:
    """True if there is an account or a member; locked until the transaction ends."""
    if _is_postgres(session):
        tables = ", ".join(f'"{name}"' for name in _TABLES)
        await session.execute(text(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE"))
    somebody = exists(select(AccountRow.id)) | exists(select(MemberRow.user_id))
    return bool(await session.scalar(select(somebody)))


async def clear(session: AsyncSession) -> None:
    """Delete what a first start left in an unused database: a canary, a code, an update."""
    for table in reversed(_TABLES.values()):
        await session.execute(table.delete())


async def put(session: AsyncSession, name: str, rows: Sequence[Sequence[Value]]) -> None:
    table = _TABLES[name]
    keys = table.columns.keys()
    await session.execute(insert(table), [dict(zip(keys, row, strict=True)) for row in rows])


async def count_on(session: AsyncSession) -> None:
    """New rows get numbers after those that were put in."""
    if not _is_postgres(session):
        return  # SQLite finds the highest one itself
    for name, table in METADATA.tables.items():
        if (column := table.autoincrement_column) is not None:
            highest = select(func.max(column)).scalar_subquery()
            sequence = func.pg_get_serial_sequence(name, column.name)
            await session.execute(
                select(func.setval(sequence, func.coalesce(highest, 1), highest.is_not(None)))
            )


def _is_postgres(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _plain(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    if isinstance(kind, String):  # of any length; an Enum's value is one too
        return Text()
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind


_PLAIN = MetaData()
_TABLES = {
    table.name: Table(
        table.name,
        _PLAIN,
        *(
            Column(column.name, _plain(column.type), primary_key=column.primary_key)
            for column in table.columns
        ),
    )
    for table in METADATA.sorted_tables
}
