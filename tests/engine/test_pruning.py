"""Pruning, once a day and a little at a time: one process does it, and another goes on after it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from engine.maintenance.pruning import Pruning
from engine.storage.database import Database
from engine.storage.models.queues import InboxRow
from engine.storage.models.trading import CandleRangeRow, CandleRow
from tests.engine.harness import Crash, Fuse
from tests.fakes.clock import START, FakeClock
from tests.fakes.database import WatchedDatabase
from tests.storage.test_pruning import add, update

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
KEEP = 30 * DAY


async def handled(database: Database, count: int, *, first: int = 1) -> None:
    await add(database, *(update(n, START - KEEP - DAY) for n in range(first, first + count)))


async def kept(database: Database) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(InboxRow)) or 0


def process(database: Database, clock: FakeClock) -> Pruning:
    return Pruning(database=database, clock=clock, keep=KEEP)


async def test_it_begins_some_minutes_after_the_start_and_takes_a_batch_a_round(
    sqlite: Database, clock: FakeClock
):
    await handled(sqlite, 700)
    pruning = process(sqlite, clock)
    await pruning.round()
    seen = [await kept(sqlite)]
    clock.shift(10 * MINUTE)
    for _ in range(3):
        await pruning.round()
        seen.append(await kept(sqlite))

    assert seen == [700, 200, 0, 0]

    await handled(sqlite, 1)
    clock.shift(DAY - HOUR)
    await pruning.round()

    assert await kept(sqlite) == 1

    clock.shift(HOUR)
    await pruning.round()

    assert await kept(sqlite) == 0


async def test_of_two_processes_one_prunes_and_the_other_goes_on_when_it_dies(
    database: Database, clock: FakeClock
):
    await handled(database, 1)
    dies = Pruning(
        database=WatchedDatabase(database, clock, on_step=Fuse("commit 3")),
        clock=clock,
        keep=KEEP,
    )
    lives = process(database, clock)
    clock.shift(10 * MINUTE)
    with pytest.raises(Crash):
        await dies.round()
    await lives.round()

    assert await kept(database) == 1

    clock.shift(HOUR)
    await lives.round()

    assert await kept(database) == 0


async def test_a_person_need_not_wait_for_the_day(sqlite: Database, clock: FakeClock):
    long_ago = START - KEEP - DAY
    await handled(sqlite, 700)
    await add(
        sqlite,
        CandleRangeRow(symbol="GONEUSDT", since=long_ago, until=START, asked_at=long_ago),
        CandleRow(symbol="GONEUSDT", at=long_ago, close=Decimal(1)),
    )

    deleted = await process(sqlite, clock).everything()

    assert deleted == {"handled updates": 700, "old prices": 1}
    assert await process(sqlite, clock).everything() == {}
