"""The database and its keys, as an operator's command needs them: nothing is made by looking."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError

from bot.config.key_file import load_keys
from bot.config.settings import ProcessSettings
from bot.runtime.startup import CannotStart, open_database
from engine.clock import Clock
from engine.security.vault import Vault
from engine.storage import postgres_rights, schema
from engine.storage.coordination import key_values
from engine.storage.database import Database


def vault_of(settings: ProcessSettings) -> Vault:
    """With the keys there are. Raises BadSettings."""
    return Vault(load_keys(settings.key_file) if settings.key_file else settings.encryption_keys)


@asynccontextmanager
async def beside_others(settings: ProcessSettings, *, clock: Clock) -> AsyncGenerator[Database]:
    """For reading, whether a Ballast works on it or not. Raises CannotStart."""
    _must_exist(settings)
    try:
        async with Database.open(settings.database_url, clock=clock) as database:
            await _must_be_ours(database)
            yield database
    except DBAPIError as e:
        raise CannotStart(postgres_rights.refusal(e, settings.database_url)) from e


@asynccontextmanager
async def at_work(settings: ProcessSettings, *, clock: Clock) -> AsyncGenerator[Database]:
    """For writing: an SQLite file is ours alone meanwhile. Raises CannotStart."""
    _must_exist(settings)
    async with open_database(settings.database_url, clock=clock) as database:
        await _must_be_ours(database)
        yield database


async def must_know(vault: Vault, database: Database) -> None:
    """Raises CannotStart where the database was written with other keys."""
    async with database.reading() as session:
        canary = await key_values.get(session, key_values.VAULT_CANARY)
    if canary is not None and not vault.knows(canary):
        raise CannotStart(
            "ENCRYPTION_KEYS are not the keys this database was written with; nothing was done"
        )


def reason(error: DBAPIError) -> str:
    """The driver's own words, on one line; they name no password."""
    return str(error.orig).partition("\n")[0]


async def _must_be_ours(database: Database) -> None:
    """A bot may run beside a newer schema; what has to know every table and column may not."""
    async with database.engine.connect() as connection:
        if not await connection.run_sync(schema.is_current):
            raise CannotStart(
                "the database has another schema than this version; start this version "
                f"once, or run: {schema.HOW_TO_MIGRATE}"
            )


def _must_exist(settings: ProcessSettings) -> None:
    file = schema.sqlite_file(settings.database_url)
    if file is not None and not file.exists():
        raise CannotStart(f"there is no database {file}; DATABASE_URL says where it is")
