"""Start-up: opens the database and the vault, and builds the Telegram application."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy.exc import DBAPIError
from telegram.ext import ApplicationBuilder
from telegram.request import BaseRequest

from bot.config.key_file import load_or_create_keys
from bot.config.settings import ProcessSettings
from bot.runtime.components import Components
from bot.runtime.supervisor import App, connect
from engine.clock import Clock
from engine.scheduling.clock_changes import ClockChanges
from engine.security.vault import Vault
from engine.storage import postgres_rights, schema
from engine.storage.coordination import key_values, leader_leases, leases, processes
from engine.storage.database import Database
from engine.storage.models.queues import InboxRow, OutboxRow
from engine.storage.queues import queue
from engine.storage.sqlite import InUse, sole_user

logger = logging.getLogger(__name__)


class CannotStart(Exception):
    """Raised if the settings are valid but something else is not; the text says what to do."""


@asynccontextmanager
async def open_database(url: str, *, clock: Clock) -> AsyncGenerator[Database]:
    """Open the database with the schema this version needs; an SQLite file is locked.
    Raises CannotStart if it cannot be opened, another process has the file, or the schema is
    another one (PostgreSQL is migrated by `alembic upgrade head`, not here).
    """
    file = schema.sqlite_file(url)
    async with AsyncExitStack() as stack:
        try:
            if file is not None:
                stack.enter_context(sole_user(file))
            database = await stack.enter_async_context(Database.open(url, clock=clock))
            if file is not None:
                if not await is_current(database):
                    await migrate(url)
                await _take_over(database)
            elif (refusal := await _refusal(database, url)) is not None:
                raise CannotStart(refusal)
            await ClockChanges(database=database, clock=clock).begin()
        except InUse as e:
            raise CannotStart(f"{e} is in use by another Ballast; stop that one first") from e
        except DBAPIError as e:
            raise CannotStart(postgres_rights.refusal(e, url)) from e
        except OSError as e:
            raise CannotStart(f"the database {file or ''} cannot be used: {e.strerror}") from e
        yield database


async def is_current(database: Database) -> bool:
    async with database.engine.connect() as connection:
        return await connection.run_sync(schema.is_current)


async def migrate(url: str) -> None:
    """Bring the schema to this version's: all of it or nothing. Raises CannotStart, DBAPIError."""
    from engine.storage import migrations  # noqa: PLC0415 - it brings Alembic

    try:
        await asyncio.to_thread(migrations.migrate, url)
    except migrations.UnknownSchema as e:
        raise CannotStart(f"the database has a schema this version does not know: {e}") from e


async def _take_over(database: Database) -> None:
    """Release at once what a dead process had claimed: no other process can have the file open."""
    async with database.writing() as session:
        await queue.release_all(session, InboxRow)
        await queue.release_all(session, OutboxRow)
        await leases.release_all(session)
        await leader_leases.vacate_all(session)
        await processes.forget_all(session)


async def _refusal(database: Database, url: str) -> str | None:
    async with database.engine.connect() as connection:
        return await connection.run_sync(schema.refusal) or await connection.run_sync(
            postgres_rights.lacking, url
        )


async def open_vault(settings: ProcessSettings, database: Database) -> Vault:
    """Open the vault, after checking that its keys are those the database was written with."""
    keys = settings.encryption_keys
    if (key_file := settings.key_file) is not None:
        keys = tuple(load_or_create_keys(key_file))
    vault = Vault(keys)
    try:
        canary = await _canary(vault, database)
    except DBAPIError as e:
        raise CannotStart(postgres_rights.refusal(e, settings.database_url)) from e
    if not vault.knows(canary):
        raise CannotStart(
            "ENCRYPTION_KEYS are not the keys this database was written with; nothing was changed"
        )
    return vault


async def _canary(vault: Vault, database: Database) -> str:
    """Return what the first start encrypted; encrypt it now if there is none."""
    async with database.writing() as session:
        canary = await key_values.get(session, key_values.VAULT_CANARY)
        if canary is None:
            canary = await key_values.put_first(session, key_values.VAULT_CANARY, vault.canary())
    return canary


def build_application(token: str, *, request: BaseRequest, base_url: str) -> App:
    """Build an Application that neither polls nor queues by itself: see bot/updates/polling.py."""
    return (
        ApplicationBuilder()
        .token(token)
        .request(request)
        .get_updates_request(request)  # never polled with; saves reading certificates
        .base_url(f"{base_url}/bot")
        .updater(None)
        .build()
    )


async def come_online(parts: Components, clock: Clock) -> None:
    """Return once Telegram knows the bot and updates are handled."""
    await connect(parts.application, clock)
    parts.ready.set()
    parts.update_workers.nudge()
    logger.info("ready", extra={"bot": parts.application.bot.username})
