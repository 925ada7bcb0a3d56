"""Which failures of a database pass, and which are mistakes of ours."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy.exc import (
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from engine.storage import availability
from tests.fakes.database import disk_full, gone


def of_sqlite(statement: str) -> OperationalError:
    """What SQLite really says to *statement* while another connection has the write lock."""
    uri = "file:outage?mode=memory&cache=shared"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as holder:
        holder.execute("CREATE TABLE held (n)")
        holder.execute("BEGIN IMMEDIATE")
        with closing(sqlite3.connect(uri, uri=True, timeout=0)) as other:
            try:
                other.execute(statement)
            except sqlite3.OperationalError as e:
                return OperationalError(statement, None, e)
    raise LookupError(statement)


PASSING = {
    "the connection broke": gone(),
    "the disk is full": disk_full(),
    "the connection is closed": InterfaceError("SELECT 1", None, ConnectionError("closed")),
    "no connection is free": NoConnectionFree("QueuePool limit reached"),
    "another has the lock": of_sqlite("BEGIN IMMEDIATE"),
}
OURS = {
    "twice the same": IntegrityError("INSERT", None, ValueError("UNIQUE constraint failed")),
    "too large": DataError("INSERT", None, ValueError("out of range")),
    "no such table": of_sqlite("SELECT * FROM nowhere"),
}


@pytest.mark.parametrize("error", PASSING.values(), ids=PASSING)
def test_what_a_database_lost_or_had_no_time_for_may_succeed_later(error: SQLAlchemyError):
    assert availability.passes(error)


@pytest.mark.parametrize("error", OURS.values(), ids=OURS)
def test_what_was_asked_wrongly_never_succeeds(error: SQLAlchemyError):
    assert not availability.passes(error)
