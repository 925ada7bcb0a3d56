"""Every row of every table goes from any database to any other, to the last digit."""

from sqlalchemy import BigInteger, Boolean, Integer, Text

from engine.clock import Clock
from engine.storage import accounts, snapshot
from engine.storage.columns import Base
from engine.storage.database import Database
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
            await snapshot.clear(session)
            for name, rows in held.items():
                await snapshot.put(session, name, rows)
        there = await everything(postgres)
        async with sqlite.writing() as session:
            await snapshot.clear(session)
            gone = await snapshot.is_in_use(session)
            for name, rows in there.items():
                await snapshot.put(session, name, rows)

        assert held.keys() == Base.metadata.tables.keys()
        assert there == held
        assert not gone
        assert await everything(sqlite) == held


async def test_new_rows_are_numbered_after_those_that_were_put_in(database: Database):
    await fill(database)
    async with database.writing() as session:
        await snapshot.count_on(session)
    async with database.writing() as session:
        new = await accounts.get_or_create(session, chat_id=2, settings=settings(), now=START)

    assert new.id == 8


async def test_new_rows_are_numbered_from_one_where_there_were_none(database: Database):
    async with database.writing() as session:
        await snapshot.count_on(session)
        new = await accounts.get_or_create(session, chat_id=2, settings=settings(), now=START)

    assert new.id == 1


async def test_a_database_is_in_use_as_soon_as_somebody_is_there(database: Database):
    async with database.writing() as session:
        before = await snapshot.is_in_use(session)
        await accounts.get_or_create(session, chat_id=2, settings=settings(), now=START)

        assert not before
        assert await snapshot.is_in_use(session)


def test_values_are_plain_ones_only():
    """Whoever adds a column of another kind has to think of how a backup holds it."""
    kinds = {
        type(snapshot._plain(column.type))
        for table in Base.metadata.tables.values()
        for column in table.columns
    }

    assert kinds <= {BigInteger, Boolean, Integer, Text}
