"""A post is one process's at a time, goes on to the next one, and is left before its lease ends."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from engine.scheduling.leader_election import POLLING, LeaderElection
from engine.storage.coordination import leader_leases
from engine.storage.database import Database
from tests.engine.harness import eventually
from tests.fakes.clock import FakeClock
from tests.fakes.database import WatchedDatabase, gone
from tests.fakes.tasks import a_moment, running

TTL = timedelta(seconds=30)
SECOND = timedelta(seconds=1)
NO_TIME = timedelta(seconds=-1)


class Polls:
    """The work of a post; *at_once* is how many processes do it."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.at_work: set[str] = set()

    async def begin(self, name: str) -> None:
        self.began.append(name)
        self.at_work.add(name)
        try:
            await asyncio.Event().wait()
        finally:
            self.at_work.discard(name)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(manual=True)


@pytest.fixture
def polls() -> Polls:
    return Polls()


@pytest.fixture
async def sqlite(sqlite_url: str, clock: FakeClock) -> AsyncGenerator[Database]:
    async with Database.open(sqlite_url, clock=clock) as opened:
        yield opened


@pytest.fixture
def watched(sqlite: Database, clock: FakeClock) -> WatchedDatabase:
    """What the posts use; a test may take it away from them."""
    return WatchedDatabase(sqlite, clock, on_step=nothing)


async def nothing(_: str) -> None:
    return


def post(database: Database, clock: FakeClock, owner: str) -> LeaderElection:
    return LeaderElection(name=POLLING, database=database, clock=clock, owner=owner)


async def hold(database: Database, owner: str, *, ttl: timedelta = TTL) -> bool:
    async with database.writing() as session:
        return await leader_leases.hold(session, POLLING, owner=owner, now=database.now(), ttl=ttl)


async def pass_time(clock: FakeClock, database: WatchedDatabase, duration: timedelta) -> None:
    """However slow the machine is: no second passes while a question waits for its answer."""
    for _ in range(duration // SECOND):
        await clock.advance(SECOND)
        while database.open_writes and database.on_step is not hang:
            await a_moment()
        await a_moment()


async def hang(_: str) -> None:
    await asyncio.Event().wait()


async def fail(_: str) -> None:
    raise gone()


async def test_a_post_is_held_by_one_until_it_is_left(database: Database):
    assert await hold(database, "a")
    assert not await hold(database, "b")
    assert await hold(database, "a")

    async with database.writing() as session:
        await leader_leases.leave(session, POLLING, owner="b")

    assert not await hold(database, "b")

    async with database.writing() as session:
        await leader_leases.leave(session, POLLING, owner="a")

    assert await hold(database, "b")
    assert not await hold(database, "a")


async def test_a_post_that_ran_out_is_anybodys(database: Database):
    await hold(database, "dead", ttl=NO_TIME)

    assert await hold(database, "b")
    assert not await hold(database, "dead")


async def test_the_only_process_on_a_database_finds_every_post_free(database: Database):
    await hold(database, "killed")
    async with database.writing() as session:
        await leader_leases.vacate_all(session)

    assert await hold(database, "next-life")


async def test_one_does_the_work_and_the_other_goes_on_as_soon_as_it_is_left(
    watched: WatchedDatabase, clock: FakeClock, polls: Polls
):
    first, second = post(watched, clock, "first"), post(watched, clock, "second")
    async with running(second.run(lambda: polls.begin("second"))):
        async with running(first.run(lambda: polls.begin("first"))):
            await eventually(lambda: len(polls.began) == 1)
            await pass_time(clock, watched, 4 * TTL)

            assert len(polls.began) == 1
            assert first.is_held != second.is_held
            assert first.is_held_elsewhere != second.is_held_elsewhere
        await first.leave()
        await pass_time(clock, watched, 3 * SECOND)
        await eventually(lambda: polls.at_work == {"second"})


async def test_a_dead_process_is_followed_when_its_lease_has_run_out(
    watched: WatchedDatabase, sqlite: Database, clock: FakeClock, polls: Polls
):
    await hold(sqlite, "killed")
    async with running(post(watched, clock, "next").run(lambda: polls.begin("next"))):
        await a_moment()
        await pass_time(clock, watched, TTL - 2 * SECOND)

        assert polls.began == []

        await pass_time(clock, watched, 5 * SECOND)
        await eventually(lambda: polls.at_work == {"next"})


@pytest.mark.parametrize("hangs", [False, True])
async def test_who_cannot_renew_stops_before_another_may_begin(
    watched: WatchedDatabase, sqlite: Database, clock: FakeClock, polls: Polls, hangs: bool
):
    holder = post(watched, clock, "cut-off")
    async with running(holder.run(lambda: polls.begin("cut-off"))):
        await eventually(lambda: polls.at_work == {"cut-off"})
        watched.on_step = hang if hangs else fail
        await pass_time(clock, watched, TTL - 4 * SECOND)

        assert polls.at_work == set()
        assert not holder.is_held
        assert not await hold(sqlite, "another")


async def test_after_a_short_outage_the_same_process_just_goes_on(
    watched: WatchedDatabase, clock: FakeClock, polls: Polls
):
    async with running(post(watched, clock, "steady").run(lambda: polls.begin("steady"))):
        await eventually(lambda: polls.at_work == {"steady"})
        watched.on_step = fail
        await pass_time(clock, watched, TTL / 2)
        watched.on_step = nothing
        await pass_time(clock, watched, 2 * TTL)

        assert polls.at_work == {"steady"}
    assert polls.began == ["steady"]


async def test_a_post_that_another_has_taken_is_lost_with_the_next_renewal(
    watched: WatchedDatabase, sqlite: Database, clock: FakeClock, polls: Polls
):
    frozen = post(watched, clock, "frozen")
    async with running(frozen.run(lambda: polls.begin("frozen"))):
        await eventually(lambda: polls.at_work == {"frozen"})
        async with sqlite.writing() as session:
            await leader_leases.leave(session, POLLING, owner="frozen")
        await hold(sqlite, "another", ttl=10 * TTL)
        await pass_time(clock, watched, TTL / 2)

        assert polls.at_work == set()
        assert frozen.is_held_elsewhere


async def test_work_that_is_done_leaves_the_post(
    watched: WatchedDatabase, sqlite: Database, clock: FakeClock
):
    async def quick() -> None:
        return

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(post(watched, clock, "quick").run(quick))
        while not serving.done():
            await clock.advance(SECOND)
            await a_moment()

    assert await hold(sqlite, "another")


async def test_what_the_work_raises_ends_the_service(watched: WatchedDatabase, clock: FakeClock):
    async def breaks() -> None:
        raise ZeroDivisionError

    with pytest.RaisesGroup(ZeroDivisionError):
        await post(watched, clock, "broken").run(breaks)


async def test_a_post_that_cannot_be_left_runs_out(
    watched: WatchedDatabase, sqlite: Database, clock: FakeClock
):
    await hold(sqlite, "cut-off")
    watched.on_step = fail
    await post(watched, clock, "cut-off").leave()

    assert not await hold(sqlite, "another")
