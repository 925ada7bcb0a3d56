"""Scenarios 27 to 30: the database is away, breaks at the worst moment, is locked, or is full."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.observability.stall_alerts import StallAlerter
from engine.domain.orders.order import OrderState
from engine.storage.database import Database
from tests.fakes.clock import FakeClock
from tests.fakes.database import WatchedDatabase, gone
from tests.fakes.http import Reply, Request
from tests.fakes.tasks import a_moment, running
from tests.faults.bench import BOOK, FOR_GOOD, ORDER, Bench, DatabaseFaults, Life, Person
from tests.faults.invariants import broken_at_rest
from tests.sampling import sampled

DRIFT = Decimal("17.10")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
OFTEN = "/setinterval 10s"
BEAT = timedelta(seconds=5)
AWAY, AGAIN, BROKE = "My database is away", "Checked again", "broke on my side"


def told(bench: Bench, person: Person, words: str) -> int:
    return sum(words in text for text in bench.texts(person))


def on_answer(bench: Bench, path: str, action: Callable[[], None]) -> None:
    """The next time MEXC answers a request of *path*, *action* comes before anything else."""
    answer = bench.answer_mexc
    waiting = [action]

    async def then_act(request: Request, life: str) -> Reply:
        reply = await answer(request, life)
        if request.path == path and waiting:
            waiting.pop()()
        return reply

    bench.answer_mexc = then_act  # type: ignore[method-assign]


@dataclass(frozen=True, slots=True)
class PatientClock:
    """Its sleepers wait for 40 ms of real time; they do not move the bench's."""

    clock: FakeClock

    def now(self) -> datetime:
        return self.clock.now()

    def steady(self) -> datetime:
        return self.clock.steady()

    async def sleep(self, _: timedelta) -> None:
        for _moment in range(10):
            await a_moment()


def engine_of(life: Life) -> AsyncEngine:
    """Each process has its own connections."""
    return life.parts.dispatcher.database.engine


class Owner:
    """The person who runs the bot, told by the watch over the checks and past the database."""

    def __init__(self, bench: Bench, life: Life) -> None:
        self._bench = bench
        self._life = life
        self._watch = FakeClock(start=bench.clock.now(), manual=True)
        for queue in (life.parts.update_workers, life.parts.outbox_sender):
            queue._workers.clock = PatientClock(bench.clock)
            queue._workers.pause_of = lambda _: timedelta()  # nobody's sleep would end it

    async def watch(self) -> None:
        parts = self._life.parts
        await StallAlerter(
            clock=self._watch,
            bot=parts.application.bot,
            pulse=parts.dispatcher.pulse,
            owner_chat=parts.access.owner_chat,
            flood=parts.flood,
        ).run()

    async def pass_time(self, duration: timedelta) -> None:
        for _ in range(duration // BEAT):
            self._bench.clock.shift(BEAT)
            await self._bench.turn()
            await self._watch.advance(BEAT)


@asynccontextmanager
async def a_life(bench: Bench, anna: Person) -> AsyncGenerator[tuple[Life, Owner]]:
    """A process that checks Anna's account every ten seconds, watched over."""
    async with bench.life() as life:
        await bench.connect(anna, OFTEN)
        await bench.pass_time(20 * SECOND)
        owner = Owner(bench, life)
        async with running(owner.watch()):
            await a_moment()
            try:
                yield life, owner
            finally:
                bench.database_faults = DatabaseFaults()


# 27: the database is away before an order is written down


async def test_27_without_a_database_nothing_is_traded_and_the_owner_hears_it_from_memory(
    bench: Bench,
):
    """Away for four minutes: no order, the process lives, one word to the owner, one when over."""
    anna = bench.add_person()
    async with a_life(bench, anna) as (life, owner):
        bench.mexc.deposit(anna.api_key, "USDT", DRIFT)
        bench.database_faults.before = FOR_GOOD
        await owner.pass_time(4 * MINUTE)

        assert (bench.order_posts, life.alive) == (0, True)
        assert (told(bench, anna, AWAY), told(bench, anna, AGAIN)) == (1, 0)

        bench.database_faults.before = 0
        await owner.pass_time(MINUTE)

        assert (told(bench, anna, AWAY), told(bench, anna, AGAIN)) == (1, 1)
        assert (bench.order_posts, told(bench, anna, "Bought")) == (1, 1)
        assert await broken_at_rest(bench) == []


async def test_27_a_database_that_breaks_between_plan_and_order_lets_no_order_leave(bench: Bench):
    """The plan is made, the intent cannot be written down: 0 POSTs, and nothing left half done."""
    anna = bench.add_person()
    async with a_life(bench, anna) as (life, owner):
        on_answer(bench, BOOK, lambda: setattr(bench.database_faults, "before", FOR_GOOD))
        bench.mexc.deposit(anna.api_key, "USDT", DRIFT)
        await owner.pass_time(MINUTE)

        assert (bench.order_posts, await bench.intents(), life.alive) == (0, [], True)

        bench.database_faults.before = 0
        await owner.pass_time(2 * MINUTE)

        assert (bench.order_posts, told(bench, anna, "Bought")) == (1, 1)
        assert await broken_at_rest(bench) == []


# 28: the database is away after the POST, before its outcome is recorded


async def test_28_an_order_that_could_not_be_recorded_is_looked_up_when_the_database_is_back(
    bench: Bench,
):
    """The answer is lost to us, the order is not: found by its id, booked once, told as late."""
    anna = bench.add_person()
    async with a_life(bench, anna) as (_, owner):
        on_answer(bench, ORDER, lambda: setattr(bench.database_faults, "before", FOR_GOOD))
        bench.mexc.deposit(anna.api_key, "USDT", DRIFT)
        await owner.pass_time(MINUTE)

        assert [intent.state for intent in await bench.intents()] == [OrderState.SENDING]

        bench.database_faults.before = 0
        await owner.pass_time(2 * MINUTE)

        assert [intent.state for intent in await bench.intents()] == [OrderState.FILLED]
        assert (bench.order_posts, told(bench, anna, "Confirmed late")) == (1, 1)
        assert await broken_at_rest(bench) == []


async def test_28_a_process_that_ends_before_the_database_is_back_leaves_it_to_the_next(
    bench: Bench,
):
    anna = bench.add_person()
    async with a_life(bench, anna) as (life, owner):
        on_answer(bench, ORDER, lambda: setattr(bench.database_faults, "before", FOR_GOOD))
        bench.mexc.deposit(anna.api_key, "USDT", DRIFT)
        await owner.pass_time(MINUTE)
        await life.kill()
    async with bench.life("next"):
        await bench.until_quiet()

        assert (bench.order_posts, told(bench, anna, "Confirmed late")) == (1, 1)
        assert await broken_at_rest(bench) == []


@pytest.mark.parametrize(
    "committed", sampled({"rolled back": False, "committed all the same": True}, every=2)
)
async def test_28_a_blip_while_the_answer_is_recorded_is_not_called_a_mistake(
    bench: Bench, *, committed: bool
):
    """One transaction breaks right after the POST: the order is looked up, and that is told."""
    anna = bench.add_person()
    async with a_life(bench, anna) as (life, owner):
        trader = life.parts.dispatcher.checker._executor
        breaks_at = "committed" if committed else "write begins"
        broken: list[str] = []

        async def break_once(step: str) -> None:
            if step == breaks_at and not broken and bench.order_posts:
                broken.append(step)
                raise gone()

        trader.database = WatchedDatabase(bench.database, bench.clock, on_step=break_once)
        bench.mexc.deposit(anna.api_key, "USDT", DRIFT)
        await owner.pass_time(5 * MINUTE)

        assert broken
        assert (bench.order_posts, told(bench, anna, "Bought")) == (1, 1)
        assert told(bench, anna, BROKE) == 0
        assert await broken_at_rest(bench) == []


# 29: somebody else holds the database


@asynccontextmanager
async def locked_by_another(database: Database) -> AsyncGenerator[None]:
    """Another program holds the write lock; nobody can write, everybody can read."""
    url = database.engine.url
    if database.engine.dialect.name == "sqlite":
        with closing(another(url)) as other:
            await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
            yield
        return
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as outsider:
        outsider.execute("LOCK TABLE leases, orders, inbox, outbox IN EXCLUSIVE MODE")
        yield
        outsider.rollback()


def another(url: URL) -> sqlite3.Connection:
    """Whoever waits with it waits in a thread: the program needs the loop to let go."""
    return sqlite3.connect(
        str(url.database), timeout=30, isolation_level=None, check_same_thread=False
    )


def impatient(life: Life) -> None:
    """The process waits 20 ms for a lock instead of five seconds."""
    engine = engine_of(life)
    if engine.dialect.name != "sqlite":

        def begin_in_a_hurry(connection: Connection) -> None:
            connection.exec_driver_sql("SET LOCAL lock_timeout='20ms'")

        life.whenever("begin", begin_in_a_hurry)
        return

    def hurry(connection: DBAPIConnection, *_: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=20")
        cursor.close()
        connection.commit()

    life.whenever("checkout", hurry)


async def test_29_a_locked_database_is_waited_for_and_leaves_nothing_half_done(bench: Bench):
    """Locked for a minute from the moment a plan is made: no order; afterwards one, told once."""
    anna = bench.add_person()
    async with a_life(bench, anna) as (life, owner):
        impatient(life)
        bench.mexc.deposit(anna.api_key, "USDT", DRIFT)
        async with locked_by_another(bench.database):
            bench.telegram.say(anna.chat_id, "/version")
            await owner.pass_time(MINUTE)

            assert (bench.order_posts, await bench.intents(), life.alive) == (0, [], True)
            assert len(bench.telegram.unconfirmed) == 1

        await owner.pass_time(2 * MINUTE)

        assert (bench.order_posts, told(bench, anna, "Bought")) == (1, 1)
        assert told(bench, anna, "Up for") == 1
        assert await broken_at_rest(bench) == []


async def test_29_on_sqlite_no_transaction_begins_to_write_after_it_has_read(sqlite_bench: Bench):
    """BEGIN IMMEDIATE before every write: SQLITE_BUSY_SNAPSHOT, which no waiting cures, is out."""
    bench, late = sqlite_bench, list[str]()

    def watch(connection: Connection, _: Any, statement: str, *__: Any) -> None:
        if statement.startswith("BEGIN"):
            connection.info["began"] = statement
        elif statement.startswith(("INSERT", "UPDATE", "DELETE")):
            late.extend([statement] * (connection.info["began"] != "BEGIN IMMEDIATE"))

    anna = bench.add_person()
    async with bench.life() as life:
        event.listen(engine_of(life).sync_engine, "before_cursor_execute", watch)
        await bench.connect(anna)
        bench.mexc.deposit(anna.api_key, "USDT", DRIFT)
        await bench.pass_time(5 * MINUTE)
        await bench.say(anna, "/settarget 30")
        await bench.say(anna, "/history")

    assert late == []
    assert bench.order_posts >= 1


# 30: the disk is full


async def test_30_on_a_full_disk_nothing_is_traded_and_the_owner_is_told(bench: Bench):
    """Everything can be read and nothing written: as without a database."""
    anna = bench.add_person()
    async with a_life(bench, anna) as (life, owner):
        bench.database_faults.full = True
        bench.mexc.deposit(anna.api_key, "USDT", DRIFT)
        await owner.pass_time(4 * MINUTE)

        assert (bench.order_posts, await bench.intents(), life.alive) == (0, [], True)
        assert (told(bench, anna, AWAY), told(bench, anna, AGAIN)) == (1, 0)

        bench.database_faults.full = False
        await owner.pass_time(2 * MINUTE)

        assert told(bench, anna, AGAIN) == 1
        assert (bench.order_posts, told(bench, anna, "Bought")) == (1, 1)
        assert await broken_at_rest(bench) == []


async def limit_pages(life: Life) -> list[int]:
    """How many pages the file may have, from now on no more than it has; to be changed in place."""
    engine = engine_of(life)

    def packed() -> list[int]:
        with closing(another(engine.url)) as other:
            other.execute("VACUUM")
            return [*other.execute("PRAGMA page_count").fetchone()]

    pages = await asyncio.to_thread(packed)

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages[0]}")

    life.whenever("begin", limit)
    return pages


async def test_30_a_message_that_finds_the_file_full_stays_with_telegram_until_there_is_room(
    sqlite_bench: Bench,
):
    """SQLite's own SQLITE_FULL, which rolls the whole transaction back by itself."""
    bench = sqlite_bench
    anna = bench.add_person()
    async with bench.life() as life:
        pages = await limit_pages(life)
        answers = await bench.say(anna, "/version " + "x" * 4_000)

        assert (answers, len(bench.telegram.unconfirmed), life.alive) == ([], 1, True)

        pages[0] = 1_000_000
        await bench.pass_time(10 * SECOND)

        assert told(bench, anna, "Up for") == 1
        assert await broken_at_rest(bench) == []
