"""Classifies database errors, and names their cause for the log without secrets."""

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

AWAY = (SQLAlchemyError, OSError)
"""What is raised where the database cannot be asked, or does not do what it was asked."""

_WORDS = {
    "25006": "read-only, as after a failover",
    "42501": "not open to this role: it lacks a right, which a restart names",
    "53100": "out of disk",
    "53300": "full: it takes no more connections",
    "55P03": "busy: somebody holds a lock",
    "57014": "busy: a statement took too long",
    "57P01": "restarting",
    "57P02": "restarting",
    "57P03": "starting up",
}


def passes(error: Exception) -> bool:
    """True if a retry may succeed, as it never does after a bug of ours."""
    if isinstance(error, NoConnectionFree):
        return True
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    # PostgreSQL's driver has an own error class; SQLite's has a code: "no such table".
    return getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR


def why(error: Exception) -> str:
    """Returns the cause, as the end of the sentence `the database is ...`."""
    if isinstance(error, NoConnectionFree):
        return "busy: no connection was free in time"
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return _WORDS.get(str(state), f"away: {type(error).__name__}")
