"""A process says that it lives; what a dead one held is soon another's, what a living one holds is not."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from engine.clock import SystemClock
from engine.scheduling.process_presence import ProcessPresence
from engine.storage.coordination import leader_leases, leases
from engine.storage.database import Database
from engine.storage.models.coordination import LeaderLeaseRow, LeaseRow, ProcessRow
from engine.storage.models.queues import OutboxRow
from engine.storage.queues import outbox, queue
from engine.timeouts import Timing
from tests.engine.harness import CHAT, Engine
from tests.fakes.clock import START, FakeClock
from tests.fakes.exchange import FakeExchange
from tests.fakes.pooler import pooled

NOW = timedelta()
# By the database's clock, which no test moves: what is silent was silent for long enough at once.
AT_ONCE = Timing(announce_every=NOW, silence=NOW)
LONG = timedelta(minutes=1)


@asynccontextmanager
async def process(
    url: str, clock: FakeClock, name: str, *, timing: Timing = AT_ONCE
) -> AsyncGenerator[tuple[Database, ProcessPresence]]:
    """With connections of its own, which end with the block, as a killed process's do."""
    async with Database.open(url, clock=clock) as database:
        yield database, ProcessPresence(database=database, clock=clock, timing=timing, owner=name)


async def take_everything(database: Database, owner: str) -> None:
    """An account, a post and a row of the outbox."""
    clock = FakeClock()
    engine = Engine(database, clock, FakeExchange(clock, usdt=40), owner=owner)
    await engine.open_account()
    async with database.writing() as session:
        await leader_leases.hold(session, "poller", owner=owner, now=database.now(), ttl=LONG)
        await outbox.add(session, chat_id=CHAT, kind="note", payload="", dedupe_key="1", now=START)
        await queue.claim(session, OutboxRow, now=START, hold=LONG, most=1, owner=owner)


async def holders(database: Database) -> set[str | None]:
    """Whose everything is, and who is known."""
    async with database.reading() as session:
        return {
            owner
            for column in (
                LeaseRow.owner,
                LeaderLeaseRow.owner,
                OutboxRow.claimed_by,
                ProcessRow.owner,
            )
            for owner in await session.scalars(select(column))
        }


async def test_what_a_killed_process_held_is_free_as_soon_as_the_database_has_lost_it(
    postgres_url: str, clock: FakeClock
):
    async with process(postgres_url, clock, "dead") as (database, presence):
        await presence.keep()
        await take_everything(database, "dead")

    async with process(postgres_url, clock, "next") as (database, presence):
        await presence.keep()
        # A session ends a moment after its connection.
        async with asyncio.timeout(10):
            while "dead" in await holders(database):
                await SystemClock().sleep(timedelta(milliseconds=20))
                await presence.keep()

        assert await holders(database) == {None, "next"}
        async with database.writing() as session:
            now = database.now()
            assert len(await leases.claim(session, owner="next", now=now, ttl=LONG, most=9)) == 1
            [row] = await queue.claim(session, OutboxRow, now=START, hold=LONG, most=1)
        assert row.deaths == 1


async def test_a_process_that_is_silent_but_connected_keeps_what_it_holds_until_its_time_is_up(
    postgres_url: str, clock: FakeClock
):
    """As a frozen one: nobody can tell it from a slow one."""
    async with (
        process(postgres_url, clock, "frozen") as (frozen, its_presence),
        process(postgres_url, clock, "next") as (database, presence),
    ):
        await its_presence.keep()
        await take_everything(frozen, "frozen")
        await presence.keep()

        assert await holders(database) == {"frozen", "next"}

        async with database.writing() as session:
            past = database.now() - 1
            await session.execute(
                update(ProcessRow)
                .where(ProcessRow.owner == "frozen")
                .values(alive_until=past)
                .execution_options(synchronize_session=False)
            )
        await presence.keep()

        assert await holders(database) == {None, "next"}


async def test_a_process_that_lost_one_connection_and_speaks_again_keeps_what_it_holds(
    postgres_url: str, clock: FakeClock
):
    patient = Timing(announce_every=NOW)
    async with (
        process(postgres_url, clock, "living") as (living, its_presence),
        process(postgres_url, clock, "other", timing=patient) as (database, presence),
    ):
        await its_presence.keep()
        await take_everything(living, "living")
        await living.engine.dispose()
        await presence.keep()

        assert await holders(database) == {"living", "other"}


async def test_behind_a_pooler_no_session_is_taken_for_the_process(
    postgres_url: str, clock: FakeClock
):
    async with (
        pooled(postgres_url, size=2) as pooler,
        process(pooler.url(), clock, "dead") as (database, presence),
    ):
        await presence.keep()
        await take_everything(database, "dead")
    async with process(postgres_url, clock, "next") as (database, presence):
        await presence.keep()
        async with database.reading() as session:
            named = dict(
                (await session.execute(select(ProcessRow.owner, ProcessRow.session))).all()
            )

        assert named["dead"] == ""
        assert named["next"]
        assert await holders(database) == {"dead", "next"}


@pytest.mark.parametrize("part", [1, 2, 3], ids=["number", "beginning", "server"])
async def test_a_number_used_again_is_another_session_and_another_server_proves_nothing(
    postgres_url: str, clock: FakeClock, part: int
):
    async with (
        process(postgres_url, clock, "other") as (other, its_presence),
        process(postgres_url, clock, "judge") as (database, presence),
    ):
        await its_presence.keep()
        async with other.writing() as session:
            row = await session.get_one(ProcessRow, "other")
            parts = (row.session or "").split()
            parts[part - 1] = "1"
            row.session = " ".join(parts)
        await presence.keep()

        assert ("other" in await holders(database)) is (part == 3)


async def test_who_could_not_reach_the_database_gives_the_others_time_to_come_back(
    postgres_url: str, clock: FakeClock
):
    timing = Timing(announce_every=NOW, silence=timedelta(seconds=5), presence=NOW)
    async with (
        process(postgres_url, clock, "other") as (other, _),
        process(postgres_url, clock, "judge", timing=timing) as (database, presence),
    ):
        await presence.keep()
        await take_everything(other, "other")
        async with other.writing() as session:
            session.add(ProcessRow(owner="other", alive_until=START, session=None))
        clock.shift(timedelta(seconds=6))  # it stood still
        await presence.keep()
        kept = await holders(database)
        for _ in range(3):
            clock.shift(timedelta(seconds=4))
            await presence.keep()

        assert "other" in kept
        assert "other" not in await holders(database)


async def test_a_transaction_that_a_dead_process_left_open_holds_nothing_else_up(
    postgres_url: str, clock: FakeClock
):
    async with process(postgres_url, clock, "dead") as (database, presence):
        await presence.keep()
        await take_everything(database, "dead")
    async with (
        Database.open(postgres_url, clock=clock) as left_open,
        left_open.writing() as session,
        process(postgres_url, clock, "next") as (database, presence),
    ):
        await session.execute(select(OutboxRow).with_for_update())
        await presence.keep()
        meanwhile = await holders(database)
        await session.rollback()
        await presence.keep()

        assert meanwhile == {None, "dead", "next"}  # its row of the outbox, and that it was there
        assert await holders(database) == {None, "next"}


async def test_on_sqlite_nothing_is_written_more_often_than_leases_are_renewed(
    sqlite: Database, clock: FakeClock
):
    timing = Timing()
    presence = ProcessPresence(database=sqlite, clock=clock, timing=timing, owner="only")
    await presence.keep()
    async with sqlite.writing() as session:
        await session.execute(update(ProcessRow).values(alive_until=START))
    clock.shift(timing.renew_every - timedelta(seconds=1))
    await presence.keep()
    async with sqlite.reading() as session:
        said = await session.scalar(select(ProcessRow.alive_until))

    assert said == START
    assert presence.is_certain()
