"""Statements and questions that every module here builds alike."""

from typing import Any

import sqlalchemy
from sqlalchemy import ColumnExpressionArgument, Delete, Update, exists, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

TOLD_OF = "told_of"
"""Where a session's `info` names the tables that `Database.when_changed` tells of."""


def tell_of(session: AsyncSession, table: type[Any]) -> None:
    """Who waits for changes of *table* in this process hears of it once this is committed."""
    session.info.setdefault(TOLD_OF, set()).add(table)


def insert_into(
    session: AsyncSession, table: type[Any]
) -> postgresql.dml.Insert | sqlite.dml.Insert:
    """INSERT with ON CONFLICT, which both databases have and SQLAlchemy spells per dialect."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def update(table: Any) -> Update:
    """UPDATE of rows alone: what the session has read before stays as it was read."""
    return sqlalchemy.update(table).execution_options(synchronize_session=False)


def delete(table: Any) -> Delete:
    """DELETE of rows alone, as `update`."""
    return sqlalchemy.delete(table).execution_options(synchronize_session=False)


async def has_row(session: AsyncSession, *where: ColumnExpressionArgument[bool]) -> bool:
    """True if there is a row for which all of *where* hold."""
    return bool(await session.scalar(select(exists().where(*where))))


async def count_rows(session: AsyncSession, *where: ColumnExpressionArgument[bool]) -> int:
    """Returns for how many rows all of *where* hold."""
    return await session.scalar(select(func.count()).where(*where)) or 0
