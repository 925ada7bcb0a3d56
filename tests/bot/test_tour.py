import io
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest
from telegram import Bot

from bot.demo.console import CHAT_ID, Console, ConsoleRequest
from bot.demo.terminal import Terminal
from bot.demo.tour import Tour
from tests.fakes.clock import FakeClock


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def console(out: io.StringIO, clock: FakeClock) -> Console:
    return Console(terminal=Terminal(out, styled=False), clock=clock)


@pytest.fixture
async def bot(console: Console) -> AsyncGenerator[Bot]:
    request = ConsoleRequest(console)
    async with Bot("100:demo", request=request, get_updates_request=request) as opened:
        yield opened


class ScriptedBot:
    """Answers commands as the real bot does, and trades when it should."""

    def __init__(self, bot: Bot, *, silent_after: str | None = None, trades: bool = True) -> None:
        self.heard: list[str] = []
        self._bot = bot
        self._silent_after = silent_after
        self._trades = trades

    async def __call__(self, raw: dict[str, Any]) -> None:
        text = raw["message"]["text"]
        self.heard.append(text)
        if self._silent_after is not None and text.startswith(self._silent_after):
            return
        answer = "Paused already." if text == "/pause" else f"This answers {text.split()[0]}."
        await self._bot.send_message(CHAT_ID, answer)
        if text in {"/resume", "/settarget 60"}:
            await self.drift()

    async def drift(self) -> None:
        if self._trades:
            await self._bot.send_message(CHAT_ID, "🟢 DRY RUN · Bought 8,142 MNTL\nfor 16.30 USDT")


def a_tour(console: Console, clock: FakeClock, script: ScriptedBot) -> Tour:
    return Tour(console=console, clock=clock, deliver=script, drift=script.drift)


async def test_the_tour_shows_the_whole_way_and_what_to_do_next(bot, console, clock, out):
    script = ScriptedBot(bot)
    began = clock.now()

    assert await a_tour(console, clock, script).play() == 0
    assert [line.split()[0] for line in script.heard] == [
        "/start",
        "/connect",
        "/resume",
        "/status",
        "/why",
        "/settarget",
        "/history",
        "/pause",
    ]
    assert "you> /settarget 60" in out.getvalue()
    assert out.getvalue().count("Bought 8,142 MNTL") == 3
    assert "make run" in out.getvalue()
    assert "make test" in out.getvalue()
    assert clock.now() - began < timedelta(minutes=10)  # of the demo: seconds of ours
    assert max(len(line) for line in out.getvalue().splitlines()) <= 80


async def test_what_follows_the_last_answer_comes_before_the_last_words(bot, console, clock):
    script = ScriptedBot(bot)
    paused_at = clock.now()

    async def deliver(raw: dict[str, Any]) -> None:
        nonlocal paused_at
        await script(raw)
        paused_at = clock.now()

    await Tour(console=console, clock=clock, deliver=deliver, drift=script.drift).play()

    assert clock.now() - paused_at >= timedelta(minutes=1)  # of the demo: a second of ours


async def test_the_tour_fails_where_the_bot_stays_silent(bot, console, clock, out):
    script = ScriptedBot(bot, silent_after="/status")
    began = clock.now()

    assert await a_tour(console, clock, script).play() == 1
    assert script.heard[-1] == "/status"
    assert "the answer to /status did not come" in out.getvalue()
    assert clock.now() - began < timedelta(minutes=50)


async def test_the_tour_fails_where_no_trade_follows(bot, console, clock, out):
    assert await a_tour(console, clock, ScriptedBot(bot, trades=False)).play() == 1
    assert "/resume did not come" in out.getvalue()
