"""Statements that change rows, as every module here builds them."""

from typing import Any

import sqlalchemy
from sqlalchemy import Delete, Update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession


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
