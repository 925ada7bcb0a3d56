"""SQL that is compiled once for all tests: a third of their time went into doing it anew in each.

A program has one engine, and compiles a statement when it meets it first. Tests open thousands of
engines, each with a cache of its own; here all of one kind share one.
"""

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.util import LRUCache

_ROOM = 10_000
_compiled: LRUCache[Any, Any] = LRUCache(_ROOM)


def share() -> None:
    """What was compiled for a dialect counts for all dialects of its class, in this process."""
    for dialect in (SQLiteDialect_aiosqlite, PGDialectAsync_psycopg):
        vars_of = {"__eq__": _is_of_the_same_class, "__hash__": _by_class}
        for name, function in vars_of.items():
            setattr(dialect, name, function)
    event.listen(Engine, "engine_connect", _use_what_is_compiled)


def _is_of_the_same_class(one: object, other: object) -> bool:
    return type(one) is type(other)


def _by_class(one: object) -> int:
    return hash(type(one))


def _use_what_is_compiled(connection: Connection) -> None:
    connection.engine._compiled_cache = _compiled
