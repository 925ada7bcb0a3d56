"""SQLite's own: a file locked for one process, and connections that let go of it.

A second process would share neither clock nor write queue.
"""

import fcntl
import os
import sqlite3
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_OWNER_ALONE = 0o600
_BESIDE = ("", "-wal", "-shm", "-journal", ".lock")


class InUse(Exception):
    """Another process has the database open."""


class Connection(sqlite3.Connection):
    """Lets go of the database when it is closed.

    SQLite keeps a connection open, with its transaction and lock, until the last of its statements
    is deleted; and where a task was cancelled, one lives on in the traceback, until it is garbage.
    """

    def close(self) -> None:
        with suppress(sqlite3.Error):  # then the statement's end is waited for, as without this
            self.rollback()
        super().close()


@contextmanager
def sole_user(database_file: Path) -> Generator[None]:
    """Lock `<database>.lock` and the file itself; the system unlocks them when we die.
    The file's lock covers links to it.

    Missing files are made; all become readable by their owner alone. Raises InUse if another
    process holds one of the two.
    """
    database_file.parent.mkdir(parents=True, exist_ok=True)
    beside = database_file.with_name(f"{database_file.name}.lock")
    with ExitStack() as stack:
        # In this order: closing the file of a database that this process has open already would
        # take SQLite's own locks from it.
        for file in (beside, database_file):
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT, _OWNER_ALONE)
            stack.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as e:
                raise InUse(str(database_file)) from e
        make_private(database_file)
        yield


def make_private(database_file: Path) -> None:
    """Make the database and SQLite's files beside it readable by their user alone."""
    for suffix in _BESIDE:
        path = database_file.with_name(f"{database_file.name}{suffix}")
        # Failing that, as on some mounted volumes, trading continues. A device, such as /dev/null,
        # is shared and stays as it is.
        with suppress(OSError):
            if path.is_file() and path.stat().st_mode & 0o077:
                path.chmod(_OWNER_ALONE)
