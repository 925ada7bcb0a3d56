"""One life of the program inside the nursery, before its first child: what SQLAlchemy compiles and
all look up when they meet it first is a third of a short life, and is then there for every child.

Nothing else of that life may reach a child, which shall be as real a program as one that was
started: `warm_up` says what was left behind where anything was.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from bot.config.settings import ProcessSettings
from bot.observability.event_loop import watched_loop
from bot.runtime.live import run_live
from tests import compiled
from tests.e2e.world import ENCRYPTION_KEY, OWNER, World
from tests.fakes.mexc import FakeMexc
from tests.fakes.telegram import FakeTelegram
from tests.faults.stories import tapped

_LONGEST_DAY_S = 15.0  # less than a test's patience
_LONGEST_END_S = 5.0
_ASKED = {
    "/limits order 500": "500.00 USDT",
    "/warn MNTL 10": "below 10 MNTL",
    "/pause": "PAUSED",
    "/settings": "· Settings",
    "/status": "Next     ",
}


def warm_up() -> None:
    """Raises AssertionError where more is left than what was compiled and looked up."""
    compiled.share()
    # What is only imported when it is used may be so by a life, and by any other.
    ours = [m for name, m in sys.modules.items() if name.startswith(("bot.", "engine."))]
    before = dict(_traces(ours))
    as_before = os.environ.get("PTB_TIMEDELTA")  # noqa: TID251 - read by the library
    logging.disable()
    try:
        with (
            TemporaryDirectory() as folder,
            warnings.catch_warnings(),  # or a child would not give a warning that was given here
        ):
            os.environ["PTB_TIMEDELTA"] = "true"  # noqa: TID251 - as bot/__main__.py does
            asyncio.run(_live(Path(folder)))
    finally:
        del os.environ["PTB_TIMEDELTA"]  # noqa: TID251 - a child sets it itself
        if as_before is not None:
            os.environ["PTB_TIMEDELTA"] = as_before  # noqa: TID251 - as above
        logging.disable(logging.NOTSET)
    _wait_for_threads(before["threads"])
    left = [f"{what}: {now}" for what, now in _traces(ours) if before.get(what) != now]

    assert not left, f"left behind in every child: {left}"


async def _live(folder: Path) -> None:
    async with FakeTelegram() as telegram, FakeMexc() as mexc:
        world = World(folder=folder, telegram=telegram, mexc=mexc)
        database = {"DATABASE_URL": f"sqlite:///{folder}/ballast.db"}
        settings = ProcessSettings.from_env(
            world.env | database | {"ENCRYPTION_KEYS": ENCRYPTION_KEY}
        )
        stop = asyncio.Event()
        with watched_loop() as turning:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(run_live(settings, stop=stop, turning=turning))
                with suppress(TimeoutError):  # a child has more to do then, that is all
                    async with asyncio.timeout(_LONGEST_DAY_S):
                        await _converse(world)
                stop.set()


async def _converse(world: World) -> None:
    """A first day: a key, a trade, a plan that is tapped, what people say all the time."""
    await world.connect()
    await world.ask("/resume", "Trading is on")
    await world.hears("Bought")
    world.drift("1.90")
    plan = await world.ask("/rebalance", "Plan for")
    await tapped(world, "Trade", plan)
    await world.hears("Bought", after=plan.message_id)
    for command in _ASKED:
        world.telegram.say(OWNER, command)
    for answer in _ASKED.values():
        await world.hears(answer)


def _wait_for_threads(before: object) -> None:
    """A thread of the database's driver ends a moment after its connection."""
    deadline = time.monotonic() + _LONGEST_END_S
    while threading.enumerate() != before and time.monotonic() < deadline:
        time.sleep(0.001)


def _traces(modules: Sequence[ModuleType]) -> Iterator[tuple[str, object]]:
    """Where a life leaves something in its process, apart from memory that nobody reads again."""
    yield "threads", threading.enumerate()
    yield "open files", sorted(Path("/dev/fd").iterdir())
    yield "environment", dict(os.environ)  # noqa: TID251 - it must be what it was
    yield "folder", Path.cwd()
    yield "signals", [(n, signal.getsignal(n)) for n in sorted(signal.valid_signals())]
    yield "warnings", (list(warnings.filters), warnings.showwarning)
    loggers = logging.root.manager.loggerDict.items()
    for name, logger in [("root", logging.root), *loggers]:
        if isinstance(logger, logging.Logger):
            told = (logger.level, list(logger.handlers), list(logger.filters))
            if any(told):
                yield f"logger {name}", told
    for module in modules:
        for name, value in vars(module).items():
            if not (name.startswith("__") or isinstance(value, ModuleType)):
                yield f"{module.__name__}.{name}", repr(value)
