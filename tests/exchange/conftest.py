"""A fake MEXC with one account, and a client that talks to it."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import httpx
import pytest

from engine.exchanges.mexc.aiohttp_transport import SocketTransport, open_transport
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.stream import open_streams
from engine.exchanges.mexc.transport import Transport
from engine.exchanges.rate_limiter import RateLimiter
from engine.security.credentials import Credentials
from tests.exchange.streaming import API_KEY, Away
from tests.fakes.clock import FakeClock
from tests.fakes.http import NO_CERTIFICATES
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_streams import FakeMexcStreams

__all__ = ["API_KEY"]

API_SECRET = "canarySECRET45d0b3c26f2644"


@pytest.fixture
async def mexc(clock: FakeClock) -> AsyncGenerator[FakeMexc]:
    async with FakeMexc(clock) as fake:
        fake.add_account(API_KEY, API_SECRET, USDT="50", MNTL="20000")
        yield fake


@pytest.fixture
async def streams(mexc: FakeMexc) -> AsyncGenerator[FakeMexcStreams]:
    async with FakeMexcStreams(mexc) as running:
        yield running


@pytest.fixture
async def away(mexc: FakeMexc, streams: FakeMexcStreams, clock: FakeClock) -> AsyncGenerator[Away]:
    async with open_streams(streams.url, tls=NO_CERTIFICATES) as session:
        yield Away(mexc, streams, session, clock)


@pytest.fixture
def credentials() -> Credentials:
    return Credentials(API_KEY, API_SECRET)


@pytest.fixture
async def http() -> AsyncGenerator[httpx.AsyncClient]:
    """For whoever speaks to the fake by hand."""
    async with httpx.AsyncClient(verify=NO_CERTIFICATES) as client:
        yield client


@pytest.fixture
async def transport() -> AsyncGenerator[SocketTransport]:
    async with open_transport(time_limit=timedelta(seconds=1), tls=NO_CERTIFICATES) as opened:
        yield opened


@pytest.fixture
async def hasty() -> AsyncGenerator[SocketTransport]:
    """For answers that never come, or not to their end."""
    patience = timedelta(seconds=0.25)
    async with open_transport(time_limit=patience, tls=NO_CERTIFICATES) as opened:
        yield opened


@pytest.fixture
def budget(clock: FakeClock) -> RateLimiter:
    return RateLimiter(clock)


@pytest.fixture
def mexc_client(
    mexc: FakeMexc, transport: Transport, clock: FakeClock, budget: RateLimiter
) -> MexcClient:
    return MexcClient(transport, base_url=mexc.url, clock=clock, budget=budget)
