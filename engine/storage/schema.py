"""Which schema a database has, and bringing it to the one this program needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from engine.storage.database import with_driver

DEFAULT_URL = "sqlite:///data/ballast.db"

_SCRIPTS = Path(__file__).parents[2] / "alembic"


def migrate(url: str) -> None:
    """Bring the database at *url* (as the host gives it) to the newest schema.

    All or nothing on both databases. It blocks: run it in a thread.
    """
    command.upgrade(alembic_config(url), "head")


def is_current(connection: Connection) -> bool:
    """Whether the database has exactly our schema: neither an older one nor a newer one.

    For `await async_connection.run_sync(is_current)`.
    """
    return revision(connection) == newest()


def revision(connection: Connection) -> str:
    """The name of the database's schema; empty where it has none of ours."""
    return "+".join(sorted(MigrationContext.configure(connection).get_current_heads()))


def newest() -> str:
    """The name of the schema this program needs."""
    return "+".join(sorted(ScriptDirectory(str(_SCRIPTS)).get_heads()))


def alembic_config(url: str) -> Config:
    """What Alembic's own commands need to work on *url*."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["url"] = url  # an option would need its percent signs escaped
    return config


def sqlite_file(url: str) -> Path | None:
    """The file an SQLite *url* names; None if it names none (in memory), and for PostgreSQL."""
    address = make_url(with_driver(url))
    name = address.database
    if address.get_backend_name() != "sqlite" or address.host or not name:
        return None
    return None if name.startswith((":memory:", "file:")) else Path(name)
