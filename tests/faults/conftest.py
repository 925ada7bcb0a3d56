"""A bench of one's own for each test, on SQLite and on PostgreSQL."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from engine.storage.database import Database
from tests.fakes.clock import FakeClock
from tests.faults.bench import Bench
from tests.faults.invariants import broken
from tests.faults.scenarios import number_of


@pytest.fixture(autouse=True)
def _scenario(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> None:
    """A test that is named after a scenario of the list counts as one."""
    if (number := number_of(request.node.name)) is not None:
        record_property("scenario", number)


@pytest.fixture(autouse=True)
def _no_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queues of programs in this process are looked at when a test says so: a look now and then
    in real time would make every run another one.
    """
    monkeypatch.setattr("engine.scheduling.queue_worker._POLL_S", 3600.0)


@asynccontextmanager
async def _bench(database: Database, clock: FakeClock) -> AsyncGenerator[Bench]:
    """Whatever the test was about, the invariants hold at its end."""
    bench = Bench(database, clock)
    yield bench
    for life in bench.alive:
        await life.kill()

    assert await broken(bench) == []


@pytest.fixture
async def bench(database: Database, clock: FakeClock) -> AsyncGenerator[Bench]:
    """Once on each database: for what the database has a part in."""
    async with _bench(database, clock) as bench:
        yield bench


@pytest.fixture
async def sqlite_bench(sqlite_url: str, clock: FakeClock) -> AsyncGenerator[Bench]:
    """On SQLite only: for what is the same on both."""
    async with (
        Database.open(sqlite_url, clock=clock) as database,
        _bench(database, clock) as bench,
    ):
        yield bench
