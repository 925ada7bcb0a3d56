"""Inside the program under test: at the chosen crash point the process kills itself.

The effects are wrapped where they are defined; which of their callers is at work is read from the
stack, so production code has no hook. A transaction that changed nothing is no crash point, nor is
a poll that brings and confirms nothing: dying there is dying between two others.
"""

import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from telegram.ext import ExtBot

from bot.updates.polling import UpdatesSource
from engine.domain.streams import key_times
from engine.exchanges.mexc.exchange import MexcExchange
from engine.exchanges.paper.exchange import PaperExchange
from engine.storage.database import Database
from engine.streaming import fleet
from tests.faults.points import AFTER, BEFORE, Site

SITES, CRASH_AT, PASSED = "BALLAST_TEST_SITES", "BALLAST_TEST_CRASH_AT", "BALLAST_TEST_PASSED"
# Where it is set, a listen key is extended each second, and one that is lost then soon replaced.
KEYS_IN_A_HURRY = "BALLAST_TEST_KEYS_IN_A_HURRY"
# What a wrapped effect is called by that has no site: points.py does not see it.
UNNAMED = "unnamed"


def write_down(sites: Iterable[Site], file: Path) -> None:
    """The sites, for the program under test."""
    file.write_text(json.dumps([asdict(site) for site in sites]))


def lay_charges(env: Mapping[str, str]) -> None:
    """Die at the point CRASH_AT; append each point that is passed to the file PASSED."""
    if SITES not in env:
        return
    if env.get(KEYS_IN_A_HURRY):
        key_times._EXTENDED_FROM = key_times._EXTENDED_TO = timedelta(seconds=1)
        vars(fleet)["refused_again_in"] = lambda _: timedelta(seconds=1)
    sites = [Site(**fields) for fields in json.loads(Path(env[SITES]).read_text())]
    charges = _Charges(sites, crash_at=env.get(CRASH_AT), passed=env.get(PASSED))
    charges.around_transactions()
    charges.around_polls()
    charges.around(MexcExchange, "place", kind="place")
    charges.around(PaperExchange, "place", kind="place")
    for kind in {site.kind for site in sites} - {"writing", "place", "fetch"}:
        charges.around(ExtBot, kind, kind=kind)


class _Charges:
    def __init__(self, sites: Iterable[Site], *, crash_at: str | None, passed: str | None) -> None:
        self._by_file: dict[str, list[Site]] = {}
        for site in sites:
            self._by_file.setdefault(site.file, []).append(site)
        self._crash_at = crash_at
        self._passed = None if passed is None else Path(passed)

    def around_transactions(self) -> None:
        real = Database.writing

        @asynccontextmanager
        async def writing(database: Database) -> AsyncGenerator[AsyncSession]:
            name = self._name("writing")
            async with real(database) as session:
                before = await _changes(session)
                yield session
                await session.flush()
                has_written = await _changes(session) > before
                if has_written:
                    self._pass(name, BEFORE)
            if has_written:
                self._pass(name, AFTER)

        setattr(Database, "writing", writing)  # noqa: B010 - mypy knows it as a method

    def around_polls(self) -> None:
        real = UpdatesSource.fetch

        async def fetch(source: UpdatesSource, offset: int | None) -> list[dict[str, Any]]:
            name = self._name("fetch")
            if offset is not None:
                self._pass(name, BEFORE)
            updates = await real(source, offset)
            if updates:
                self._pass(name, AFTER)
            return updates

        setattr(UpdatesSource, "fetch", fetch)  # noqa: B010 - as above

    def around(self, owner: type, method: str, *, kind: str) -> None:
        real: Callable[..., Awaitable[Any]] = getattr(owner, method)

        async def charged(*args: Any, **kwargs: Any) -> Any:
            name = self._name(kind)
            self._pass(name, BEFORE)
            answer = await real(*args, **kwargs)
            self._pass(name, AFTER)
            return answer

        setattr(owner, method, charged)

    def _name(self, kind: str) -> str:
        """The site that is at work, by the innermost frame that stands on one."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            for site in self._by_file.get(frame.f_code.co_filename, ()):
                if site.kind == kind and site.first_line <= frame.f_lineno <= site.last_line:
                    return _with_queue(site, frame)
            frame = frame.f_back
        return f"{UNNAMED}:{kind}"

    def _pass(self, name: str, when: str) -> None:
        point = f"{name}:{when}"
        if self._passed is not None:
            with self._passed.open("a") as file:
                file.write(f"{point}\n")
        if point == self._crash_at:
            os.kill(os.getpid(), signal.SIGKILL)


def _with_queue(site: Site, frame: FrameType) -> str:
    if not site.queues:
        return site.name
    return f"{site.name}[{frame.f_locals['self'].table.__name__}]"


async def _changes(session: AsyncSession) -> int:
    """How many rows SQLite has changed on this connection so far."""
    connection = await session.connection()
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    changes: int = driver.total_changes
    return changes
