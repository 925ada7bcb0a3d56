"""Databases with something in every table."""

from collections.abc import Sequence

from sqlalchemy import Boolean, Column, Enum, Table, Text

from engine.storage.column_types import Base, Exact
from engine.storage.database import Database
from engine.storage.maintenance import table_dump
from engine.storage.maintenance.table_dump import Value

# Above what a 32-bit column holds, where ours has 64.
NUMBER = 5_000_000_017


async def fill(database: Database) -> None:
    """A row of its own in every table; where a value may be missing, it is."""
    async with database.writing() as session:
        await table_dump.clear(session)  # of what the migrations leave word of
        for table in Base.metadata.sorted_tables:
            await table_dump.put(session, table.name, [_row(table)])


async def everything(database: Database) -> dict[str, Sequence[Sequence[Value]]]:
    async with database.reading() as session:
        found: dict[str, list[Sequence[Value]]] = {name: [] for name in table_dump.columns()}
        async for name, page in table_dump.pages(session):
            found[name] += page
    return {name: rows for name, rows in found.items() if rows}


def _row(table: Table) -> list[Value]:
    return [_value(table, column) for column in table.columns]


def _value(table: Table, column: Column[object]) -> Value:  # noqa: PLR0911 - one a kind
    if column.foreign_keys or (table.name == "accounts" and column.primary_key):
        return 7
    if column.nullable:
        return None
    match column.type:
        case Enum():
            return str(column.type.enums[0])
        case Boolean():
            return True
        case Exact():
            return "1234567890.000000000000000001"
        case Text():
            return f"{table.name}.{column.name} 'ü' \n 🟢"
        case _:
            return NUMBER
