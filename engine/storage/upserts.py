"""INSERT ... ON CONFLICT, which both databases have and SQLAlchemy spells per dialect."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession


def insert_into(
    session: AsyncSession, table: type[Any]
) -> postgresql.dml.Insert | sqlite.dml.Insert:
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
