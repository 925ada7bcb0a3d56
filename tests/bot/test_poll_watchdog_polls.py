"""Polls that get no answer are begun anew, and at last the process: by its own count of time."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from bot.updates.poll_watchdog import PollsStalled, PollWatchdog
from bot.updates.polling import (
    Conflict,
    PollFailed,
    RetryAfter,
    Source,
    TokenRefused,
    Unreachable,
    UpdatePoller,
    UpdatesSource,
)
from engine.storage.database import Database
from tests.bot.test_polling import a_store
from tests.fakes.clock import FakeClock
from tests.fakes.database import WatchedDatabase, gone
from tests.fakes.http import NO_CERTIFICATES
from tests.fakes.tasks import a_moment, running
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_faults import HANG
from tests.fakes.telegram_server import TOKEN

SECOND = timedelta(seconds=1)
BEAT = 5 * SECOND
HOLD = 30 * SECOND
UPDATE = {"update_id": 1, "message": {"chat": {"id": 7}}}
OpenIntake = Callable[[], AbstractAsyncContextManager[UpdatePoller]]


class Line:
    """A line to Telegram that answers with nothing new after half a minute; or as *fails* says,
    or never while it is *dead*. Every life of the intake gets a new one.
    """

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.dead = False
        self.fails: PollFailed | None = None
        self.brings: list[dict[str, Any]] = []
        self.lives = 0
        self.ended = 0

    async def fetch(self, _: int | None) -> list[dict[str, Any]]:
        if self.dead:
            await asyncio.Event().wait()
        if self.fails is not None:
            raise self.fails
        if not self.brings:
            await self._clock.sleep(HOLD)
        return self.brings


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(manual=True)


@pytest.fixture
async def db(sqlite_url: str, clock: FakeClock) -> AsyncGenerator[Database]:
    async with Database.open(sqlite_url, clock=clock) as database:
        yield database


@pytest.fixture
def line(clock: FakeClock) -> Line:
    return Line(clock)


@pytest.fixture
def watch(line: Line, db: Database, clock: FakeClock) -> PollWatchdog:
    return a_watch(line, db, clock)


def a_watch(line: Line, db: Database, clock: FakeClock) -> PollWatchdog:
    @asynccontextmanager
    async def open_poller() -> AsyncGenerator[UpdatePoller]:
        line.lives += 1
        try:
            yield an_intake(line, db, clock)
        finally:
            line.ended += 1

    return PollWatchdog(clock=clock, open_poller=open_poller)


def an_intake(source: Source, db: Database, clock: FakeClock) -> UpdatePoller:
    return UpdatePoller(
        source=source,
        store=a_store(db, clock),
        clock=clock,
    )


async def live_for(clock: FakeClock, duration: timedelta) -> None:
    await clock.advance(timedelta())
    for _ in range(duration // BEAT):
        await clock.advance(BEAT)


async def test_polls_that_are_answered_are_left_alone(
    watch: PollWatchdog, line: Line, clock: FakeClock
):
    async with running(watch.run()):
        await live_for(clock, timedelta(hours=2))

    assert (line.lives, line.ended) == (1, 1)


async def test_polls_that_hang_are_begun_anew_on_a_fresh_line_after_90_seconds(
    watch: PollWatchdog, line: Line, clock: FakeClock, caplog: pytest.LogCaptureFixture
):
    async with running(watch.run()):
        await live_for(clock, 10 * HOLD)
        line.dead = True
        await live_for(clock, HOLD)  # the poll under way is answered, the next one hangs
        await live_for(clock, 85 * SECOND)
        line.dead = False

        assert line.lives == 1

        await live_for(clock, BEAT)

        assert (line.lives, line.ended) == (2, 1)

        await live_for(clock, timedelta(hours=1))

    assert line.lives == 2
    assert caplog.text.count("polls restarted") == 1


async def test_the_next_poll_after_a_restart_is_answered(
    db: Database, clock: FakeClock, caplog: pytest.LogCaptureFixture
):
    async with FakeTelegram(clock=clock) as api:
        api.fail("getUpdates", HANG)
        api.say(7, "hello")

        @asynccontextmanager
        async def open_poller() -> AsyncGenerator[UpdatePoller]:
            async with httpx.AsyncClient(verify=NO_CERTIFICATES) as http:
                source = UpdatesSource(http=http, url=f"{api.url}/bot{TOKEN}")
                yield an_intake(source, db, clock)

        async with running(PollWatchdog(clock=clock, open_poller=open_poller).run()):
            await api.wait_until(lambda: len(api.called("getUpdates")) == 1)

            assert len(api.unconfirmed) == 1

            await live_for(clock, 90 * SECOND)
            await api.wait_until(lambda: not api.unconfirmed)

    assert caplog.text.count("polls restarted") == 1


@pytest.mark.parametrize("failure", [None, Unreachable("ConnectTimeout")], ids=["hang", "fail"])
async def test_five_minutes_without_an_answer_are_the_end(
    watch: PollWatchdog, line: Line, clock: FakeClock, failure: PollFailed | None
):
    line.dead, line.fails = failure is None, failure
    watching = asyncio.TaskGroup()
    with pytest.raises(ExceptionGroup) as caught:
        async with watching:
            watching.create_task(watch.run())
            await live_for(clock, 295 * SECOND)

            assert (line.lives, line.ended) == (4, 3)

            await live_for(clock, BEAT)

    assert caught.group_contains(PollsStalled, match="not answered for 5 min")
    assert (line.lives, line.ended) == (4, 4)


async def test_an_answer_within_five_minutes_begins_the_count_anew(
    watch: PollWatchdog, line: Line, clock: FakeClock
):
    async with running(watch.run()):
        for _ in range(3):
            line.dead = True
            await live_for(clock, HOLD + 140 * SECOND)
            line.dead = False
            await live_for(clock, timedelta(minutes=5))

        assert line.lives == 1 + 3 * 2


@pytest.mark.parametrize(
    "answer",
    [Conflict("Telegram answered 409"), RetryAfter(timedelta(hours=1))],
    ids=["another copy polls", "told to wait"],
)
async def test_an_answer_that_brings_nothing_is_an_answer(
    watch: PollWatchdog, line: Line, clock: FakeClock, answer: PollFailed
):
    line.fails = answer
    async with running(watch.run()):
        await live_for(clock, timedelta(hours=2))

    assert line.lives == 1


async def test_a_database_that_is_away_is_not_telegrams_silence(
    line: Line, db: Database, clock: FakeClock, caplog: pytest.LogCaptureFixture
):
    async def away(_: str) -> None:
        raise gone()

    line.brings = [UPDATE]
    watch = a_watch(line, WatchedDatabase(db, clock, on_step=away), clock)
    async with running(watch.run()):
        await live_for(clock, timedelta(hours=1))

    assert line.lives == 1
    assert "poll failed" in caplog.text


@pytest.mark.parametrize("days", [1, -1])
async def test_a_wall_clock_that_jumps_restarts_nothing(
    watch: PollWatchdog, line: Line, clock: FakeClock, days: int
):
    line.dead = True
    async with running(watch.run()):
        await clock.advance(timedelta())
        clock.shift(timedelta(days=days))
        await a_moment()

        assert line.lives == 1


async def test_a_refused_token_ends_the_watch_as_well(watch: PollWatchdog, line: Line):
    line.fails = TokenRefused("Telegram answered 401")

    with pytest.raises(ExceptionGroup) as caught:
        await watch.run()

    assert caught.group_contains(TokenRefused)
