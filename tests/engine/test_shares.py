"""Several processes share the accounts evenly, and nothing is lost as they come and go."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.domain.accounts.account import Account
from engine.domain.orders.order import AccountId, OrderState
from engine.domain.targets.target import FixedUsdt
from engine.scheduling.account_queue import AccountQueue, fair_share
from engine.storage.coordination import processes
from engine.storage.database import Database
from engine.storage.models.coordination import LeaseRow
from engine.storage.trading import orders
from engine.timeouts import Timing
from tests.builders import intent
from tests.engine.harness import Engine, StillClock
from tests.engine.test_dispatcher import Process, alive, open_accounts
from tests.fakes.clock import START
from tests.fakes.database import gone
from tests.fakes.exchange import FakeExchange

RENEWAL = Timing().renew_every
LEASE = Timing().lease


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def engine(sqlite: Database, clock: StillClock, exchange: FakeExchange) -> Engine:
    return Engine(sqlite, clock, exchange, owner="nobody")


async def beat(clock: StillClock, *those: Process, times: int = 1) -> None:
    """Renewals among them: the time of one passes before each round of beats."""
    for _ in range(times):
        clock.shift(RENEWAL)
        for process in those:
            await process.beat()


async def owned(engine: Engine) -> Counter[str | None]:
    async with engine.database.reading() as session:
        return Counter(await session.scalars(select(LeaseRow.owner)))


async def fences(engine: Engine) -> dict[int, int]:
    async with engine.database.reading() as session:
        rows = await session.execute(select(LeaseRow.account_id, LeaseRow.fence))
        return {row.account_id: row.fence for row in rows}


@pytest.mark.parametrize("accounts", [0, 1, 2, 7, 100])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 8])
def test_shares_are_even_and_cover_everything(accounts: int, count: int):
    share = fair_share(accounts=accounts, processes=count)

    assert share * max(count, 1) >= accounts
    assert (share - 1) * max(count, 1) < accounts


def test_what_is_worked_on_is_not_given_up():
    account_queue = AccountQueue(error_backoff=timedelta(seconds=60))
    ids = [AccountId(n) for n in range(4)]
    account_queue.take(dict.fromkeys(ids, 1), now=START)
    for busy in ids[1:3]:
        queued = account_queue.get(busy)
        assert queued is not None
        queued.busy = True

    assert account_queue.give_up(0) == account_queue.give_up(-3) == {}
    assert sorted(account_queue.give_up(3)) == [ids[0], ids[3]]
    assert len(account_queue) == 2


async def test_a_process_that_comes_later_gets_its_share_and_then_nothing_moves(
    engine: Engine, clock: StillClock
):
    opened = await open_accounts(engine, 7)
    first, second = Process(engine, owner="first"), Process(engine, owner="second")
    async with alive(first, second):
        await beat(clock, first)

        assert await owned(engine) == {"first": 7}

        await beat(clock, second, first, second)

        assert await owned(engine) == {"first": 4, "second": 3}

        settled = await fences(engine)
        await beat(clock, first, second, times=10)

        assert await fences(engine) == settled
        third = Process(engine, owner="third")
        async with alive(third):
            await beat(clock, third, first, second, third)

        assert await owned(engine) == {"first": 3, "second": 3, "third": 1}
    checked = {account_id for p in (first, second) for account_id, _ in p.checks.checked}

    assert checked == {account.id for account in opened}


async def test_those_of_a_process_that_ends_in_order_are_taken_over_with_the_next_beat(
    engine: Engine, clock: StillClock
):
    await open_accounts(engine, 5)
    first, second = Process(engine, owner="first"), Process(engine, owner="second")
    async with alive(first, second):
        await beat(clock, first, second, times=3)
        first.dispatcher.stop_claiming()
        await first.dispatcher.until_idle()
        await first.dispatcher.release()
        await second.beat()

    assert await owned(engine) == {"second": 5}


async def test_those_of_a_dead_process_are_taken_over_when_its_leases_have_run_out(
    engine: Engine, clock: StillClock
):
    await open_accounts(engine, 5)
    first, second = Process(engine, owner="first"), Process(engine, owner="second")
    async with alive(first, second):
        await beat(clock, first, second, times=3)
        await beat(clock, second, times=LEASE // RENEWAL)

        assert (await owned(engine))["first"] == 3

        await beat(clock, second)

    assert await owned(engine) == {"second": 5}


async def given_to_another(
    engine: Engine, clock: StillClock, *, meanwhile: Callable[[Account], Awaitable[object]]
) -> tuple[Process, Account]:
    """The newer one of two accounts goes over, right after it was checked."""
    [_, account] = await open_accounts(engine, 2)
    first, second = Process(engine, owner="first"), Process(engine, owner="second")
    async with alive(first, second):
        await beat(clock, first, times=2)
        await second.dispatcher.tick()
        clock.shift(RENEWAL)
        await first.beat()
        await meanwhile(account)
        await second.beat()
    return second, account


async def nothing(_: Account) -> None:
    pass


async def test_whoever_takes_an_account_over_checks_it_when_it_is_due(
    engine: Engine, clock: StillClock
):
    second, account = await given_to_another(engine, clock, meanwhile=nothing)
    standing = second.dispatcher.standing(account.id)

    assert second.checks.checked == []
    assert standing is not None
    assert standing.due_at is not None
    assert RENEWAL < standing.due_at - clock.now() < timedelta(seconds=120) - RENEWAL


async def test_a_user_who_changes_something_between_two_owners_waits_for_nothing(
    engine: Engine, clock: StillClock
):
    async def change(account: Account) -> None:
        await engine.change(account, target=FixedUsdt(Decimal(60)))

    second, account = await given_to_another(engine, clock, meanwhile=change)

    assert [account_id for account_id, _ in second.checks.checked] == [account.id]


async def test_an_order_that_is_open_is_looked_up_by_the_next_owner_at_once(
    engine: Engine, clock: StillClock
):
    async def trade(account: Account) -> None:
        async with engine.database.writing() as session:
            await orders.add(session, intent(account_id=account.id, state=OrderState.UNKNOWN))

    second, account = await given_to_another(engine, clock, meanwhile=trade)

    assert [account_id for account_id, _ in second.checks.checked] == [account.id]


def test_another_process_knows_no_reason_to_leave_an_account_alone_for_longer():
    account_queue = AccountQueue(error_backoff=timedelta(seconds=60))
    account_queue.take({AccountId(1): 1}, now=START)
    queued = account_queue.get(AccountId(1))
    assert queued is not None
    account_queue.schedule(AccountId(1), START + timedelta(hours=1))
    queued.next_at = START + timedelta(minutes=2)

    assert queued.due_in(START) == timedelta(minutes=2)


async def test_an_account_in_the_middle_of_a_check_stays_where_it_is(
    engine: Engine, clock: StillClock
):
    await open_accounts(engine, 2)
    first, second = Process(engine, owner="first"), Process(engine, owner="second")
    async with alive(first, second):
        await beat(clock, first)
        first.checks.goes_on.clear()
        clock.shift(timedelta(seconds=120))
        await engine.lease_runs_out(within=LEASE)
        await first.dispatcher.tick()
        await second.beat()
        clock.shift(RENEWAL)
        await first.dispatcher.tick()
        await second.beat()

        assert await owned(engine) == {"first": 2}

        first.checks.goes_on.set()
        await first.dispatcher.until_idle()
        await beat(clock, first, second)

    assert await owned(engine) == {"first": 1, "second": 1}


async def test_what_could_not_be_given_is_kept(engine: Engine, clock: StillClock):
    await open_accounts(engine, 4)
    commits: list[str] = []

    async def fail(step: str) -> None:
        """The second transaction after the first renewal: it gives."""
        commits.append(step)
        if broken and step == "commit" and commits.count("commit") == 2:
            raise gone()

    broken = False
    first = Process(engine, owner="first", on_step=fail)
    second = Process(engine, owner="second")
    async with alive(first, second):
        await beat(clock, first, second)
        broken = True
        commits.clear()
        await beat(clock, first)

        assert await owned(engine) == {"first": 4}

        broken = False
        await beat(clock, first, times=2)
        await second.beat()

    assert await owned(engine) == {"first": 2, "second": 2}


async def test_the_dead_are_forgotten_and_the_living_are_counted(database: Database):
    async def alive_now() -> int:
        async with database.reading() as session:
            return await processes.count(session, now=database.now())

    async with database.writing() as session:
        for owner, ttl in (("dead", -LEASE), ("a", LEASE), ("b", LEASE), ("a", LEASE)):
            await processes.announce(session, owner, now=database.now(), ttl=ttl)

    assert await alive_now() == 2

    async with database.writing() as session:
        await processes.leave(session, "a")

    assert await alive_now() == 1

    async with database.writing() as session:
        await processes.forget_all(session)

    assert await alive_now() == 0
