"""Who owns an account: one process at a time, under a fence that every claim raises."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.domain.orders.order import AccountId
from engine.storage.accounts import accounts
from engine.storage.coordination import leases, takeover
from engine.storage.coordination.leases import PendingEvents
from engine.storage.database import Database
from engine.storage.models.coordination import LeaseRow
from tests.builders import settings
from tests.fakes.clock import START, FakeClock
from tests.fakes.tasks import a_moment

TTL = timedelta(seconds=90)
NO_TIME = timedelta(seconds=-1)


@pytest.fixture
async def ids(database: Database) -> list[AccountId]:
    """Four accounts that nobody owns."""
    async with database.writing() as session:
        made = [
            await accounts.get_or_create(session, chat_id=chat_id, settings=settings(), now=START)
            for chat_id in range(4)
        ]
    return [account.id for account in made]


async def claim(
    database: Database, owner: str, *, ttl: timedelta = TTL, most: int = 100
) -> Mapping[AccountId, int]:
    async with database.writing() as session:
        return await leases.claim(session, owner=owner, now=database.now(), ttl=ttl, most=most)


async def renew(database: Database, owner: str) -> Mapping[AccountId, int]:
    async with database.writing() as session:
        return await leases.renew(session, owner=owner, now=database.now(), ttl=TTL)


async def calls(database: Database, owner: str) -> PendingEvents:
    async with database.reading() as session:
        return await leases.pending_events(session, owner=owner, now=database.now())


async def wake(database: Database, account_id: AccountId) -> None:
    async with database.writing() as session:
        await leases.wake(session, account_id)


async def test_a_free_account_is_claimed_by_one(database: Database, ids: list[AccountId]):
    assert await claim(database, "a") == dict.fromkeys(ids, 1)
    assert await claim(database, "b") == {}
    assert not (await calls(database, "b")).any_free


async def test_no_more_are_claimed_than_wanted(database: Database, ids: list[AccountId]):
    assert list(await claim(database, "a", most=1)) == ids[:1]
    assert sorted(await claim(database, "b", most=2)) == ids[1:3]


async def test_two_who_claim_at_the_same_time_share(database: Database, ids: list[AccountId]):
    async with asyncio.TaskGroup() as tasks, database.writing() as session:
        ours = await leases.claim(session, owner="a", now=database.now(), ttl=TTL, most=2)
        theirs = tasks.create_task(claim(database, "b"))
        await a_moment()

    assert sorted([*ours, *theirs.result()]) == ids
    assert len(ours) == 2


async def test_a_lease_that_ran_out_is_claimed_under_a_new_fence(
    database: Database, ids: list[AccountId]
):
    await claim(database, "a", ttl=NO_TIME)

    assert (await calls(database, "b")).any_free
    assert await claim(database, "b") == dict.fromkeys(ids, 2)
    assert await renew(database, "a") == {}


async def test_a_lease_that_ran_out_is_not_renewed_even_if_nobody_took_it(
    database: Database, ids: list[AccountId]
):
    await claim(database, "a", ttl=NO_TIME)

    assert await renew(database, "a") == {}
    assert await claim(database, "a") == dict.fromkeys(ids, 2)


async def test_renewing_prolongs_all_that_is_still_held(sqlite_url: str, clock: FakeClock):
    async with Database.open(sqlite_url, clock=clock) as database:
        async with database.writing() as session:
            account = await accounts.get_or_create(
                session, chat_id=1, settings=settings(), now=START
            )
        await claim(database, "a")
        for _ in range(5):
            clock.shift(TTL)

            assert await renew(database, "a") == {account.id: 1}
        clock.shift(TTL + timedelta(milliseconds=1))

        assert await renew(database, "a") == {}


async def test_leases_on_postgresql_go_by_its_own_clock(postgres_url: str, clock: FakeClock):
    async with Database.open(postgres_url, clock=clock) as database:
        async with database.writing() as session:
            await accounts.get_or_create(session, chat_id=1, settings=settings(), now=START)
        await claim(database, "a")
        clock.shift(timedelta(days=1))

        assert await claim(database, "b") == {}


async def test_what_is_released_is_free_at_once(database: Database, ids: list[AccountId]):
    await claim(database, "a", most=2)
    await claim(database, "b")
    async with database.writing() as session:
        due_in = dict.fromkeys(ids[:2], timedelta(seconds=30))
        await leases.release(session, due_in, owner="a", now=database.now())

    assert await claim(database, "c") == dict.fromkeys(ids[:2], 2)


async def test_the_next_owner_learns_when_an_account_is_due_unless_it_was_woken_or_its_owner_died(
    database: Database, ids: list[AccountId]
):
    minute = timedelta(minutes=1)
    await claim(database, "a", most=3)
    async with database.writing() as session:
        now = database.now()
        due_in = {ids[0]: minute, ids[1]: minute, ids[2]: minute, ids[3]: minute}
        await leases.release(session, due_in, owner="a", now=now)  # the last one is not its own
    await wake(database, ids[1])
    await claim(database, "killed", most=4)
    async with database.writing() as session:
        assert await leases.handed_over(session, now=database.now(), most=9) == {}
        await leases.release(session, due_in, owner="killed", now=database.now())
        await leases.claim(session, owner="dead", now=database.now(), ttl=TTL, most=1)
        await takeover.free_everything_of(session, ["dead"])
    await wake(database, ids[1])
    async with database.writing() as session:
        handed_over = await leases.handed_over(session, now=database.now(), most=9)

    assert sorted(handed_over) == ids[2:]
    assert all(minute - timedelta(seconds=9) < left <= minute for left in handed_over.values())


async def test_a_process_that_has_the_database_to_itself_frees_what_the_dead_held(
    database: Database, ids: list[AccountId]
):
    await claim(database, "killed")
    async with database.writing() as session:
        await leases.release_all(session)

    assert await claim(database, "next-life") == dict.fromkeys(ids, 2)


async def test_a_wake_up_reaches_the_owner_until_it_is_heard(
    database: Database, ids: list[AccountId]
):
    await claim(database, "a")
    await wake(database, ids[1])

    assert await calls(database, "a") == PendingEvents(woken=[ids[1]], any_free=False)
    assert await calls(database, "b") == PendingEvents(woken=[], any_free=False)

    async with database.writing() as session:
        await leases.clear_wakeups(session, [ids[1]])

    assert await calls(database, "a") == PendingEvents(woken=[], any_free=False)


async def test_claiming_answers_the_wake_ups_of_before(database: Database, ids: list[AccountId]):
    await wake(database, ids[0])
    await claim(database, "a")

    assert (await calls(database, "a")).woken == []


@pytest.mark.parametrize("woken", [False, True])
async def test_an_account_that_was_ours_and_ran_out_is_free_for_us_too(
    database: Database, ids: list[AccountId], woken: bool
):
    """After a stall or an outage nobody else may be there to claim it."""
    await claim(database, "a", ttl=NO_TIME)
    if woken:
        await wake(database, ids[0])

    assert await calls(database, "a") == PendingEvents(woken=[], any_free=True)
    assert await calls(database, "b") == PendingEvents(woken=[], any_free=True)


async def test_a_lease_says_how_long_it_lasts(database: Database, ids: list[AccountId]):
    await claim(database, "a")
    async with database.reading() as session:
        left = await session.scalars(
            select(LeaseRow.account_id).where(
                LeaseRow.lease_until > database.now() + 80_000,
                LeaseRow.lease_until <= database.now() + 90_000,
            )
        )

        assert sorted(left) == ids
