"""Waits at start for a database that is starting too, within a limit."""

import asyncio
import logging
import re
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.runtime.startup import CannotStart
from engine.clock import Clock
from engine.storage import postgres_rights, schema
from engine.storage.database import Database

# A host that starts both gives the database seconds; one that reports starting gets longer.
_PATIENCE, _WHILE_STARTING = timedelta(seconds=15), timedelta(minutes=2)
_LOOK_EVERY = timedelta(seconds=1)
_STARTING = re.compile("starting up|shutting down|recovery|not yet accepting|57P0")
# Errors that waiting cannot resolve.
_HOPELESS = re.compile(
    "authentication|password|does not exist|pg_hba|not permitted|not found|invalid|certificate|SSL"
)

logger = logging.getLogger(__name__)


class _NotYet(Exception):
    """Raised if the database takes no writes now; the text is the symptom."""


async def database_is_ready(url: str, *, clock: Clock, stop: asyncio.Event) -> bool:
    """Wait for a PostgreSQL that takes writes; False if *stop* was set meanwhile.
    SQLite is not asked. Raises CannotStart if waiting cannot help or took too long.
    """
    if schema.sqlite_file(url) is not None:
        return True
    began, is_told = clock.now(), False
    while not stop.is_set():
        try:
            await _ask(url, clock)
        except DBAPIError as e:
            problem, words = postgres_rights.refusal(e, url), str(e.orig)
        except _NotYet as e:
            problem = words = str(e)
        else:
            return True
        patience = _WHILE_STARTING if _STARTING.search(words) else _PATIENCE
        if _HOPELESS.search(words) or clock.now() - began >= patience:
            raise CannotStart(problem)
        if not is_told:
            logger.warning("database not ready, waiting: %s", problem)
            is_told = True
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_EVERY.total_seconds()):
                await stop.wait()
    return False


async def _ask(url: str, clock: Clock) -> None:
    """Raises DBAPIError, or _NotYet if the database is read-only."""
    async with Database.open(url, clock=clock) as database, database.engine.connect() as there:
        if (await there.scalar(text("SHOW transaction_read_only"))) == "on":
            raise _NotYet("the database is read-only, as a standby is; it must take writes")
