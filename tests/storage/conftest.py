"""Transactions and queues are tried on three ways to a database: a pooler before PostgreSQL is one."""

from collections.abc import AsyncGenerator

import pytest

from engine.storage.database import Database
from tests.fakes.clock import FakeClock
from tests.fakes.pooler import pooled

_ALSO_POOLED = ("test_database", "test_queue")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames:
        ways = ["sqlite", "postgres"] + ["pooled"] * metafunc.module.__name__.endswith(
            _ALSO_POOLED
        )
        metafunc.parametrize("database", ways, indirect=True)


@pytest.fixture
async def database(request: pytest.FixtureRequest, clock: FakeClock) -> AsyncGenerator[Database]:
    """Our tables; the test must have given every connection back, and left nothing in it."""
    kind = "postgres" if request.param == "pooled" else request.param
    url: str = request.getfixturevalue(f"{kind}_url")
    if request.param != "pooled":
        async with Database.open(url, clock=clock) as opened:
            yield opened

            assert "Current Checked out connections: 0" in opened.engine.pool.status()
        return
    async with pooled(url) as pooler:
        async with Database.open(pooler.url(), clock=clock) as opened:
            yield opened

            assert "Current Checked out connections: 0" in opened.engine.pool.status()
        assert pooler.leaks() == []
