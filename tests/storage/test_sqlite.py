"""One process per SQLite file, whatever name it is opened by, and for its owner's eyes alone."""

import asyncio
import os
import sqlite3
import stat
from contextlib import AsyncExitStack, closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.runtime.startup import CannotStart, open_database
from engine.clock import SystemClock
from engine.storage.database import Database
from engine.storage.sqlite import Connection, InUse, make_private, sole_user


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    "other",
    [
        "data/ballast.db",
        "data/../data/./ballast.db",
        "{here}/data/ballast.db",
        "symbolic.db",
        "data/hard.db",
        "folder/ballast.db",
    ],
)
@pytest.mark.parametrize("is_there", [True, False])
def test_two_names_of_one_file_are_one_database(data: Path, other: str, is_there: bool):
    first = Path("data/ballast.db")
    if is_there or "hard" in other:
        first.touch()
    Path("symbolic.db").symlink_to(first)
    Path("folder").symlink_to(data)
    if first.exists():
        os.link(first, "data/hard.db")
    second = Path(other.format(here=data.parent))
    with sole_user(first):
        with pytest.raises(InUse), sole_user(second):
            pass
        with sole_user(Path("data/another.db")):
            pass
    with sole_user(second), pytest.raises(InUse), sole_user(first):
        pass


async def test_a_start_through_a_link_is_refused(data: Path):
    os.symlink(data / "ballast.db", "linked.db")  # noqa: PTH211 - of this moment
    async with open_database("sqlite:///data/ballast.db", clock=SystemClock()):
        with pytest.raises(CannotStart, match=r"linked\.db is in use by another Ballast"):
            async with open_database(f"sqlite:////{data.parent}/linked.db", clock=SystemClock()):
                pass


@pytest.mark.parametrize("mode", [None, 0o644, 0o660])
async def test_the_database_and_what_lies_beside_it_are_for_their_owner_alone(
    data: Path, mode: int | None
):
    if mode is not None:
        for name in ("ballast.db", "ballast.db.lock", "ballast.db-journal"):
            (data / name).touch()
            (data / name).chmod(mode)
    before = os.umask(0)
    try:
        async with AsyncExitStack() as stack:
            url = "sqlite:///data/ballast.db"
            database = await stack.enter_async_context(open_database(url, clock=SystemClock()))
            async with database.writing() as session:
                await session.execute(text("INSERT INTO notes (name, value) VALUES ('a', 'b')"))
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in seen(data)}
    finally:
        os.umask(before)

    assert {"ballast.db", "ballast.db-wal", "ballast.db-shm", "ballast.db.lock"} <= modes.keys()
    assert set(modes.values()) == {0o600}


def seen(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def test_what_is_no_file_keeps_its_rights(data: Path):
    """As root, a database at /dev/null would take that from the whole machine."""
    device = data / "device"
    os.mkfifo(device)
    device.chmod(0o666)

    make_private(device)

    assert stat.S_IMODE(device.stat().st_mode) == 0o666


def test_a_closed_connection_lets_go_of_the_database_however_many_statements_live_on(
    tmp_path: Path,
):
    file = tmp_path / "some.db"
    first = sqlite3.connect(file, isolation_level=None, factory=Connection)
    first.execute("CREATE TABLE notes (name)")
    first.execute("INSERT INTO notes VALUES (1), (2)")
    first.execute("BEGIN IMMEDIATE")
    alive = first.execute("UPDATE notes SET name = name + 1 RETURNING name")
    reading = first.execute("SELECT name FROM notes")
    reading.fetchone()
    first.close()

    with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as second:
        second.execute("BEGIN IMMEDIATE")

        assert second.execute("SELECT name FROM notes").fetchall() == [(1,), (2,)]
    assert alive is not reading


async def test_at_whichever_step_a_writer_is_cancelled_the_next_one_can_write(sqlite_url: str):
    async def write() -> None:
        async with database.writing() as session:
            await session.execute(
                text("INSERT INTO notes VALUES (:name, '')"), [{"name": n} for n in range(500)]
            )
            await session.execute(text("DELETE FROM notes RETURNING name"))

    ended = []
    async with Database.open(sqlite_url, clock=SystemClock()) as database:
        for tenths in range(60):
            writer = asyncio.get_running_loop().create_task(write())
            await SystemClock().sleep(timedelta(milliseconds=tenths / 10))
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
            ended.append(writer)  # and with its traceback all that it held
            async with asyncio.timeout(2):
                await write()

    assert any(one.cancelled() for one in ended)
