"""One process per SQLite file: a second one would share neither clock nor write queue with it."""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


class InUse(Exception):
    """Another process has the database open."""


@contextmanager
def sole_user(database_file: Path) -> Generator[None]:
    """Hold `<database>.lock` for the length of the block; the system lets go when we die.

    Raises InUse if another process holds it.
    """
    database_file.parent.mkdir(parents=True, exist_ok=True)
    with database_file.with_name(database_file.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            raise InUse(str(database_file)) from e
        yield
