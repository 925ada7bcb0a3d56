"""`backup` and `restore`: one encrypted file, to move to another host or to recover."""

import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.exc import DBAPIError

from bot.config.settings import ProcessSettings
from bot.operations.database_access import beside_others, must_know, reason, vault_of
from bot.operations.report import folded
from bot.runtime.startup import open_database
from bot.version import VERSION
from engine.clock import Clock
from engine.errors import DecryptionFailed
from engine.maintenance import backup
from engine.maintenance.backup_file import Damaged
from engine.maintenance.key_rotation import Keyring
from engine.storage import schema
from engine.storage.coordination import processes
from engine.storage.database import Database

STANDARD_STREAM = "-"
_WORTH_NAMING = ("accounts", "orders", "audit")


class NotDone(Exception):
    """Raised when nothing was written; the text gives the reason and the remedy."""


async def back_up(settings: ProcessSettings, name: str, clock: Clock) -> str:
    """Write a backup into the file *name*, or to standard output; return the operator's report.
    Raises NotDone, CannotStart, BadSettings.
    """
    async with beside_others(settings, clock=clock) as database:
        vault = vault_of(settings)
        await must_know(vault, database)
        is_running = await _is_running(database)
        with _new_file(name) as file:
            rows = await backup.back_up(database, vault, file, version=VERSION, now=clock.now())
    return folded(
        f"The backup is complete: {_counts(rows)}.",
        f"It opens with the first key of {settings.key_file or 'ENCRYPTION_KEYS'} only. Keep that key too, in another "
        "place.",
        "A Ballast is trading on this database. What it does from now on is not in the file. "
        "For a move, stop it and back up again."
        if is_running
        else None,
    )


async def restore(settings: ProcessSettings, name: str, clock: Clock) -> str:
    """Read the file *name*, or standard input, into an empty database.
    Raises NotDone, CannotStart, BadSettings.
    """
    vault = vault_of(settings)
    with _existing_file(name) as file:
        try:
            about = backup.examine(file, vault)
            if about.schema != schema.newest():
                raise NotDone(
                    f"the backup was made by Ballast {about.version} with schema {about.schema}; "
                    f"this is {VERSION} with {schema.newest()}. Restore it with that version, "
                    "then start this one"
                )
            file.seek(0)
            async with open_database(settings.database_url, clock=clock) as database:
                rows, keyring = await backup.restore(
                    database, vault, file, about=about, clock=clock
                )
        except Damaged as e:
            raise NotDone(f"the backup cannot be used: {e}") from e
        except backup.NotEmpty as e:
            raise NotDone("this database has accounts already; restore into a new database") from e
        except DecryptionFailed as e:
            raise NotDone(
                "the MEXC keys in the backup were encrypted with another key than the file; put "
                "that key behind the first one (ENCRYPTION_KEYS=new,old)"
            ) from e
        except DBAPIError as e:
            raise NotDone(
                f"the database refused ({reason(e)}); stop every Ballast that uses it"
            ) from e
    return folded(
        f"The backup of {about.made_at:%Y-%m-%d %H:%M} UTC is restored: {_counts(rows)}.",
        _unreadable(keyring),
        "Everything is halted. No order leaves until you lift the halt. Now:",
        "1. Stop the old Ballast for good. Two with the same keys would both trade the same "
        "drift.",
        "2. Start this one. It looks up unclear orders first.",
        "3. Look at /status. Then, as the owner, send /halt off. Each chat is as it was before.",
    )


@contextmanager
def _new_file(name: str) -> Generator[BinaryIO]:
    """Yield a file for its owner only, renamed when complete; never replaces another file."""
    if name == STANDARD_STREAM:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    _refuse_if_there(path)
    try:
        descriptor, beside = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    except OSError as e:
        raise NotDone(f"{path} cannot be written: {e.strerror}") from e
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        _refuse_if_there(path)
        Path(beside).rename(path)
    except OSError as e:
        raise NotDone(f"{path} cannot be written: {e.strerror}") from e
    finally:
        Path(beside).unlink(missing_ok=True)


def _refuse_if_there(path: Path) -> None:
    if path.exists():
        raise NotDone(f"{path} exists already; choose another name")


@contextmanager
def _existing_file(name: str) -> Generator[BinaryIO]:
    """Return a file that can be read twice."""
    if name == STANDARD_STREAM:
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
            copy.seek(0)
            yield copy
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - closed below
    except OSError as e:
        raise NotDone(f"{name} cannot be read: {e.strerror}") from e
    with file:
        yield file


async def _is_running(database: Database) -> bool:
    async with database.reading() as session:
        return await processes.count(session, now=database.now()) > 0


def _counts(rows: Counter[str]) -> str:
    """Summarize row counts: the main tables by name, and all the rest together."""
    named = [f"{table} {rows[table]}" for table in _WORTH_NAMING]
    rest = rows.total() - sum(rows[table] for table in _WORTH_NAMING)
    return f"{', '.join(named)}, other rows {rest}"


def _unreadable(keyring: Keyring) -> str | None:
    if not keyring.unreadable:
        return None
    return (
        f"MEXC keys that cannot be read: {len(keyring.unreadable)} of {keyring.keys}. "
        "python -m bot check tells more."
    )
