"""A fake MEXC with one account, and a client that talks to it."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import httpx
import pytest

from engine.credentials import Credentials
from engine.exchange.mexc.client import MexcClient
from engine.exchange.pacing import WeightBudget
from tests.fakes.clock import FakeClock
from tests.fakes.mexc import FakeMexc

API_KEY = "mx0canaryKEY"
API_SECRET = "canarySECRET45d0b3c26f2644"


@pytest.fixture
async def mexc(clock: FakeClock) -> AsyncGenerator[FakeMexc]:
    async with FakeMexc(clock) as fake:
        fake.add_account(API_KEY, API_SECRET, USDT="50", MNTL="20000")
        yield fake


@pytest.fixture
def credentials() -> Credentials:
    return Credentials(API_KEY, API_SECRET)


@pytest.fixture
async def http() -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture
def mexc_client(mexc: FakeMexc, http: httpx.AsyncClient, clock: FakeClock) -> MexcClient:
    return MexcClient(
        http,
        base_url=mexc.url,
        clock=clock,
        budget=WeightBudget(clock),
        time_limit=timedelta(seconds=1),
    )
