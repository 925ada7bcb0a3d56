"""Runs migrations: at start on SQLite, as the host's release step on PostgreSQL."""

import logging
import os
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

import engine.storage.chat_models
import engine.storage.models  # noqa: F401 - see above
from engine.storage.columns import Base, Exact, Moment, Seconds
from engine.storage.database import with_driver
from engine.storage.schema import DEFAULT_URL, sqlite_file

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
        target_metadata=Base.metadata,
        render_item=spell_out,
        render_as_batch=True,  # SQLite cannot alter a column
        transactional_ddl=True,  # all or nothing, on SQLite too: see _say_begin_ourselves
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            # One migration at a time, and none that waits behind the trading of the old release.
            connection.execute(text("SET LOCAL lock_timeout = '60s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('alembic'))"))
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        context.run_migrations()


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
        url = os.environ.get("DATABASE_URL", "").strip() or DEFAULT_URL
        logging.basicConfig(format="%(levelname)s %(message)s")
        logging.getLogger("alembic").setLevel(logging.INFO)
    if file := sqlite_file(url):
        file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        with_driver(url, asynchronous=False), poolclass=NullPool, hide_parameters=True
    )
    if engine.dialect.name == "sqlite":
        _say_begin_ourselves(engine)
    with engine.connect() as connection:
        run(connection)
    engine.dispose()


main()
