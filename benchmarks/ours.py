"""Our exchange client and its neighbours, built as bot/live.py builds them: the one place of the
benchmarks to change when that does.
"""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx

from benchmarks.program import api_key
from engine.clock import SystemClock
from engine.credentials import Credentials
from engine.exchange.mexc.client import MexcClient
from engine.exchange.mexc.exchange import MexcExchange
from engine.exchange.mexc.market import MexcMarket
from engine.exchange.pacing import WeightBudget

SECRET = "0" * 32
_UNLIMITED = sys.maxsize


def credentials(number: int = 0) -> Credentials:
    return Credentials(api_key=api_key(number), api_secret=SECRET)


@asynccontextmanager
async def open_client(url: str) -> AsyncGenerator[MexcClient]:
    clock = SystemClock()
    transport = httpx.AsyncHTTPTransport(retries=1)
    async with httpx.AsyncClient(transport=transport) as http:
        budget = WeightBudget(clock, limit=_UNLIMITED, window=timedelta(seconds=10))
        yield MexcClient(http, base_url=url, clock=clock, budget=budget)


def exchange(client: MexcClient, number: int = 0) -> MexcExchange:
    """The port of one account."""
    key = credentials(number)
    return MexcExchange(client, key, MexcMarket(client).signed_by(key))
