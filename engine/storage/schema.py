"""Which schema a database has, and bringing it to the one this program needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select
from sqlalchemy.engine import make_url

from engine.storage.database import with_driver
from engine.storage.models import NoteRow

# The note in which a migration says whose code the schema bears: the oldest one's revision.
OLDEST_CODE = "oldest_code"
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


def refusal(connection: Connection) -> str | None:
    """Why this program must not run on the database; None if it may.

    It may on its own schema, and on a newer one that was made beside it: a host migrates before it
    starts the next version, and may restart this one in between. A newer schema names the oldest
    code it bears, by its revision; whoever has that revision in its history is new enough.

    For `await async_connection.run_sync(refusal)`.
    """
    if is_current(connection):
        return None
    there = set(MigrationContext.configure(connection).get_current_heads())
    ours = {script.revision for script in ScriptDirectory(str(_SCRIPTS)).walk_revisions()}
    if not there or there <= ours:
        return "the database has an older schema or none; run: alembic upgrade head"
    oldest = connection.scalar(select(NoteRow.value).where(NoteRow.name == OLDEST_CODE))
    if oldest in ours:
        return None
    return "the database belongs to a newer version, beside which this one cannot run; start that"


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
