"""The silence that the exchange asked for outlives the process that was asked."""

from datetime import datetime, timedelta

import pytest

from engine.errors import Unavailable
from engine.exchanges.rate_limit_memory import RateLimitMemory
from engine.exchanges.rate_limiter import Priority, RateLimiter
from engine.storage.coordination import key_values
from engine.storage.database import Database
from tests.fakes.clock import FakeClock
from tests.fakes.database import statements

BAN = timedelta(hours=3)
PROXY = "http://user:password@203.0.113.7:3128"


class Life:
    """A process that asks the exchange *proxy*'s way."""

    def __init__(self, database: Database, *, start: datetime, proxy: str | None = None) -> None:
        self.clock = FakeClock(start=start)
        self.budget = RateLimiter(self.clock)
        self.silences = RateLimitMemory(
            database=database, clock=self.clock, budget=self.budget, proxy=proxy
        )

    async def may_ask(self) -> bool:
        try:
            async with self.budget.acquire(1, Priority.CHECK):
                return True
        except Unavailable:
            return False


async def banned(database: Database, start: datetime, proxy: str | None = None) -> None:
    life = Life(database, start=start, proxy=proxy)
    life.budget.block_until(life.clock.steady() + BAN)
    await life.silences.round()


async def test_a_ban_holds_after_a_restart_until_it_ends(database: Database, clock: FakeClock):
    await banned(database, clock.now())
    next_life = Life(database, start=clock.now() + timedelta(hours=1))
    await next_life.silences.restore()
    at_first = await next_life.may_ask()
    next_life.clock.shift(BAN - timedelta(hours=1))

    assert not at_first
    assert await next_life.may_ask()


async def test_a_ban_that_is_over_and_another_ways_ban_hold_nobody_up(
    sqlite: Database, clock: FakeClock
):
    await banned(sqlite, clock.now(), PROXY)
    later = Life(sqlite, start=clock.now() + BAN, proxy=PROXY)
    other = Life(sqlite, start=clock.now())
    for life in (later, other):
        await life.silences.restore()

    assert await later.may_ask()
    assert await other.may_ask()


@pytest.mark.parametrize("by", [timedelta(days=-30), timedelta(hours=-2)])
async def test_a_clock_that_was_set_back_makes_no_ban_longer(
    sqlite: Database, clock: FakeClock, by: timedelta
):
    await banned(sqlite, clock.now())
    life = Life(sqlite, start=clock.now() + by)
    await life.silences.restore()
    life.clock.shift(BAN)

    assert await life.may_ask()


async def test_a_silence_is_written_once_without_the_proxys_password(
    sqlite: Database, clock: FakeClock
):
    life = Life(sqlite, start=clock.now(), proxy=PROXY)
    life.budget.block_until(life.clock.steady() + BAN)
    await life.silences.round()
    with statements(sqlite) as seen:
        await life.silences.round()

    assert seen == []


@pytest.mark.parametrize("text", ["", "soon", "1", "1 99999999999999999999"])
async def test_what_another_version_wrote_silences_nobody(
    sqlite: Database, clock: FakeClock, text: str
):
    async with sqlite.writing() as session:
        await key_values.put(session, "silence:direct", text)
    life = Life(sqlite, start=clock.now())
    await life.silences.restore()

    assert await life.may_ask()
