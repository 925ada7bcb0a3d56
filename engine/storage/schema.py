"""Tells which schema a database has, and whether this program may run on it."""

from pathlib import Path

from sqlalchemy import Connection, String, column, inspect, select, table
from sqlalchemy.engine import make_url

from engine.storage.database import with_driver
from engine.storage.models.coordination import KeyValueRow

# The note in which a migration says whose code the schema bears: the oldest one's revision.
OLDEST_CODE = "oldest_code"
# In a checkout, and where the program is installed as a package.
HOW_TO_MIGRATE = "alembic upgrade head (or: ballast migrate)"
DEFAULT_URL = "sqlite:///data/ballast.db"

# The migrations this program has, oldest first: a test holds them to the files.
HISTORY = (
    *("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010"),
    *("0011", "0012", "0013", "0014", "0015", "0016", "0017", "0018", "0019", "0020"),
    *("0021", "0022", "0023", "0024", "0025", "0026", "0027", "0028", "0029", "0030"),
    *("0031", "0032", "0033", "0034", "0035"),
)
# Alembic's own; read by ourselves, because it is 10 MB that a start does not need.
_VERSIONS = table("alembic_version", column("version_num", String))


def is_current(connection: Connection) -> bool:
    """True if the database has exactly our schema: neither an older one nor a newer one.

    For `await async_connection.run_sync(is_current)`.
    """
    return revision(connection) == newest()


def revision(connection: Connection) -> str:
    """The name of the database's schema; empty where it has none of ours."""
    return "+".join(sorted(_there(connection)))


def newest() -> str:
    """The name of the schema this program needs."""
    return HISTORY[-1]


def refusal(connection: Connection) -> str | None:
    """Returns why this program must not run on the database; None if it may.

    It may on its own schema, and on a compatible newer one: a host migrates before it starts the
    next version, and may restart this one in between. A newer schema names the revision of the
    oldest code that suits it; code with that revision in its history is new enough.

    For `await async_connection.run_sync(refusal)`.
    """
    if is_current(connection):
        return None
    if _there(connection) <= set(HISTORY):
        return f"the database has an older schema or none; run: {HOW_TO_MIGRATE}"
    oldest = connection.scalar(select(KeyValueRow.value).where(KeyValueRow.name == OLDEST_CODE))
    if oldest in HISTORY:
        return None
    return "the database belongs to a newer version, beside which this one cannot run; start that"


def _there(connection: Connection) -> set[str]:
    if not inspect(connection).has_table(_VERSIONS.name):
        return set()
    return set(connection.scalars(select(_VERSIONS.c.version_num)))


def sqlite_file(url: str) -> Path | None:
    """The file an SQLite *url* names; None if it names none (in memory), and for PostgreSQL."""
    address = make_url(with_driver(url))
    name = address.database
    if address.get_backend_name() != "sqlite" or address.host or not name:
        return None
    return None if name.startswith((":memory:", "file:")) else Path(name)
