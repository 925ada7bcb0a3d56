"""Backups: everything in the database in one sealed file, and back into an empty one."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import BinaryIO

from engine.accounts.halt import Halts
from engine.clock import Clock
from engine.errors import DecryptionFailed
from engine.maintenance import backup_file
from engine.maintenance.backup_file import Archive
from engine.maintenance.key_rotation import Keyring, look_over
from engine.security.vault import Vault
from engine.storage import schema
from engine.storage.coordination import key_values, leader_leases, leases, processes
from engine.storage.database import Database
from engine.storage.maintenance import table_dump
from engine.storage.models.queues import InboxRow, OutboxRow
from engine.storage.queues import queue


class NotEmpty(Exception):
    """Raised when the database has an account already."""


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """Header of a backup: the *version* of the program that made it, and its schema."""

    version: str
    schema: str
    made_at: datetime


async def back_up(
    database: Database, vault: Vault, file: BinaryIO, *, version: str, now: datetime
) -> Counter[str]:
    """Write a consistent copy of all tables; returns the rows by table.

    The database must have the newest schema. Other processes continue meanwhile.
    """
    rows: Counter[str] = Counter()
    written = Archive(file, vault)
    written.add([version, schema.newest(), now.isoformat()])
    async with database.reading() as session:
        async for table, page in table_dump.pages(session):
            written.add([table, page])
            rows[table] += len(page)
    written.finish()
    return rows


def examine(file: BinaryIO, vault: Vault) -> BackupInfo:
    """Read all of it, to its end. Raises Damaged."""
    contents = backup_file.read(file, vault)
    version, revision, made_at = next(contents)
    for _ in contents:
        pass
    return BackupInfo(version, revision, datetime.fromisoformat(made_at))


async def restore(
    database: Database, vault: Vault, file: BinaryIO, *, about: BackupInfo, clock: Clock
) -> tuple[Counter[str], Keyring]:
    """Restore a backup into an empty database, all or nothing; trading is halted.
    Claims of the old host's processes are freed; an order that was unclear is looked up.

    Raises NotEmpty, Damaged, and DecryptionFailed where our keys are not all that the backup
    needs.
    """
    rows: Counter[str] = Counter()
    async with database.writing() as session:
        if await table_dump.is_in_use(session):
            raise NotEmpty
        await table_dump.clear(session)
        for table, page in islice(backup_file.read(file, vault), 1, None):
            await table_dump.put(session, table, page)
            rows[table] += len(page)
        await table_dump.count_on(session)
        canary = await key_values.get(session, key_values.VAULT_CANARY)
        if canary is not None and not vault.knows(canary):
            raise DecryptionFailed("a key is missing")
        await queue.release_all(session, InboxRow)
        await queue.release_all(session, OutboxRow)
        await leases.release_all(session)
        await leader_leases.vacate_all(session)
        await processes.forget_all(session)
        await Halts(database=database, clock=clock).halt_restored(session, made_at=about.made_at)
        keyring = await look_over(session, vault)
    return rows, keyring
