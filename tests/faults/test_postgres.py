"""PostgreSQL as it is in production: a pooler before it, few connections, and backends that die."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import cycle

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection

from engine.domain.orders.order import OrderState
from engine.storage import postgres
from engine.storage.database import Database
from tests.fakes.clock import FakeClock
from tests.fakes.pooler import pooled
from tests.faults.bench import Bench, DatabaseFaults, Person
from tests.faults.invariants import broken, broken_at_rest
from tests.sampling import LONG

DRIFT = Decimal("17.10")
MINUTE = timedelta(minutes=1)


@asynccontextmanager
async def a_bench(url: str, clock: FakeClock) -> AsyncGenerator[Bench]:
    async with Database.open(url, clock=clock) as database:
        event.listen(database.engine.sync_engine, "connect", as_the_bench)
        bench = Bench(database, clock)
        yield bench
        for life in bench.alive:
            await life.kill()

        assert await broken(bench) == []


def as_the_bench(connection: DBAPIConnection, _: object) -> None:
    """What looks on from outside is not what is tried."""
    cursor = connection.cursor()
    cursor.execute("SET application_name = 'bench'")
    cursor.close()


async def trades_twice(bench: Bench, anna: Person) -> None:
    """Two drifts and two commands, until all is said that is to be said."""
    bench.mexc.deposit(anna.api_key, "USDT", DRIFT)
    await bench.pass_time(10 * MINUTE)
    bench.telegram.say(anna.chat_id, "/settarget 40.20")
    bench.telegram.say(anna.chat_id, "/version")
    await bench.pass_time(5 * MINUTE)
    bench.mexc.deposit(anna.api_key, "USDT", DRIFT)
    await bench.pass_time(10 * MINUTE)
    bench.database_faults = DatabaseFaults()
    await bench.until_quiet()

    states = [intent.state for intent in await bench.intents()]
    # A plan whose next step was lost never left; the next claim of the account takes it away.
    assert [state for state in states if state is not OrderState.PLANNED] == [
        OrderState.FILLED
    ] * 2
    assert bench.order_posts == 2
    assert await broken_at_rest(bench) == []
    # A command whose connection was cut waits for the database, and is carried out then. Where it
    # was cut after the deed, the answer is that it is done already.
    said = bench.texts(anna)
    assert not [text for text in said if "Something broke on my side" in text]
    for answers in (("Target set to 40.20", "Target is 40.20"), ("Up for",)):
        assert sum(any(words in text for words in answers) for text in said) == 1


@LONG
async def test_two_processes_trade_through_a_pooler_and_leave_nothing_in_its_sessions(
    postgres_url: str, clock: FakeClock
):
    async with pooled(postgres_url, size=2) as pooler:
        async with a_bench(pooler.url(), clock) as bench:
            anna = bench.add_person()
            async with bench.life("one"), bench.life("two"):
                await bench.connect(anna)
                await trades_twice(bench, anna)

        assert set(pooler.leaks()) <= {"setting application_name"}  # as_the_bench


@LONG
async def test_no_transaction_waits_for_another_one_of_its_own(
    postgres_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
):
    """With one connection in all nothing gets stuck: so a pool of any size cannot be."""
    one = {**postgres.POOL, "pool_size": 1, "max_overflow": 0, "pool_timeout": 2}
    monkeypatch.setattr(postgres, "POOL", one)
    async with a_bench(postgres_url, clock) as bench, bench.life():
        anna = bench.add_person()
        await bench.connect(anna)
        await trades_twice(bench, anna)


@dataclass
class Killer(DatabaseFaults):
    """So many transactions commit, and then one loses its backend just before it would."""

    kill: Callable[[], int] = int
    gaps: Iterator[int] = field(default_factory=lambda: cycle((2, 7, 3, 11, 5)))
    left: int = 3
    killed: int = 0

    def strike(self, step: str) -> None:
        if step != "commit":
            return
        self.left -= 1
        if self.left < 0:
            self.killed += self.kill()
            self.left = next(self.gaps)


@LONG
async def test_backends_that_are_killed_in_the_middle_of_transactions_cost_no_order(
    postgres_url: str, clock: FakeClock
):
    """`pg_terminate_backend`: at a fail-over, at a restart, or by somebody's hand."""
    with psycopg.connect(postgres_url, autocommit=True) as admin:

        def kill() -> int:
            found = admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state = 'idle in transaction'"
                " AND application_name = 'ballast'"
            )
            return len(found.fetchall())

        async with a_bench(postgres_url, clock) as bench, bench.life():
            anna = bench.add_person()
            await bench.connect(anna)
            killer = Killer(kill=kill)
            bench.database_faults = killer
            await trades_twice(bench, anna)

        assert killer.killed >= 5
