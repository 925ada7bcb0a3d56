"""Our exchange client and its neighbours, built as bot/runtime/live.py builds them: the one place of the
benchmarks to change when that does.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from benchmarks.program import ENCRYPTION_KEY, api_key
from engine.clock import SystemClock
from engine.domain.accounts.account import Account
from engine.exchanges.interface import ExchangeFor
from engine.exchanges.mexc.aiohttp_transport import open_transport
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.exchange import MexcExchange
from engine.exchanges.mexc.market_data import MexcMarket
from engine.exchanges.rate_limiter import RateLimiter, RateLimits
from engine.security.credentials import Credentials
from engine.security.vault import Vault

SECRET = "0" * 32
_UNLIMITED = RateLimits(weight=10**9, orders=10**6, account_reads=10**6)


def credentials(number: int = 0) -> Credentials:
    return Credentials(api_key=api_key(number), api_secret=SECRET)


@asynccontextmanager
async def open_client(url: str) -> AsyncGenerator[MexcClient]:
    clock = SystemClock()
    async with open_transport(proxy=None) as transport:
        budget = RateLimiter(clock, _UNLIMITED)
        yield MexcClient(transport, base_url=url, clock=clock, budget=budget)


def exchange(client: MexcClient, number: int = 0) -> MexcExchange:
    """The port of one account."""
    return MexcExchange(client, credentials(number), MexcMarket(client))


def exchange_for(client: MexcClient) -> ExchangeFor:
    """The ports of all accounts, whose keys are opened for each check."""
    vault, market = Vault([ENCRYPTION_KEY]), MexcMarket(client)

    def of(account: Account) -> MexcExchange:
        key = vault.open_credentials(
            account.sealed_key or "", account_uuid=account.uuid, chat_id=account.chat_id
        )
        return MexcExchange(client, key, market)

    return of
