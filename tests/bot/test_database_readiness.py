"""A database that is database not ready is waited for; one that never will be is not."""

import asyncio
import socket
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy.engine import make_url

from bot.runtime.database_readiness import database_is_ready
from bot.runtime.startup import CannotStart
from tests.engine.harness import eventually
from tests.fakes.clock import FakeClock

REFUSED = "postgres://u:sEcReT@127.0.0.1:{}/d"


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


async def test_sqlite_is_never_waited_for(clock: FakeClock):
    assert await database_is_ready("sqlite:///no/such.db", clock=clock, stop=asyncio.Event())


async def test_a_postgresql_that_answers_is_not_waited_for(postgres_url, clock: FakeClock):
    async with asyncio.timeout(10):
        assert await database_is_ready(postgres_url, clock=clock, stop=asyncio.Event())


async def test_one_that_does_not_answer_is_waited_for_a_bounded_time(
    closed_port, clock: FakeClock, caplog: pytest.LogCaptureFixture
):
    url = REFUSED.format(closed_port)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(_refused(url, clock))
        await eventually(lambda: "database not ready" in caplog.text)
        await clock.advance(timedelta(seconds=15))

    assert "Connection refused" in waiting.result()
    assert caplog.text.count("database not ready") == 1
    assert "sEcReT" not in caplog.text + waiting.result()


async def test_a_signal_ends_the_wait(closed_port, clock: FakeClock):
    stop = asyncio.Event()
    stop.set()

    assert not await database_is_ready(REFUSED.format(closed_port), clock=clock, stop=stop)


async def test_one_that_takes_no_writes_is_waited_for(
    postgres_url, clock: FakeClock, caplog: pytest.LogCaptureFixture
):
    name = make_url(postgres_url).database
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(
                database_is_ready(postgres_url, clock=clock, stop=asyncio.Event())
            )
            await eventually(lambda: "the database is read-only" in caplog.text)
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")

    assert waiting.result()


async def test_what_no_waiting_mends_is_said_at_once(postgres_url, clock: FakeClock):
    nowhere = make_url(postgres_url).set(database="nowhere").render_as_string(hide_password=False)
    nobody = make_url(postgres_url).set(username="nobody_is").render_as_string(hide_password=False)
    async with asyncio.timeout(10):
        assert '"nowhere" does not exist' in await _refused(nowhere, clock)
        assert '"nobody_is" does not exist' in await _refused(nobody, clock)
        assert "definition of service" in await _refused(f"{postgres_url}&service=x", clock)


async def _refused(url: str, clock: FakeClock) -> str:
    with pytest.raises(CannotStart) as caught:
        await database_is_ready(url, clock=clock, stop=asyncio.Event())
    return str(caught.value)
