"""The program goes on with a database that an older version left, as if it had never stopped."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.interaction.message import plain_text
from engine.storage.migrations import migrate
from engine.storage.models.queues import OutboxRow
from tests.bot.harness import OWNER, Program, World
from tests.fakes.clock import FakeClock
from tests.fakes.mexc import FakeMexc
from tests.fakes.tasks import a_moment, running
from tests.fakes.telegram import FakeTelegram
from tests.storage.stored import contents as c

DUMP = Path(__file__).parents[1] / "storage" / "stored" / "0.5.0.sqlite.sql"


@pytest.fixture
async def kept(tmp_path: Path, clock: FakeClock) -> AsyncGenerator[Program]:
    """Two minutes later, when what the older process held has run out."""
    file = tmp_path / "kept.db"
    connection = sqlite3.connect(file)
    connection.executescript(DUMP.read_text(encoding="utf-8"))
    connection.close()
    migrate(f"sqlite:///{file}")
    clock.shift(timedelta(minutes=2))
    async with FakeTelegram(clock=clock) as api, FakeMexc(clock=clock) as mexc:
        mexc.add_account(c.API_KEY, c.API_SECRET, USDT="57.10", MNTL="91858")
        world = World(api, mexc, clock, f"sqlite:///{file}")
        async with world.program({"ENCRYPTION_KEYS": c.VAULT_KEY}) as program:
            yield program


# What stands in the answer to each command, of what was stored.
ANSWERS = {
    "/status": ("newer card",),
    "/why": ("17.11 USDT", "8,101 MNTL", "40.79 USDT"),
    "/history": ("8,102 MNTL", "40.00 → 140.25"),
    "/audit": ("unclear order put aside",),
    "/alerts": ("silent", "Europe/Berlin", "08:00", "22:00"),
    "/limits": ("90.50 USDT", "51.39 USDT used", "5 used", "15%"),
    "/mode": ("auto",),
    "/warn": ("Below 0.5 MX", "Below 20 USDT"),
    "/members": ("Zoë 🟢",),
    "/settings": ("40.00 USDT", "MNTL/USDT"),
    "/doctor": ("BWC5", "asked me to wait"),
    "/halt": ("Halted already",),
    "/export": ("2 orders",),
}


async def test_every_command_answers_from_what_was_stored(kept: Program):
    said = {
        command: plain_text("\n".join(answer.text for answer in await kept.say(OWNER, command)))
        for command in ANSWERS
    }
    missing = [
        f"{command}: {word}"
        for command, words in ANSWERS.items()
        for word in words
        if word not in said[command]
    ]

    assert missing == []


async def test_every_message_that_waited_is_sent(kept: Program):
    """But for those that the chat does not want to hear."""
    waits = select(OutboxRow.id).where(OutboxRow.chat_id == OWNER, OutboxRow.done_at.is_(None))
    await kept.say(OWNER, "/version")  # else Telegram knows no such chat
    async with asyncio.timeout(30), running(kept.parts.outbox_sender.run()):
        while await kept.scalar(waits.limit(1)):
            await a_moment()
    over = select(OutboxRow.kind, OutboxRow.failure, OutboxRow.message_id).where(
        OutboxRow.chat_id == OWNER
    )
    async with kept.database.reading() as session:
        came = {
            kind: (failure, bool(message))
            for kind, failure, message in await session.execute(over)
        }
    unwanted = {kind for kind, (failure, _) in came.items() if failure}

    assert came.keys() == c.ALERTS.keys()
    assert unwanted == {"key_ending"}
    assert all(arrived for kind, (_, arrived) in came.items() if kind not in unwanted)
