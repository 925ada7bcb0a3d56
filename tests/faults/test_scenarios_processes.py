"""Scenarios 25, 26 and 36: more than one process, one that stands still, one that is told to end."""

import signal
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.runtime.startup import CannotStart, open_database
from engine.domain.orders.order import Order, OrderState
from engine.storage.database import Database
from engine.storage.models.coordination import LeaseRow
from engine.storage.models.queues import OutboxRow
from engine.storage.models.trading import OrderRow
from engine.timeouts import Timing
from tests.e2e.process import GRACE_S, until
from tests.e2e.world import ENCRYPTION_KEY, a_world
from tests.e2e.world import ORDER as ORDER_POST
from tests.fakes.clock import FakeClock
from tests.fakes.database import WatchedDatabase
from tests.fakes.mexc_faults import Fault
from tests.fakes.telegram_faults import CONFLICT
from tests.faults.bench import BALANCES, ORDER, PEOPLE, Bench, Exchange, Life, Person
from tests.faults.invariants import broken_at_rest
from tests.sampling import sampled

DRIFT = Decimal("17.10")
SECOND = timedelta(seconds=1)
OFTEN = "/setinterval 10s"


def drift(bench: Bench, person: Person, usdt: Decimal = DRIFT) -> None:
    bench.mexc.deposit(person.api_key, "USDT", usdt)


def told(bench: Bench, person: Person, words: str) -> int:
    return sum(words in text for text in bench.texts(person))


async def owners(bench: Bench, person: Person) -> list[str]:
    """The living processes that think the account is theirs."""
    account = await bench.account(person)
    return [life.name for life in bench.alive if life.parts.dispatcher.standing(account.id)]


def checkers(bench: Bench, *, since: int) -> set[str]:
    """Who has read anybody's balances since so many requests."""
    return {e.life for e in bench.exchanges[since:] if e.request.path == BALANCES}


# 25: two copies overlap at every deploy


async def test_25_two_copies_at_a_deploy_have_one_owner_an_account_and_send_one_order_a_drift(
    bench: Bench,
):
    """Old and new run side by side for a minute, as at every deploy. One owner per account."""
    anna, bert, carl = (bench.add_person(person) for person in PEOPLE[:3])
    async with bench.life("old"):
        await bench.connect(anna, OFTEN)
        await bench.connect(bert, OFTEN)
        await bench.pass_time(10 * SECOND)
        began = len(bench.exchanges)
        new = await bench.start("new")
        bench.telegram.fail("getUpdates", CONFLICT, times=2)
        drift(bench, anna)
        drift(bench, bert)
        await bench.connect(carl, OFTEN)
        await bench.pass_time(60 * SECOND)
        bench.telegram.say(anna.chat_id, "/version")
        await bench.pass_time(10 * SECOND)

        assert [len(await owners(bench, person)) for person in (anna, bert, carl)] == [1, 1, 1]
        assert await owners(bench, anna) == await owners(bench, bert) == ["old"]
        assert "old" in checkers(bench, since=began)
        assert len(bench.mexc.orders) == 2
        assert told(bench, anna, "Up for") == 1
    let_go = len(bench.exchanges)
    for person in (anna, bert, carl):
        drift(bench, person)
    await bench.pass_time(60 * SECOND)

    assert checkers(bench, since=let_go) == {"new"}
    assert {order.api_key for order in bench.mexc.orders[2:]} == {
        person.api_key for person in (anna, bert, carl)
    }
    assert [told(bench, person, "Bought") for person in (anna, bert, carl)] == [2, 2, 1]
    assert await broken_at_rest(bench) == []
    await new.end()


async def test_25_whoever_died_without_letting_go_is_followed_once_its_leases_ran_out(
    bench: Bench,
):
    """The old copy is killed instead of ended: the new one waits for the leases, then goes on."""
    anna = bench.add_person()
    old = await bench.start("old")
    await bench.connect(anna)
    async with bench.life("new"):
        await old.kill()
        drift(bench, anna)
        await bench.pass_time(30 * SECOND)

        assert bench.order_posts == 0

        await bench.lose_leases()
        await bench.pass_time(30 * SECOND)

        assert (bench.order_posts, told(bench, anna, "Bought")) == (1, 1)
        assert await broken_at_rest(bench) == []


async def test_25_on_sqlite_a_second_copy_is_turned_away(sqlite_url: str, clock: FakeClock):
    """Two processes on one file would share neither clock nor write queue."""
    async with open_database(sqlite_url, clock=clock):
        with pytest.raises(CannotStart, match="in use by another Ballast"):
            async with open_database(sqlite_url, clock=clock):
                pass


# 26: the owner stands still past its lease

FREEZES_AT = {
    "with a plan": "GET /api/v3/depth ends",
    "with an order on its lips": f"POST {ORDER} begins",
    "with an order sent": f"POST {ORDER} ends",
}


async def freeze(bench: Bench, life: Life, *, at: str | None) -> None:
    """The process trades, and stands still in the middle of it."""
    life.fuse.freezes = True
    life.fuse.at = at
    for _ in range(24):
        if not life.fuse.is_frozen:
            await bench.pass_time(5 * SECOND)

    assert life.fuse.is_frozen


def freeze_before_the_gate(life: Life) -> None:
    trader = life.parts.dispatcher.checker._executor
    start = trader._start

    async def stand_still(*args: Order, **how: object) -> Order:
        life.fuse.steps = 1
        return await start(*args, **how)  # type: ignore[arg-type]

    trader._start = stand_still  # type: ignore[method-assign]


async def take_over_and_thaw(bench: Bench, life: Life) -> None:
    """Another process has the account for two minutes, then the sleeper wakes up."""
    await bench.start("other")
    await bench.lose_leases()
    await bench.pass_time(timedelta(minutes=2))
    life.thaw()
    await bench.pass_time(timedelta(minutes=2))


@pytest.mark.parametrize("at", sampled(FREEZES_AT, every=2))
async def test_26_an_owner_that_slept_past_its_lease_trades_nothing_twice(bench: Bench, at: str):
    """The VM stalls, the lease runs out, another process trades; the sleeper's order is refused."""
    anna = bench.add_person()
    life = await bench.start("sleeper")
    await bench.connect(anna)
    drift(bench, anna)
    await freeze(bench, life, at=at)
    await take_over_and_thaw(bench, life)

    assert len(bench.mexc.orders) == 1
    assert told(bench, anna, "Bought") == 1
    assert await owners(bench, anna) == ["other"]
    assert await broken_at_rest(bench) == []


async def asked_after_waking(bench: Bench, sleeper: Life) -> list[Exchange]:
    """What the sleeper asked MEXC for after its leases had become another's."""
    async with bench.life("other"):
        await bench.pass_time(timedelta(minutes=4))
        woken_at = bench.clock.now()
        sleeper.thaw()
        await bench.turn()
        await bench.pass_time(timedelta(minutes=4))
    return [e for e in bench.exchanges if e.life == sleeper.name and e.at >= woken_at]


async def test_26_an_owner_that_slept_within_a_heartbeat_begins_no_check_of_anothers_account(
    sqlite_bench: Bench,
):
    """Between renewing its leases and handing out what is due: the leases are another's by then."""
    bench = sqlite_bench
    anna = bench.add_person()
    sleeper = await bench.start("sleeper")
    await bench.connect(anna)
    await bench.pass_time(timedelta(minutes=3))
    bench.clock.shift(Timing().ask_every)
    sleeper.fuse.at, sleeper.fuse.freezes = "read begins", True
    await bench.turn()

    assert sleeper.fuse.is_frozen
    assert await asked_after_waking(bench, sleeper) == []


@pytest.mark.parametrize("at", ["read begins", "read ends"])
async def test_26_an_owner_that_slept_while_it_read_what_is_due_begins_no_check_of_it(
    sqlite_bench: Bench, at: str
):
    """A beat hears of wake-ups first, and then reads the accounts that are due."""
    bench = sqlite_bench
    anna = bench.add_person()
    sleeper = await bench.start("sleeper")
    await bench.connect(anna)
    await bench.pass_time(timedelta(minutes=3))
    steps: list[str] = []

    async def fall_asleep(step: str) -> None:
        steps.append(step)
        if step == at and steps.count(at) == 2:
            sleeper.fuse.at, sleeper.fuse.freezes = step, True
            await sleeper.fuse.burn(step)

    dispatcher = sleeper.parts.dispatcher
    watched = WatchedDatabase(bench.database, bench.clock, on_step=fall_asleep)
    dispatcher.database = dispatcher._wakeups.database = watched
    assert sleeper.next_due is not None
    bench.clock.shift(sleeper.next_due - bench.clock.now())
    await bench.turn()

    assert sleeper.fuse.is_frozen
    assert await asked_after_waking(bench, sleeper) == []


async def test_26_an_owner_that_slept_does_not_blame_mexc(sqlite_bench: Bench):
    """The sleeper's own stall is no trouble of MEXC's, and the account is not its any more."""
    bench = sqlite_bench
    anna = bench.add_person()
    life = await bench.start("sleeper")
    await bench.connect(anna)
    drift(bench, anna)
    await freeze(bench, life, at=FREEZES_AT["with a plan"])
    await take_over_and_thaw(bench, life)

    assert told(bench, anna, "makes no sense") == 0


async def test_26_an_order_written_down_before_the_sleep_does_not_pass_the_gate(bench: Bench):
    """The sleeper's intent is refused by the gate: it is dropped and never sent."""
    anna = bench.add_person()
    life = await bench.start("sleeper")
    await bench.connect(anna)
    drift(bench, anna)
    freeze_before_the_gate(life)
    await freeze(bench, life, at=None)
    await take_over_and_thaw(bench, life)

    states = [intent.state for intent in await bench.intents(anna)]
    assert states == [OrderState.DROPPED, OrderState.FILLED]
    assert (bench.order_posts, told(bench, anna, "Bought")) == (1, 1)
    assert await broken_at_rest(bench) == []


async def test_26_an_order_that_leaves_after_the_sleep_is_refused_by_its_time_stamp(bench: Bench):
    """The gate let it pass, the sleep came then: MEXC refuses the old stamp. One more was sent."""
    anna = bench.add_person()
    life = await bench.start("sleeper")
    await bench.connect(anna)
    drift(bench, anna)
    await freeze(bench, life, at=f"POST {ORDER} begins")
    await take_over_and_thaw(bench, life)

    posts = [e for e in bench.exchanges if (e.request.method, e.request.path) == ORDER_POST]
    assert [post.life for post in posts] == ["other", "sleeper"]
    assert (posts[1].reply.status, b"700003" in posts[1].reply.body) == (400, True)
    states = [intent.state for intent in await bench.intents(anna)]
    assert states == [OrderState.NOT_EXECUTED, OrderState.FILLED]


# 36: told to end in the middle of an order


async def test_36_sigterm_twice_in_the_middle_of_an_order_lets_it_finish_and_lets_go(
    tmp_path: Path, database_url: str, clock: FakeClock
):
    """Hosts signal twice. The first ends the process in order, the second changes nothing."""
    async with a_world(tmp_path) as world:
        world.mexc.inject(Fault(*ORDER_POST, answer_delay=SECOND))
        async with world.running(
            DATABASE_URL=database_url, ENCRYPTION_KEYS=ENCRYPTION_KEY
        ) as program:
            await world.connect()
            await world.ask("/resume", "Trading is on")
            await until(lambda: world.mexc.order_posts, lambda: program.log)
            program.send(signal.SIGTERM)
            program.send(signal.SIGTERM)

            assert await program.exit_code(within=GRACE_S) == 0

    async with Database.open(database_url, clock=clock) as database, database.reading() as session:
        owners_left = list(await session.scalars(select(LeaseRow.owner)))
        order = (await session.scalars(select(OrderRow))).one()
        alerts = list(await session.scalars(select(OutboxRow.dedupe_key)))

    assert owners_left == [None]
    assert order.state is OrderState.FILLED
    assert f"order:{order.client_order_id}:filled" in alerts


async def test_36_a_kill_with_an_order_on_its_way_ends_in_one_order_booked_late(bench: Bench):
    """SIGKILL while the order travels; it arrives after the death and is found by the next life."""
    anna = bench.add_person()
    life = await bench.start("killed")
    await bench.connect(anna)
    bench.hold_orders_for = 3 * SECOND
    drift(bench, anna)
    life.fuse.at = f"POST {ORDER} ends"
    await bench.pass_time(timedelta(minutes=2))

    assert not life.alive

    bench.hold_orders_for = None
    async with bench.life("next"):
        await bench.until_quiet()

        (order,) = bench.mexc.orders
        assert (bench.order_posts, order.status) == (1, "FILLED")
        assert told(bench, anna, "Confirmed late") == 1
        assert await broken_at_rest(bench) == []
