"""How many transactions a typed command takes, from the update's arrival until it is over."""

import asyncio
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from tests.bot.harness import OWNER, Program

_READ, _WRITE = "BEGIN", "BEGIN IMMEDIATE"


@pytest.fixture(autouse=True)
def _no_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes without a command is no part of it."""
    monkeypatch.setattr("engine.scheduling.queue_worker._POLL_S", 3600.0)


@contextmanager
def transactions(program: Program) -> Generator[Counter[str]]:
    """How many of each kind the program began within the block; the test's own do not count."""
    seen: Counter[str] = Counter()
    test = asyncio.current_task()

    def began(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement in {_READ, _WRITE} and asyncio.current_task() is not test:
            seen[statement] += 1

    engine = program.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", began)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", began)


async def test_help_takes_one_read_and_two_writes(bot: Program):
    await bot.connect()
    with transactions(bot) as seen:
        await bot.ask(OWNER, "/help")

    assert seen[_READ] <= 1
    assert seen[_WRITE] <= 2


async def test_a_change_of_the_target_takes_three_reads_and_four_writes(bot: Program):
    await bot.connect()
    with transactions(bot) as seen:
        [answer] = await bot.say(OWNER, "/settarget 61")

    assert "61" in answer.text
    assert seen[_READ] <= 3
    assert seen[_WRITE] <= 4
