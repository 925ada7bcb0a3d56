"""Checks that stand still are told to the owner, past the database; the process outlives it all."""

import re
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import NoReturn

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg.sql import SQL, Identifier
from sqlalchemy.engine import make_url

from bot.messaging.flood_control import FloodControl
from bot.observability.stall_alerts import StallAlerter
from tests.bot.harness import KEY, OWNER, SECRET, STRANGER, Program, World
from tests.engine.harness import StillClock, eventually
from tests.fakes.clock import FakeClock
from tests.fakes.database import gone
from tests.fakes.mexc import FakeMexc
from tests.fakes.tasks import a_moment, running
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_faults import DROPPED, FORBIDDEN, too_many_requests
from tests.postgres import Server

SECOND = timedelta(seconds=1)
BEAT = 5 * SECOND
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ENCRYPTED = {"ENCRYPTION_KEYS": Fernet.generate_key().decode()}
AWAY, STANDS_STILL, OVER = "My database is away", "My checks have stopped", "Checked again"


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def world(world: World) -> World:
    world.api.open_chat(OWNER)
    return world


@pytest.fixture
async def world_on_both(database_url: str, clock: StillClock) -> AsyncGenerator[World]:
    """On SQLite, then on PostgreSQL; the account is on target."""
    async with FakeTelegram(clock=clock) as api, FakeMexc(clock=clock) as mexc:
        mexc.add_account(KEY, SECRET, USDT="40", MNTL="91858")
        yield World(api, mexc, clock, database_url)


class Watch:
    """The watch over *program*, by a clock of its own, which only its tests move."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.clock = FakeClock(manual=True)
        self._watch = StallAlerter(
            clock=self.clock,
            bot=program.parts.application.bot,
            pulse=program.parts.dispatcher.pulse,
            owner_chat=program.parts.access.owner_chat,
            on_clock_set=self._clock_was_set,
            flood=FloodControl(self.clock),
        )
        self.set_by: list[timedelta] = []

    async def _clock_was_set(self, by: timedelta) -> None:
        self.set_by.append(by)

    async def run(self) -> None:
        await self._watch.run()

    async def sees(self, duration: timedelta, *, beating: bool = True) -> None:
        """Time passes; the heart beats once a minute."""
        for beat in range(duration // BEAT):
            if beating and beat % 12 == 0:
                self.program.world.clock.shift(MINUTE)
                await self.program.check()
            await self.clock.advance(BEAT)


@asynccontextmanager
async def watched(program: Program) -> AsyncGenerator[Watch]:
    watch = Watch(program)
    async with running(watch.run()):
        # It asks for the owner first; time that passes before it waits would be lost on it.
        await eventually(lambda: bool(watch.clock._sleepers))
        await watch.sees(2 * BEAT)
        yield watch


@contextmanager
def database_away(program: Program, postgres: Server | None) -> Generator[None]:
    """PostgreSQL throws everybody out and lets nobody in; SQLite's disk is gone."""
    if postgres is None:
        with pytest.MonkeyPatch.context() as patch:
            for transaction in ("reading", "writing"):
                patch.setattr(program.database, transaction, _gone)
            yield
        return
    name = program.database.engine.url.database or ""
    allow = SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute(allow.format(Identifier(name), SQL("false")))
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        yield
        admin.execute(allow.format(Identifier(name), SQL("true")))


def _gone() -> NoReturn:
    raise gone()


@pytest.fixture
def server(request: pytest.FixtureRequest, database_url: str) -> Server | None:
    """Where the database is, if there is such a place."""
    is_postgres = make_url(database_url).get_backend_name() == "postgresql"
    found: Server | None = request.getfixturevalue("postgres") if is_postgres else None
    return found


def told(world: World, what: str) -> list[str]:
    return [text for text in world.api.texts(OWNER) if what in text]


async def test_a_database_away_for_an_hour_is_told_and_survived_without_an_order(
    world_on_both: World, server: Server | None
):
    world = world_on_both
    async with world.program(ENCRYPTED) as program:
        await program.connect()
        async with watched(program) as watch:
            await watch.sees(4 * MINUTE)

            assert not told(world, "⚠️")

            with database_away(program, server):
                world.mexc.deposit(KEY, "USDT", Decimal("17.10"))
                await watch.sees(HOUR)
                await world.api.wait_for(OWNER, AWAY)

                assert not world.mexc.order_posts

            await watch.sees(MINUTE)
            over = await world.api.wait_for(OWNER, OVER)
            await watch.sees(4 * MINUTE)

    assert len(world.mexc.orders) == 1
    assert "My database was away" in over.text
    assert re.search("Back after 6[0-2] min", over.text)
    assert len(told(world, "ALL ACCOUNTS")) == 2


async def test_a_heart_that_stands_still_is_told(world: World):
    async with world.program() as program:
        await program.connect()
        async with watched(program) as watch:
            await watch.sees(3 * MINUTE - BEAT, beating=False)
            await a_moment()

            assert not told(world, STANDS_STILL)

            await watch.sees(BEAT, beating=False)
            await world.api.wait_for(OWNER, STANDS_STILL)
            await watch.sees(BEAT)
            await world.api.wait_for(OWNER, OVER)


async def test_the_alert_is_tried_until_telegram_takes_it(
    world: World, caplog: pytest.LogCaptureFixture
):
    world.api.fail("sendMessage", DROPPED, times=2)
    world.api.fail("sendMessage", too_many_requests(40))
    async with world.program() as program, watched(program) as watch:
        while caplog.text.count("owner not notified") < 3:
            await watch.sees(BEAT, beating=False)
            await a_moment()
        await watch.sees(35 * SECOND, beating=False)
        await a_moment()

        assert not told(world, STANDS_STILL)

        await watch.sees(BEAT, beating=False)
        await world.api.wait_for(OWNER, STANDS_STILL)


async def test_what_is_over_before_it_could_be_told_is_told_as_over_and_no_more(
    world: World, caplog: pytest.LogCaptureFixture
):
    world.api.fail("sendMessage", FORBIDDEN, times=100)
    async with world.program() as program, watched(program) as watch:
        await watch.sees(4 * MINUTE, beating=False)
        await eventually(lambda: "owner not notified" in caplog.text)
        await watch.sees(BEAT)
        world.api._faults.clear()
        await watch.sees(MINUTE)
        await world.api.wait_for(OWNER, OVER)

    assert len(told(world, "ALL ACCOUNTS")) == 1


async def test_a_paired_owner_is_known_from_the_start(
    world: World, caplog: pytest.LogCaptureFixture
):
    paired = {"AUTHORIZED_CHATS": ""}
    async with world.program(paired) as program:
        code = re.findall(r"/start (\S+)", caplog.text)[-1]
        await program.say(OWNER, f"/start {code}")

        assert await program.parts.access.owner_chat() == OWNER

    async with world.program(paired) as program, watched(program) as watch:
        with database_away(program, None):
            await watch.sees(4 * MINUTE)
            await world.api.wait_for(OWNER, AWAY)

    assert not world.api.texts(STRANGER)


async def test_with_no_owner_nobody_is_told(world: World, caplog: pytest.LogCaptureFixture):
    async with world.program({"AUTHORIZED_CHATS": ""}) as program, watched(program) as watch:
        await watch.sees(4 * MINUTE, beating=False)
        await eventually(lambda: "the bot has no owner" in caplog.text)

    assert not told(world, STANDS_STILL)


async def test_a_clock_that_is_set_is_told_once_with_its_size_and_is_no_stall(
    world: World, caplog: pytest.LogCaptureFixture
):
    async with world.program() as program, watched(program) as watch:
        for by in (-timedelta(hours=2), timedelta(seconds=50), timedelta(minutes=30)):
            watch.clock.set_by(by)
            await watch.sees(MINUTE)
        told = [message.text for message in world.api.sent(OWNER)]

    assert len(told) == 1
    assert "set back by 2 h" in told[0]
    assert watch.set_by == [-timedelta(hours=2), timedelta(minutes=30, seconds=50)]
    assert caplog.text.count("clock changed") == 2
