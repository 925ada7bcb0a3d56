"""A blocked event loop is logged with its place, once, and once more when it turns again."""

import asyncio
import logging
import threading
import time

import pytest

from bot.observability import logs
from bot.observability.event_loop import LIMIT_S, watched_loop
from tests.engine.harness import eventually
from tests.fakes.metrics import value_of
from tests.fakes.tasks import a_moment
from tests.fakes.telegram_server import TOKEN

LIMIT, EVERY = 0.1, 0.02


def hold_everybody_up(seconds: float) -> None:
    credentials = TOKEN

    time.sleep(seconds)

    assert credentials


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "bot.observability.event_loop"]


def test_the_limit_is_a_second():
    assert LIMIT_S == 1


async def test_a_blocked_loop_is_logged_with_where_and_for_how_long(
    caplog: pytest.LogCaptureFixture,
):
    with watched_loop(limit_s=LIMIT, every_s=EVERY):
        asyncio.get_running_loop().call_soon(hold_everybody_up, 3 * LIMIT)
        await eventually(lambda: len(messages(caplog)) == 2)

    blocked, over = messages(caplog)

    assert blocked.startswith("event loop blocked:")
    assert "in hold_everybody_up" in blocked.splitlines()[-2]
    assert "time.sleep(seconds)" in blocked.splitlines()[-1]
    assert TOKEN not in blocked
    assert over == "event loop recovered; it was blocked for 0.3 s"


async def test_each_block_is_logged_once(caplog: pytest.LogCaptureFixture):
    with watched_loop(limit_s=LIMIT, every_s=EVERY):
        hold_everybody_up(2 * LIMIT)
        await eventually(lambda: len(messages(caplog)) == 2)
        hold_everybody_up(2 * LIMIT)
        await eventually(lambda: len(messages(caplog)) == 4)

    assert ["loop recovered" in message for message in messages(caplog)] == [False, True] * 2


async def test_a_loop_that_turns_is_not_mentioned(caplog: pytest.LogCaptureFixture):
    with watched_loop(limit_s=20 * LIMIT, every_s=EVERY):
        for _ in range(5):
            hold_everybody_up(EVERY)
            await a_moment()

    assert messages(caplog) == []


async def test_blocks_and_lags_are_counted(caplog: pytest.LogCaptureFixture):
    with watched_loop(limit_s=LIMIT, every_s=EVERY) as turning:
        await eventually(lambda: value_of(turning.lag, part="_count") > 1)
        hold_everybody_up(2 * LIMIT)
        await eventually(lambda: value_of(turning.blocks) > 0)
        await eventually(lambda: value_of(turning.lag, part="_sum") >= LIMIT)

    assert len(messages(caplog)) >= 2
    assert value_of(turning.blocked) >= LIMIT


async def test_what_it_logs_is_redacted_like_everything_else(caplog: pytest.LogCaptureFixture):
    logs.configure(logging.INFO, None, ["hold_everybody_up"])
    with watched_loop(limit_s=LIMIT, every_s=EVERY):
        hold_everybody_up(2 * LIMIT)
        await eventually(lambda: len(messages(caplog)) == 2)

    written = "\n".join(logs.recent_lines(100))

    assert "event loop blocked" in written
    assert "hold_everybody_up" not in written


async def test_the_watch_ends_with_its_block():
    with watched_loop():
        watching = [t for t in threading.enumerate() if t.name == "loop watch"]

    assert [t.is_alive() for t in watching] == [False]
    assert watching[0].daemon
