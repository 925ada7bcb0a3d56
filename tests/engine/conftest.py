"""An engine on SQLite, the same on both databases where that matters, and MEXC on a socket."""

import ssl
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from engine.exchanges.mexc.aiohttp_transport import open_transport
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.exchange import MexcExchange
from engine.exchanges.mexc.market_data import MexcMarket
from engine.exchanges.rate_limiter import RateLimiter, RateLimits
from engine.security.credentials import Credentials
from engine.storage.database import Database
from tests.engine.harness import Engine
from tests.fakes.clock import FakeClock
from tests.fakes.exchange import FakeExchange
from tests.fakes.mexc import FakeMexc

# Where time stands still, nobody could wait for a turn.
UNLIMITED = RateLimits(weight=10**6, orders=10**6, account_reads=10**6, listings=10**6)
API_KEY = "mx0canaryKEY"
API_SECRET = "canarySECRET45d0b3c26f2644"


@pytest.fixture
def exchange(clock: FakeClock) -> FakeExchange:
    """An account that holds 17.10 USDT too much."""
    return FakeExchange(clock, usdt="57.10", mntl=100_000)


@pytest.fixture
async def sqlite(sqlite_url: str, clock: FakeClock) -> AsyncGenerator[Database]:
    async with Database.open(sqlite_url, clock=clock) as opened:
        yield opened

        assert "Current Checked out connections: 0" in opened.engine.pool.status()


@pytest.fixture
def engine(sqlite: Database, clock: FakeClock, exchange: FakeExchange) -> Engine:
    return Engine(sqlite, clock, exchange)


@pytest.fixture
def engine_on_both(database: Database, clock: FakeClock, exchange: FakeExchange) -> Engine:
    """For what the database itself has to guarantee: SQLite, then PostgreSQL."""
    return Engine(database, clock, exchange)


@pytest.fixture
async def mexc(clock: FakeClock) -> AsyncGenerator[FakeMexc]:
    """A MEXC whose one account holds 17.10 USDT too much."""
    async with FakeMexc(clock) as fake:
        fake.add_account(API_KEY, API_SECRET, USDT="57.10", MNTL="100000")
        yield fake


@pytest.fixture
async def at_mexc(mexc: FakeMexc, clock: FakeClock) -> AsyncGenerator[MexcExchange]:
    """That account, through the client that will face the real one."""
    no_certificates = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading them takes long
    patience = timedelta(milliseconds=400)
    async with open_transport(time_limit=patience, tls=no_certificates) as transport:
        client = MexcClient(
            transport, base_url=mexc.url, clock=clock, budget=RateLimiter(clock, UNLIMITED)
        )
        credentials = Credentials(API_KEY, API_SECRET)
        yield MexcExchange(client, credentials, MexcMarket(client))
