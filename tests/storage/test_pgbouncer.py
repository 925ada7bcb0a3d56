"""The real PgBouncer in transaction mode, where this machine has one: what the fake one says holds."""

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import text

from engine.storage.database import Database
from engine.storage.migrations import migrate
from engine.storage.models.coordination import KeyValueRow
from engine.storage.schema import refusal
from tests.fakes.clock import FakeClock

PROGRAM = shutil.which("pgbouncer")
PATIENCE_S = 20
SETTINGS = """
[databases]
{database} = {there}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
"""

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not on the PATH")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture
def url(empty_postgres_url: str) -> Generator[str]:
    address = conninfo_to_dict(empty_postgres_url)
    database, port = address.pop("dbname"), _free_port()
    folder = Path(mkdtemp(prefix="ballast-pooler-", dir="/tmp"))
    there = make_conninfo("", **address, dbname=database)
    (folder / "ini").write_text(SETTINGS.format(database=database, there=there, port=port))
    who = pwd.getpwnam("nobody").pw_name if os.geteuid() == 0 else None
    folder.chmod(0o711)
    (folder / "ini").chmod(0o644)
    with (folder / "log").open("w") as log:
        pooler = subprocess.Popen(
            [str(PROGRAM), "-q", str(folder / "ini")], user=who, stdout=log, stderr=log
        )
    try:
        through = f"postgresql://{address.get('user')}@127.0.0.1:{port}/{database}"
        _wait_until_it_answers(through, pooler, folder / "log")
        yield through
    finally:
        pooler.kill()
        pooler.wait()
        shutil.rmtree(folder)


def _wait_until_it_answers(url: str, pooler: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError as e:
            if pooler.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text()) from e
            time.sleep(0.02)
        else:
            return


@pytest.fixture
async def through(url: str, clock: FakeClock) -> AsyncGenerator[Database]:
    await asyncio.to_thread(migrate, url)
    async with Database.open(url, clock=clock) as database:
        yield database


async def test_it_refuses_what_we_no_longer_send_and_everything_else_works_through_it(
    url: str, through: Database
):
    with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter: options"):
        await asyncio.to_thread(lambda: psycopg.connect(url, options="-c lock_timeout=5s"))

    async with asyncio.TaskGroup() as tasks:
        for number in range(20):
            tasks.create_task(_write(through, f"{number:02}"))

    async with through.reading() as session:
        written = await session.scalar(text("SELECT count(*) FROM notes WHERE value = 'x'"))
        limits = [
            await session.scalar(text(f"SHOW {name}"))
            for name in ("statement_timeout", "lock_timeout")
        ]
    async with through.engine.connect() as connection:
        assert await connection.run_sync(refusal) is None
    assert written == 20
    assert limits == ["15s", "5s"]


async def _write(database: Database, name: str) -> None:
    async with database.writing() as session:
        session.add(KeyValueRow(name=name, value="x"))
