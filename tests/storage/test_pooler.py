"""Behind a pooler in transaction mode: nothing is kept in a session, and nothing costs more.

What is stored is tried through it as well: see tests/storage/conftest.py.
"""

import asyncio
from collections.abc import AsyncGenerator

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from engine.storage import bounded_connection, postgres
from engine.storage.database import Database
from engine.storage.migrations import migrate
from engine.storage.models.coordination import KeyValueRow
from engine.storage.schema import OLDEST_CODE
from tests.fakes.clock import FakeClock
from tests.fakes.pooler import Pooler, pooled

LIMITS = {
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
}


@pytest.fixture
async def pooler(postgres_url: str) -> AsyncGenerator[Pooler]:
    async with pooled(postgres_url) as pooler:
        yield pooler


@pytest.fixture
async def through(pooler: Pooler, clock: FakeClock) -> AsyncGenerator[Database]:
    async with Database.open(pooler.url(), clock=clock) as database:
        yield database


async def names(database: Database) -> list[str]:
    async with database.reading() as session:
        found = (
            select(KeyValueRow.name)
            .where(KeyValueRow.name != OLDEST_CODE)
            .order_by(KeyValueRow.name)
        )
        return list(await session.scalars(found))


async def write(database: Database, name: str) -> None:
    async with database.writing() as session:
        session.add(KeyValueRow(name=name, value=""))


async def test_a_transaction_with_one_statement_takes_four_round_trips(
    pooler: Pooler, through: Database
):
    """Alive? begin, the statement, the end: as many as without a pooler, timeouts included."""
    await write(through, "first")
    pooler.asked.clear()

    await write(through, "second")
    to_write = len(pooler.asked)
    await names(through)

    assert (to_write, len(pooler.asked) - to_write) == (4, 4)


async def test_a_new_connection_costs_no_round_trips_beyond_its_log_in(
    pooler: Pooler, through: Database
):
    await write(through, "first")
    pooler.asked.clear()
    async with through.reading() as session:
        await session.execute(text("SELECT 1"))
        await names(through)  # on another connection, which has to be made

    assert sum(b"BEGIN" in asked for asked in pooler.asked) == 2
    assert len(pooler.asked) == 1 + 3 + 3


@pytest.mark.parametrize(("setting", "value"), LIMITS.items())
async def test_every_transaction_is_bounded_and_no_session(
    pooler: Pooler, through: Database, setting: str, value: str
):
    async with through.writing() as session:
        inside = await session.scalar(text(f"SHOW {setting}"))
    async with through.engine.connect() as connection:
        autobegun = await connection.scalar(text(f"SHOW {setting}"))

    assert (inside, autobegun) == (value, value)
    assert pooler.leaks() == []


async def test_what_a_session_keeps_is_seen_by_the_pooler(pooler: Pooler):
    """Or else the tests through it would prove nothing."""

    def careless() -> None:
        with psycopg.connect(pooler.url(), autocommit=True) as connection:
            connection.execute("SET lock_timeout = '1s'")
            connection.execute("SELECT pg_advisory_lock(1)")
            connection.execute("LISTEN news")

    await asyncio.to_thread(careless)

    assert len(pooler.leaks()) == 3


async def test_start_parameters_that_a_pooler_does_not_track_are_refused_by_it(pooler: Pooler):
    url = pooler.url(options="-c lock_timeout=5s")

    with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter"):
        await asyncio.to_thread(lambda: psycopg.connect(url))


async def test_many_at_once_share_a_single_connection_of_the_servers(
    postgres_url: str, clock: FakeClock
):
    async with (
        pooled(postgres_url, size=1) as pooler,
        Database.open(pooler.url(), clock=clock) as database,
    ):
        async with asyncio.TaskGroup() as tasks:
            for number in range(20):
                tasks.create_task(write(database, f"{number:02}"))

        assert len(await names(database)) == 20
        assert pooler.most_clients == 8


async def test_the_release_step_migrates_through_it(empty_postgres_url: str):
    async with pooled(empty_postgres_url) as pooler:
        await asyncio.to_thread(migrate, pooler.url())

        assert pooler.leaks() == []


async def test_a_pooler_that_is_full_or_restarts_is_come_back_to(
    pooler: Pooler, through: Database
):
    await write(through, "before")
    pooler.full = True
    pooler.cut()

    with pytest.raises(DBAPIError, match="no more connections"):
        await write(through, "lost")

    pooler.full = False
    await write(through, "after")

    assert await names(through) == ["after", "before"]


async def test_a_line_that_breaks_before_the_commit_leaves_nothing(
    pooler: Pooler, through: Database
):
    async def broken() -> None:
        async with through.writing() as session:
            session.add(KeyValueRow(name="lost", value=""))
            await session.flush()
            pooler.cut()

    with pytest.raises(DBAPIError):
        await broken()
    await write(through, "next")

    assert await names(through) == ["next"]


async def test_a_server_that_says_nothing_is_hung_up_on(
    pooler: Pooler, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    """It keeps the line open and answers neither what was asked nor a newcomer."""
    monkeypatch.setattr(bounded_connection, "SILENCE_S", 0.2)
    monkeypatch.setitem(postgres.LASTING, "connect_timeout", 1)
    async with Database.open(pooler.url(), clock=clock) as database:
        await write(database, "before")

        async def interrupted() -> None:
            async with database.writing() as session:
                pooler.speaks.clear()
                session.add(KeyValueRow(name="lost", value=""))

        with pytest.raises(DBAPIError):
            await interrupted()
        with pytest.raises(DBAPIError, match="timeout"):
            await write(database, "too early")
        pooler.speaks.set()
        pooler.cut()
        await write(database, "after")

        assert await names(database) == ["after", "before"]


async def test_a_server_that_became_a_replica_is_left_for_the_one_the_name_leads_to(
    pooler: Pooler, postgres_url: str, clock: FakeClock
):
    """Sessions that began on it stay read-only; new ones come to the server that can write."""
    address = psycopg.conninfo.conninfo_to_dict(postgres_url)
    rule = "ALTER DATABASE {} SET default_transaction_read_only = {}"

    def turn(read_only: str) -> None:
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute("SET default_transaction_read_only = off")
            name = psycopg.sql.Identifier(str(address["dbname"]))
            admin.execute(psycopg.sql.SQL(rule).format(name, psycopg.sql.SQL(read_only)))

    turn("on")
    async with Database.open(postgres_url, clock=clock) as database:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await write(database, "refused")
        turn("off")
        await write(database, "taken")

        assert await names(database) == ["taken"]
