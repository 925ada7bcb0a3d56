"""The bot's world for a test, and one life of the program in it."""

from collections.abc import AsyncGenerator

import pytest

from bot.rendering.image_process import ImageProcess
from tests.bot.harness import KEY, SECRET, Program, World
from tests.fakes.clock import FakeClock
from tests.fakes.mexc import FakeMexc
from tests.fakes.telegram import FakeTelegram


@pytest.fixture
async def world(sqlite_url: str, clock: FakeClock) -> AsyncGenerator[World]:
    """The owner's account at MEXC holds 57.10 USDT and 91,858 MNTL."""
    async with FakeTelegram(clock=clock) as api, FakeMexc(clock=clock) as mexc:
        mexc.add_account(KEY, SECRET, USDT="57.10", MNTL="91858")
        yield World(api, mexc, clock, sqlite_url)


@pytest.fixture
def drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started for a picture, which takes a while on a busy machine."""

    async def draw(_: ImageProcess, svg: str) -> bytes:
        return b"\x89PNG" + svg.encode()

    monkeypatch.setattr(ImageProcess, "draw", draw)


@pytest.fixture
async def bot(world: World) -> AsyncGenerator[Program]:
    async with world.program() as program:
        yield program
