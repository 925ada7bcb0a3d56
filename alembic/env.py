"""Runs migrations: at start on SQLite, as the host's release step on PostgreSQL."""

import logging
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationInfo
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from engine import dotenv
from engine.storage import postgres_rights
from engine.storage.column_types import Exact, Moment, Seconds
from engine.storage.database import with_driver
from engine.storage.models.metadata import METADATA
from engine.storage.postgres import LASTING, BadAddress, with_tls
from engine.storage.schema import DEFAULT_URL, OLDEST_CODE, sqlite_file
from engine.storage.sqlite import make_private

_LOCKED = "55P03"
_TRIES = 5
_PLAIN_TYPES = {Exact: "sa.Text()", Moment: "sa.BigInteger()", Seconds: "sa.BigInteger()"}


def spell_out(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Our column types as what they are in the database: migrations import no code of ours."""
    if kind != "type":
        return False
    if isinstance(item, sa.Enum):  # its members may change without a migration
        return f"sa.String(length={item.length})"
    return _PLAIN_TYPES.get(type(item), False)


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_item=spell_out,
        render_as_batch=True,  # SQLite cannot alter a column
        transactional_ddl=True,  # all or nothing, on SQLite too: see _say_begin_ourselves
        on_version_apply=note_the_oldest_code,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            # One migration at a time, and none that waits behind the trading of the old release.
            connection.execute(text("SET LOCAL lock_timeout = '60s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('alembic'))"))
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        context.run_migrations()


def note_the_oldest_code(*, ctx: Any, step: MigrationInfo, **_: object) -> None:
    """Leave word for older code, which cannot know what we did to the schema."""
    revision = step.destination_revision_ids
    if not revision or ctx.connection is None:
        return  # back to nothing: the table is gone
    script = context.script.get_revision(revision[0])
    here = {"name": OLDEST_CODE, "value": getattr(script.module, "oldest_code", script.revision)}
    ctx.connection.execute(text("DELETE FROM notes WHERE name = :name"), here)
    ctx.connection.execute(text("INSERT INTO notes (name, value) VALUES (:name, :value)"), here)


def _say_begin_ourselves(engine: sa.Engine) -> None:
    """The driver's own transactions leave CREATE TABLE out."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def main() -> None:
    url = context.config.attributes.get("url")
    if url is None:  # the command line; the program has its own logging
        url = _url_of_the_environment()
        logging.basicConfig(format="%(levelname)s %(message)s")
        logging.getLogger("alembic").setLevel(logging.INFO)
    if file := sqlite_file(url):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        make_private(file)
    engine = _engine(url)
    try:
        with _connected(engine) as connection:
            run(connection)
    except DBAPIError as e:
        if engine.dialect.name == "sqlite":
            raise
        if isinstance(e, OperationalError) or postgres_rights.is_missing(e):
            raise CommandError(_why(e, url)) from None
        raise  # a migration that is wrong
    finally:
        engine.dispose()


def _connected(engine: sa.Engine) -> Connection:
    """A host may start the database together with us: it is waited for, a few seconds."""
    for _ in range(_TRIES):
        with suppress(OperationalError):
            return engine.connect()
        time.sleep(1)
    return engine.connect()


def _url_of_the_environment() -> str:
    try:
        dotenv.load(Path(".env"), os.environ)
    except dotenv.UnreadableFile as e:
        raise CommandError("; ".join(e.problems)) from None
    url = dotenv.unquoted(os.environ.get("DATABASE_URL", "")) or DEFAULT_URL
    try:
        with_driver(url)
    except BadAddress as e:
        raise CommandError(f"DATABASE_URL {e}") from None
    except ValueError:
        raise CommandError("DATABASE_URL is not a postgres:// or sqlite:/// address") from None
    return with_tls(url) if os.environ.get("DYNO") else url


def _engine(url: str) -> sa.Engine:
    address = with_driver(url, asynchronous=False)
    if address.startswith("sqlite"):
        engine = create_engine(address, poolclass=NullPool, hide_parameters=True)
        _say_begin_ourselves(engine)
        return engine
    how = {**LASTING, "application_name": "ballast-release"}
    return create_engine(address, poolclass=NullPool, hide_parameters=True, connect_args=how)


def _why(error: DBAPIError, url: str) -> str:
    """Nothing was changed, whatever it was: a migration is one transaction."""
    if getattr(error.orig, "sqlstate", None) == _LOCKED:
        return "somebody holds a table that must change; nothing was changed, run it again"
    return f"nothing was changed: {postgres_rights.refusal(error, url)}"


main()
