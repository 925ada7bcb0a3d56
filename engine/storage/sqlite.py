"""One process per SQLite file, and nobody else's eyes on it: a second process would share neither
clock nor write queue with the first.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_OWNER_ALONE = 0o600
_BESIDE = ("", "-wal", "-shm", "-journal", ".lock")


class InUse(Exception):
    """Another process has the database open."""


@contextmanager
def sole_user(database_file: Path) -> Generator[None]:
    """Hold `<database>.lock` and the file itself for the length of the block; the system lets go
    when we die. The file has the lock whatever its name: a link to it is no second database.

    It is made if there is none, readable by its owner alone, as one that is there becomes.
    Raises InUse if another process holds one of the two.
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
    """Nobody but its owner may read the database, nor what SQLite keeps beside it."""
    for suffix in _BESIDE:
        path = database_file.with_name(f"{database_file.name}{suffix}")
        # Where it cannot be, as on some mounted volumes, it is not a reason not to trade. What is no
        # file, such as /dev/null, belongs to everybody.
        with suppress(OSError):
            if path.is_file() and path.stat().st_mode & 0o077:
                path.chmod(_OWNER_ALONE)
