"""The watchdog in the real process, with shorter times: what stalls is logged, told, and ends it."""

import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bot.__main__ import EXIT_STALLED
from tests.e2e.process import Process
from tests.e2e.world import OWNER, World
from tests.fakes.telegram_faults import HANG
from tests.sampling import LONG

SHORTER_TIMES = """
import sys
from datetime import timedelta

from bot.observability import stall_alerts
from bot.updates import poll_watchdog
from bot.__main__ import main
from engine.domain.rebalancing import schedule

MS = timedelta(milliseconds=1)
"""
POLLS = "poll_watchdog._BEAT, poll_watchdog._RESTART_AFTER, poll_watchdog._GIVE_UP_AFTER = 20*MS, 200*MS, 700*MS"
CHECKS = "stall_alerts._BEAT, schedule._MISSED_CHECKS = 50*MS, 0"
# A block of more than a second, on the way to Telegram.
BLOCK = """
import time
from bot.runtime import update_receiver

come_online = update_receiver.come_online

async def dawdle(*arguments):
    time.sleep(1.2)
    await come_online(*arguments)

update_receiver.come_online = dawdle
"""
# The database is away when Telegram comes.
AWAY_ONCE = """
from bot.access.authorization import Access
from tests.fakes.database import gone

offer_code = Access.offer_code

async def once(access):
    Access.offer_code = offer_code
    raise gone()

Access.offer_code = once
"""


@dataclass(frozen=True, slots=True)
class Changed:
    """Starts `main` of `python -m bot` in a program that *changes* have been made to."""

    changes: str

    def start(self, *, folder: Path, env: Mapping[str, str], out: Path, err: Path) -> Process:
        code = f"{SHORTER_TIMES}\n{self.changes}\nsys.exit(main())"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            return subprocess.Popen(
                [sys.executable, "-c", code],
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )


async def test_polls_that_hang_end_the_process_in_order_with_a_code_of_their_own(world: World):
    async with world.running():
        await world.connect()
    world.telegram.fail("getUpdates", HANG, times=100)
    world.launcher = Changed(POLLS)
    program = world.start()

    assert await program.exit_code() == EXIT_STALLED
    assert program.log.count("polls restarted") == 3
    assert "INFO bot.runtime.supervisor stopped" in program.log
    assert program.log.splitlines()[-1].startswith("ballast: Telegram has not answered for")
    assert owners_of_leases(world) == [None]


@LONG
async def test_a_blocked_loop_and_checks_that_are_late_are_noticed(world: World):
    world.telegram.open_chat(OWNER)
    world.launcher = Changed(f"{CHECKS}\n{BLOCK}")
    program = world.start()
    await world.hears("⚠️ ALL ACCOUNTS")
    await world.hears("✅ ALL ACCOUNTS")
    await program.ready()

    assert "event loop blocked" in program.log
    assert "in dawdle" in program.log
    assert "event loop recovered" in program.log
    assert await program.stop() == 0


@LONG
async def test_a_database_away_when_telegram_comes_is_waited_for(world: World):
    world.launcher = Changed(AWAY_ONCE)
    async with world.running() as program:
        await world.ask("/version", "Ballast")

        assert "startup delayed: the database is away" in program.log


def owners_of_leases(world: World) -> list[str | None]:
    with closing(sqlite3.connect(world.folder / "data/ballast.db")) as connection:
        return [owner for (owner,) in connection.execute("SELECT owner FROM leases")]
