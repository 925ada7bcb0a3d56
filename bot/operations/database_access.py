"""Opens the database and its keys for an operator's command; reading creates nothing."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError

from bot.config.key_file import load_keys
from bot.config.settings import ProcessSettings
from bot.runtime.startup import CannotStart, is_current, open_database
from engine.clock import Clock
from engine.security.vault import Vault
from engine.storage import postgres_rights, schema
from engine.storage.coordination import key_values
from engine.storage.database import Database


def vault_of(settings: ProcessSettings) -> Vault:
    """Return a vault with the existing keys. Raises BadSettings."""
    return Vault(load_keys(settings.key_file) if settings.key_file else settings.encryption_keys)


@asynccontextmanager
async def beside_others(settings: ProcessSettings, *, clock: Clock) -> AsyncGenerator[Database]:
    """Open for reading, beside a running Ballast or not. Raises CannotStart."""
    _must_exist(settings)
    try:
        async with Database.open(settings.database_url, clock=clock) as database:
            await _must_be_ours(database)
            yield database
    except DBAPIError as e:
        raise CannotStart(postgres_rights.refusal(e, settings.database_url)) from e


@asynccontextmanager
async def at_work(settings: ProcessSettings, *, clock: Clock) -> AsyncGenerator[Database]:
    """Open for writing; an SQLite file is locked meanwhile. Raises CannotStart."""
    _must_exist(settings)
    async with open_database(settings.database_url, clock=clock) as database:
        await _must_be_ours(database)
        yield database


async def must_know(vault: Vault, database: Database) -> None:
    """Raises CannotStart if the database was written with other keys."""
    async with database.reading() as session:
        canary = await key_values.get(session, key_values.VAULT_CANARY)
    if canary is not None and not vault.knows(canary):
        raise CannotStart(
            "ENCRYPTION_KEYS are not the keys this database was written with; nothing was changed"
        )


def reason(error: DBAPIError) -> str:
    """Return the driver's message on one line; it holds no password."""
    return str(error.orig).partition("\n")[0]


async def _must_be_ours(database: Database) -> None:
    """A bot may run beside a newer schema; a command that needs every table and column may not."""
    if not await is_current(database):
        raise CannotStart(
            "the database has another schema than this version; start this version "
            f"once, or run: {schema.HOW_TO_MIGRATE}"
        )


def _must_exist(settings: ProcessSettings) -> None:
    file = schema.sqlite_file(settings.database_url)
    if file is not None and not file.exists():
        raise CannotStart(f"there is no database {file}; DATABASE_URL says where it is")
