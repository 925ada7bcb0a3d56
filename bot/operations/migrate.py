"""Migrates the database schema to this version, like `alembic upgrade head` in a checkout."""

from sqlalchemy.exc import DBAPIError

from bot.config.settings import ProcessSettings
from bot.runtime.startup import CannotStart, migrate, open_database
from engine.clock import Clock
from engine.storage import postgres_rights, schema
from engine.storage.database import Database


async def upgrade(settings: ProcessSettings, clock: Clock) -> str:
    """Migrate the database and return the report. A second call changes nothing.
    On PostgreSQL the previous release may go on trading meanwhile; an SQLite file must not be in
    use. All or nothing on both. Raises CannotStart.
    """
    url = settings.database_url
    before = await _revision(url, clock)
    if before == schema.newest():
        return f"Nothing changed: the database has schema {before} already.\n"
    if schema.sqlite_file(url) is not None:
        async with open_database(url, clock=clock):
            pass  # it migrates an SQLite file by itself
    else:
        try:
            await migrate(url)
        except DBAPIError as e:
            why = postgres_rights.refusal(e, url)
            raise CannotStart(f"the schema was not changed: {why}") from e
    return f"The database has schema {schema.newest()} now. Before: {before or 'none'}.\n"


async def _revision(url: str, clock: Clock) -> str:
    if (file := schema.sqlite_file(url)) is not None and not file.exists():
        return ""
    try:
        async with Database.open(url, clock=clock) as database, database.engine.connect() as seen:
            return await seen.run_sync(schema.revision)
    except DBAPIError as e:
        raise CannotStart(postgres_rights.refusal(e, url)) from e
