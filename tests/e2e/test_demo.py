"""The demo: a tour by itself where nobody can type, a conversation where somebody can."""

import os
import pty
import re
import signal
import time
from collections.abc import Generator
from contextlib import suppress

import pytest

from bot.version import VERSION
from tests.e2e.process import until
from tests.e2e.world import World
from tests.sampling import LONG

LONGEST_TOUR_S = 60
STAGES = (
    "you> /start",
    "you> /connect",
    "Key connected",
    "you> /setthreshold 10%",
    "Band 36.00 – 44.00 USDT",
    "you> /resume",
    "🧪 DRY RUN · Bought",
    "you> /why",
    "(The next check sees the drift and trades it. I wait for it.)",
    "🧪 DRY RUN · Bought",
    "you> /settarget 60",
    "Band 54.00 – 66.00 USDT",
    "🧪 DRY RUN · Sold",
    "you> /history",
    "you> /pause",
    "Trading is paused",
    "you> /status",
    "target 60 ±10%",
    "The tour is over.",
)


class Person:
    """Somebody at a terminal: *theirs* is the program's end of it."""

    def __init__(self) -> None:
        self._mine, self.theirs = pty.openpty()
        os.set_blocking(self._mine, False)
        self._seen = b""

    @property
    def screen(self) -> str:
        """Everything shown so far, without colours; what was typed is echoed among it."""
        with suppress(OSError):  # nothing new, or nobody there any more
            self._seen += os.read(self._mine, 65536)
        return re.sub(r"\x1b\[[0-9]*m", "", self._seen.decode(errors="replace")).replace("\r", "")

    def types(self, line: str) -> None:
        os.write(self._mine, f"{line}\n".encode())

    async def sees(self, text: str) -> None:
        await until(lambda: text in self.screen, lambda: f"no {text!r} in {self.screen}")

    def leaves(self) -> None:
        os.close(self._mine)
        os.close(self.theirs)


@pytest.fixture
def person() -> Generator[Person]:
    person = Person()
    yield person
    person.leaves()


@LONG
async def test_without_a_terminal_the_tour_shows_everything_and_ends_well(world: World):
    started = time.monotonic()
    program = world.demo()

    assert await program.exit_code(within=LONGEST_TOUR_S) == 0, program.printed
    assert time.monotonic() - started < LONGEST_TOUR_S
    seen_to = 0
    for stage in STAGES:
        seen_to = program.printed.find(stage, seen_to)

        assert seen_to >= 0, f"no {stage!r} in its place in {program.printed}"

    assert program.log == ""
    assert world.traces() == []


@LONG
async def test_a_person_types_and_taps_buttons_by_their_codes(world: World, person: Person):
    program = world.demo(terminal=person.theirs)
    await person.sees("To leave: /quit")
    person.types("/start")
    await person.sees("[a1] Resume")
    person.types("a1")
    await person.sees("Trading is on")
    await person.sees("DRY RUN · Bought")
    person.types("/nonsense")
    await person.sees("/help")
    person.types("/quit")
    await person.sees("The demo is over.")

    assert await program.exit_code() == 0
    assert program.log == ""
    assert world.traces() == []


@LONG
async def test_a_signal_ends_the_demo(world: World, person: Person):
    program = world.demo(terminal=person.theirs)
    await person.sees("To leave: /quit")

    assert await program.stop(signal.SIGINT) == 0
    assert world.traces() == []


@LONG
async def test_help_and_version_start_nothing(world: World):
    helped, version = world.demo("--help"), world.demo("--version")

    assert await helped.exit_code() == await version.exit_code() == 0
    assert "python -m bot" in helped.printed
    assert version.printed == f"Ballast {VERSION}\n"
    assert world.traces() == []
