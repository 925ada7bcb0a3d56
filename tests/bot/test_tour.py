import io
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest
from telegram import Bot

from bot.config.settings import ProcessSettings
from bot.demo.console import CHAT_ID, Console, ConsoleRequest
from bot.demo.run import SPEED, demo_setup
from bot.demo.terminal import Terminal
from bot.demo.tour import Tour
from engine.exchanges.paper.simulated_market import SimulatedMarket
from engine.exchanges.paper.streams import PaperStreams
from engine.storage.database import Database
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


_ANSWERS = {"/pause": "Paused already.", "/status": "PAUSED\nUSDT     59.80  target 60 ±10%"}


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
        answer = _ANSWERS.get(text, f"This answers {text.split()[0]}.")
        await self._bot.send_message(CHAT_ID, answer)
        if text == "/resume":
            await self.drift()
        if text == "/settarget 60" and self._trades:
            await self._bot.send_message(CHAT_ID, "🟢 DRY RUN · Sold 9,737 MNTL\nfor 19.88 USDT")

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
        "/setthreshold",
        "/resume",
        "/why",
        "/settarget",
        "/history",
        "/pause",
        "/status",
    ]
    assert "you> /settarget 60" in out.getvalue()
    assert out.getvalue().count("Bought 8,142 MNTL") == 2
    assert out.getvalue().count("Sold 9,737 MNTL") == 1
    assert "make run" in out.getvalue()
    assert "make test" in out.getvalue()
    assert clock.now() - began < timedelta(minutes=7)  # of the demo: seconds of ours
    assert max(len(line) for line in out.getvalue().splitlines()) <= 80


async def test_the_tour_ends_on_the_card_and_leaves_time_to_look_at_it(bot, console, clock):
    script = ScriptedBot(bot)
    shown_at = clock.now()

    async def deliver(raw: dict[str, Any]) -> None:
        nonlocal shown_at
        await script(raw)
        shown_at = clock.now()

    await Tour(console=console, clock=clock, deliver=deliver, drift=script.drift).play()

    assert "target 60" in console.said[-1]
    assert clock.now() - shown_at >= timedelta(seconds=30)  # of the demo: half a second of ours


async def test_the_tour_fails_where_the_bot_stays_silent(bot, console, clock, out):
    script = ScriptedBot(bot, silent_after="/status")
    began = clock.now()

    assert await a_tour(console, clock, script).play() == 1
    assert script.heard[-1] == "/status"
    assert "What /status leads to did not come" in out.getvalue()
    assert clock.now() - began < timedelta(minutes=50)


async def test_checks_that_are_due_every_two_minutes_of_the_demo_begin_on_time(
    empty_sqlite_url, clock
):
    settings, market = ProcessSettings.from_env({}), SimulatedMarket(clock, seed=7)
    async with Database.open(empty_sqlite_url, clock=clock) as database:
        setup = demo_setup(
            settings,
            market=market,
            database=database,
            clock=clock,
            streams=PaperStreams(database=database, clock=clock),
        )

    assert setup.heartbeat * SPEED <= settings.default_settings.interval / 10


async def test_the_tour_fails_where_no_trade_follows(bot, console, clock, out):
    assert await a_tour(console, clock, ScriptedBot(bot, trades=False)).play() == 1
    assert "What /resume leads to did not come" in out.getvalue()
