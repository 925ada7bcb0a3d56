"""Bringing a database to the newest schema, by Alembic: for a start that finds an older one.

Apart from `schema.py`, because Alembic is 10 MB and a tenth of a second that most starts do without.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError

_ENGINE = Path(__file__).parents[1]
# In an installed package; in a checkout they are beside it.
_INSTALLED = _ENGINE / "_migrations"
_SCRIPTS = _INSTALLED if _INSTALLED.is_dir() else _ENGINE.parent / "alembic"


class UnknownSchema(Exception):
    """The database has a schema that this version knows no way from."""


def migrate(url: str) -> None:
    """Bring the database at *url* (as the host gives it) to the newest schema.

    All or nothing on both databases. It blocks: run it in a thread. Raises UnknownSchema.
    """
    try:
        command.upgrade(alembic_config(url), "head")
    except CommandError as e:
        raise UnknownSchema(str(e)) from e


def alembic_config(url: str) -> Config:
    """Returns the configuration for Alembic's own commands on *url*."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["url"] = url  # an option would need its percent signs escaped
    return config
