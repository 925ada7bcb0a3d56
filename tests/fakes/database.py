"""Our databases with somebody watching, or pulling the plug."""

import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import Clock
from engine.storage.database import Database

OnStep = Callable[[str], Awaitable[None]]


def gone() -> OperationalError:
    """What SQLAlchemy raises when the connection breaks."""
    return OperationalError("COMMIT", None, ConnectionError("server closed the connection"))


def disk_full() -> OperationalError:
    """What SQLAlchemy raises where nothing more can be written."""
    return OperationalError("INSERT", None, sqlite3.OperationalError("database or disk is full"))


class WatchedDatabase(Database):
    """The same database; *on_step* hears of each transaction when it begins, just before it
    commits, and when it has committed, and may raise.
    """

    def __init__(self, database: Database, clock: Clock, *, on_step: OnStep) -> None:
        super().__init__(database.engine, clock)
        self.on_step = on_step
        self.open_writes = 0

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncSession]:
        await self.on_step("read begins")
        async with super().reading() as session:
            yield session
        await self.on_step("read ends")

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncSession]:
        self.open_writes += 1
        try:
            await self.on_step("write begins")
            async with super().writing() as session:
                yield session
                await self.on_step("commit")
            await self.on_step("committed")
        finally:
            self.open_writes -= 1


@contextmanager
def statements(database: Database) -> Generator[list[str]]:
    """Every statement that reaches the database within the block."""
    seen: list[str] = []

    def remember(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", remember)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", remember)
