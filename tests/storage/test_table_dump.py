"""Every row of every table goes from any database to any other, to the last digit."""

from sqlalchemy import BigInteger, Boolean, Integer, Text

from engine.clock import Clock
from engine.storage.accounts import accounts
from engine.storage.column_types import Base
from engine.storage.database import Database
from engine.storage.maintenance import table_dump
from tests.builders import settings
from tests.fakes.clock import START
from tests.storage.snapshots import everything, fill


async def test_what_comes_out_of_one_database_goes_into_another_and_back(
    sqlite_url: str, postgres_url: str, clock: Clock
):
    async with (
        Database.open(sqlite_url, clock=clock) as sqlite,
        Database.open(postgres_url, clock=clock) as postgres,
    ):
        await fill(sqlite)
        held = await everything(sqlite)
        async with postgres.writing() as session:
            await table_dump.clear(session)
            for name, rows in held.items():
                await table_dump.put(session, name, rows)
        there = await everything(postgres)
        async with sqlite.writing() as session:
            await table_dump.clear(session)
            gone = await table_dump.is_in_use(session)
            for name, rows in there.items():
                await table_dump.put(session, name, rows)

        assert held.keys() == Base.metadata.tables.keys()
        assert there == held
        assert not gone
        assert await everything(sqlite) == held


async def test_new_rows_are_numbered_after_those_that_were_put_in(database: Database):
    await fill(database)
    async with database.writing() as session:
        await table_dump.count_on(session)
    async with database.writing() as session:
        new = await accounts.get_or_create(session, chat_id=2, settings=settings(), now=START)

    assert new.id == 8


async def test_new_rows_are_numbered_from_one_where_there_were_none(database: Database):
    async with database.writing() as session:
        await table_dump.count_on(session)
        new = await accounts.get_or_create(session, chat_id=2, settings=settings(), now=START)

    assert new.id == 1


async def test_a_database_is_in_use_as_soon_as_somebody_is_there(database: Database):
    async with database.writing() as session:
        before = await table_dump.is_in_use(session)
        await accounts.get_or_create(session, chat_id=2, settings=settings(), now=START)

        assert not before
        assert await table_dump.is_in_use(session)


def test_values_are_plain_ones_only():
    """Whoever adds a column of another kind has to think of how a backup holds it."""
    kinds = {
        type(table_dump._plain(column.type))
        for table in Base.metadata.tables.values()
        for column in table.columns
    }

    assert kinds <= {BigInteger, Boolean, Integer, Text}
