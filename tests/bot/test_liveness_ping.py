"""A sign of life leaves once a minute while the engine gets on, and none when it does not."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.observability.liveness_ping import LivenessPing
from bot.observability.logs import configure, recent_lines
from engine.domain.orders.order import AccountId
from engine.monitoring.stall_detector import EngineProgress, WorkProgress
from tests.engine.harness import eventually
from tests.fakes.clock import FakeClock
from tests.fakes.http import NO_CERTIFICATES, Reply, Request, serve
from tests.fakes.tasks import a_moment, running

BEAT = timedelta(seconds=5)
MINUTE = timedelta(minutes=1)
PATIENCE = timedelta(minutes=3)
PATH = "/5e7a1c00-canary-of-the-switch"


class Engine:
    """Its pulse, as a test wants it."""

    def __init__(self) -> None:
        self.beats = 0
        self.checks = 0
        self.database_away = False

    def pulse(self) -> EngineProgress:
        return EngineProgress(
            beats=WorkProgress(self.beats, PATIENCE),
            database_away=self.database_away,
            checks={AccountId(1): WorkProgress(self.checks, PATIENCE)},
        )


class Switch:
    """The dead man's switch at the other end, and a process that is watched by it."""

    def __init__(self) -> None:
        self.clock = FakeClock(manual=True)
        self.engine = Engine()
        self.asked: list[str] = []
        self.reply = Reply()

    async def answer(self, request: Request) -> Reply:
        self.asked.append(f"{request.method} {request.path}")
        return self.reply

    async def lives(self, duration: timedelta, *, beats: bool = True, checks: bool = True) -> None:
        for _ in range(duration // BEAT):
            self.engine.beats += beats
            self.engine.checks += checks
            # It sleeps: a request under way would miss the time that passes meanwhile.
            await eventually(lambda: bool(self.clock._sleepers))
            await self.clock.advance(BEAT)
        await eventually(lambda: bool(self.clock._sleepers))


@asynccontextmanager
async def watched() -> AsyncGenerator[Switch]:
    switch = Switch()
    configure(logging.DEBUG, None, [])
    async with serve(switch.answer) as url:
        deadman = LivenessPing(
            url=f"{url}{PATH}", clock=switch.clock, pulse=switch.engine.pulse, tls=NO_CERTIFICATES
        )
        async with running(deadman.run()):
            yield switch


async def test_a_process_that_gets_on_says_so_at_once_and_then_once_a_minute():
    async with watched() as switch:
        await switch.lives(BEAT)
        at_once = list(switch.asked)
        await switch.lives(MINUTE - BEAT)
        too_early = list(switch.asked)
        await switch.lives(BEAT)
        await switch.lives(2 * MINUTE)

    assert at_once == too_early == [f"GET {PATH}"]
    assert switch.asked == [f"GET {PATH}"] * 4


async def test_a_heart_that_stands_still_sends_no_sign_of_life():
    async with watched() as switch:
        await switch.lives(BEAT)
        await switch.lives(3 * MINUTE, beats=False)
        silent = len(switch.asked)
        await switch.lives(MINUTE)

    assert silent == 1
    assert len(switch.asked) == 2


async def test_checks_that_stall_while_the_heart_beats_send_none_until_they_go_on():
    async with watched() as switch:
        await switch.lives(BEAT)
        await switch.lives(PATIENCE + MINUTE, checks=False)
        told = len(switch.asked)
        await switch.lives(2 * MINUTE, checks=False)
        silent = len(switch.asked)
        await switch.lives(MINUTE)

    assert told == silent <= 4
    assert len(switch.asked) == silent + 1


@pytest.mark.parametrize(
    ("reply", "problem"),
    [(Reply(status=500), "HTTP 500"), (Reply(drop=True), "RemoteProtocolError")],
    ids=["500", "dropped"],
)
async def test_a_switch_that_is_away_is_logged_once_and_its_address_never(
    reply: Reply, problem: str
):
    async with watched() as switch:
        switch.reply = reply
        await switch.lives(BEAT + 2 * MINUTE)
        switch.reply = Reply()
        await switch.lives(2 * MINUTE)
        await a_moment()
    lines = [line for line in recent_lines(100) if " bot.observability.liveness_ping " in line]

    assert len(switch.asked) == 5
    assert [line.split(" bot.observability.liveness_ping ")[1] for line in lines] == [
        f"liveness ping failed problem={problem}",
        "liveness ping recovered",
    ]
    assert "canary" not in "\n".join(recent_lines(500))
