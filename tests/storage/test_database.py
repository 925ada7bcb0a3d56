"""Transactions: what leaving a block does, who waits for whom, and how connections are set up."""

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from engine.clock import SystemClock
from engine.storage.database import Database
from engine.storage.models.coordination import KeyValueRow
from engine.storage.models.queues import OutboxRow
from engine.storage.schema import OLDEST_CODE
from tests.fakes.clock import START, FakeClock


async def notes(database: Database) -> dict[str, str]:
    async with database.reading() as session:
        rows = await session.scalars(select(KeyValueRow).where(KeyValueRow.name != OLDEST_CODE))
        return {row.name: row.value for row in rows}


async def write_note(database: Database, name: str, value: str = "") -> None:
    async with database.writing() as session:
        session.add(KeyValueRow(name=name, value=value))


def outsider(sqlite_url: str) -> sqlite3.Connection:
    """Another program on the same file, which does not wait."""
    return sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), timeout=0, isolation_level=None)


async def test_leaving_a_writing_block_commits(database):
    await write_note(database, "canary", "alive")

    assert await notes(database) == {"canary": "alive"}


async def test_an_exception_rolls_everything_back(database):
    async def fail_half_way() -> None:
        async with database.writing() as session:
            session.add(KeyValueRow(name="first", value=""))
            await session.flush()
            raise KeyError("half way")

    with pytest.raises(KeyError, match="half way"):
        await fail_half_way()

    assert await notes(database) == {}


async def test_a_cancelled_writer_rolls_back_and_lets_the_next_one_in(database):
    has_written = asyncio.Event()

    async def write_and_hang() -> None:
        async with database.writing() as session:
            session.add(KeyValueRow(name="hung", value=""))
            await session.flush()
            has_written.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        writer = tasks.create_task(write_and_hang())
        await has_written.wait()
        writer.cancel()
    await write_note(database, "next")

    assert await notes(database) == {"next": ""}


async def test_rows_can_be_used_after_their_session(database):
    await write_note(database, "canary", "alive")
    async with database.reading() as session:
        row = await session.get_one(KeyValueRow, "canary")
    async with database.writing() as session:
        written = KeyValueRow(name="other", value="kept")
        session.add(written)

    assert (row.value, written.value) == ("alive", "kept")


async def test_writers_take_turns_so_that_no_update_is_lost(database):
    await write_note(database, "count", "0")

    async def add_one() -> None:
        async with database.writing() as session:
            row = await session.get_one(KeyValueRow, "count", with_for_update=True)
            row.value = str(int(row.value) + 1)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(12):
            tasks.create_task(add_one())

    assert await notes(database) == {"count": "12"}


async def test_a_reader_does_not_wait_for_a_writer_and_sees_nothing_of_it(database):
    async with database.writing() as session:
        session.add(KeyValueRow(name="unfinished", value=""))
        await session.flush()

        assert await notes(database) == {}


async def test_a_duplicate_is_refused_and_the_message_hides_the_values(database):
    await write_note(database, "canary", "sEcReT-1")

    with pytest.raises(IntegrityError) as caught:
        await write_note(database, "canary", "sEcReT-2")

    assert "sEcReT" not in str(caught.value)


async def time_in(database: Database) -> datetime:
    async with database.reading() as session:
        now: datetime = (await session.execute(select(database.now()))).scalar_one()
        return now


async def test_on_sqlite_the_time_is_that_of_the_one_process(sqlite_url):
    async with Database.open(sqlite_url, clock=FakeClock()) as database:
        assert await time_in(database) == START


async def test_on_postgresql_the_time_is_the_servers(postgres_url):
    async with Database.open(postgres_url, clock=FakeClock()) as database:
        there = await time_in(database)

    assert there.tzinfo is UTC
    assert abs(there - SystemClock().now()) < timedelta(minutes=1)


async def test_the_time_moves_on_inside_a_postgresql_transaction(postgres_url, clock):
    """Unlike now(): a lease must not look younger than it is."""
    async with Database.open(postgres_url, clock=clock) as database, database.reading() as session:
        now = select(database.now())
        first = (await session.execute(now)).scalar_one()
        await session.execute(text("SELECT pg_sleep(0.01)"))
        second = (await session.execute(now)).scalar_one()

    assert second > first


async def test_a_time_can_be_moved_on_in_sql(database):
    async with database.reading() as session:
        is_later = await session.scalar(select(database.now() + 60_000 > database.now()))

    assert is_later


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("busy_timeout", 5000), ("foreign_keys", 1)],
)
async def test_every_sqlite_connection_is_set_up_for_money(sqlite_url, clock, pragma, value):
    async with (
        Database.open(sqlite_url, clock=clock) as database,
        database.reading() as one,
        database.writing() as other,
    ):
        values = [await session.scalar(text(f"PRAGMA {pragma}")) for session in (one, other)]

    assert values == [value, value]


async def test_a_sqlite_writer_holds_the_write_lock_from_its_start(sqlite_url, clock):
    async with Database.open(sqlite_url, clock=clock) as database, database.writing() as session:
        await session.scalar(select(KeyValueRow.value))

        with (
            outsider(sqlite_url) as other,
            pytest.raises(sqlite3.OperationalError, match="database is locked"),
        ):
            other.execute("BEGIN IMMEDIATE")
        other.close()


async def test_a_sqlite_reader_locks_nobody_out(sqlite_url, clock):
    async with Database.open(sqlite_url, clock=clock) as database, database.reading() as session:
        await session.scalar(select(KeyValueRow.value))

        other = outsider(sqlite_url)
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO notes VALUES ('from', 'outside')")
        other.execute("COMMIT")
        other.close()

    assert not session.in_transaction()


async def test_a_sqlite_writer_may_read_first_and_write_what_it_read(sqlite_url, clock):
    """A deferred transaction would fail here, with SQLITE_BUSY_SNAPSHOT."""
    async with Database.open(sqlite_url, clock=clock) as database:
        await write_note(database, "count", "0")
        async with database.writing() as session:
            row = await session.get_one(KeyValueRow, "count")
            other = outsider(sqlite_url)
            with pytest.raises(sqlite3.OperationalError, match="database is locked"):
                other.execute("UPDATE notes SET value = '9'")
            other.close()
            row.value = "1"

        assert await notes(database) == {"count": "1"}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("application_name", "ballast"),
        ("statement_timeout", "15s"),
        ("lock_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "30s"),
    ],
)
async def test_every_postgresql_connection_is_bounded(postgres_url, clock, setting, value):
    async with Database.open(postgres_url, clock=clock) as database, database.reading() as session:
        assert await session.scalar(text(f"SHOW {setting}")) == value


async def test_numbers_are_given_out_by_the_database(database, clock):
    async with database.writing() as session:
        for key in ("a", "b"):
            session.add(
                OutboxRow(
                    kind="test",
                    dedupe_key=key,
                    chat_id=1,
                    payload="{}",
                    created_at=clock.now(),
                    not_before=clock.now(),
                )
            )
    async with database.reading() as session:
        ids = list(await session.scalars(select(OutboxRow.id).order_by(OutboxRow.id)))

    assert len(ids) == 2
