"""Processes that use listen keys at the fake MEXC, over one database."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from engine.accounts.account_service import AccountService
from engine.domain.accounts.account import Account
from engine.domain.streams.trust import Doubt
from engine.exchanges.mexc.aiohttp_transport import open_transport
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.key_inspector import MexcKeyInspector
from engine.exchanges.mexc.listen_keys.account_keys import ListenKeys
from engine.exchanges.mexc.transport import Transport
from engine.exchanges.rate_limiter import RateLimiter
from engine.security.vault import Vault
from engine.storage.accounts import accounts
from engine.storage.coordination import listen_keys
from engine.storage.coordination.listen_keys import StoredListenKey
from engine.storage.database import Database
from tests import builders
from tests.engine.conftest import API_KEY, API_SECRET, UNLIMITED
from tests.engine.harness import CHAT
from tests.fakes.clock import START, FakeClock
from tests.fakes.http import NO_CERTIFICATES
from tests.fakes.mexc import FakeMexc
from tests.fakes.tasks import a_moment

VAULT = Vault(["qo6p0XBvY0WgVd3tXOtSCgrLkSYlPlDHWuJ5kdnvZAk="])
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
PATH = "/api/v3/userDataStream"


class Host:
    """Processes of one program: each has its own keys in memory, and one database."""

    def __init__(
        self, database: Database, mexc: FakeMexc, clock: FakeClock, transport: Transport
    ) -> None:
        self.database = database
        self.mexc = mexc
        self.clock = clock
        self._transport = transport
        self.doubts: list[int] = []

    @property
    def valid(self) -> list[str]:
        return self.mexc.listen_keys.of(API_KEY)

    def requests(self, method: str) -> int:
        return self.mexc.requests[method, PATH]

    def process(self, database: Database | None = None) -> ListenKeys:
        keys = ListenKeys(
            client=self.client(),
            database=database or self.database,
            vault=VAULT,
            clock=self.clock,
        )
        keys.on_doubt = self._doubt
        return keys

    def client(self) -> MexcClient:
        return MexcClient(
            self._transport,
            base_url=self.mexc.url,
            clock=self.clock,
            budget=RateLimiter(self.clock, UNLIMITED),
        )

    def service(self, keys: ListenKeys) -> AccountService:
        async def open_paper(_account: Account, _holdings: object) -> None: ...

        return AccountService(
            database=self.database,
            clock=self.clock,
            vault=VAULT,
            defaults=builders.settings(),
            key_check=MexcKeyInspector(self.client()),
            exchange_for=lambda _account: None,  # type: ignore[arg-type,return-value]
            open_paper=open_paper,
            paper_only=False,
            revoke_stream=keys.revoke,
        )

    async def account(self) -> Account:
        async with self.database.reading() as session:
            found = await accounts.of_chat(session, CHAT)
        assert found is not None
        return found

    async def stored(self, account: Account) -> StoredListenKey | None:
        async with self.database.reading() as session:
            return await listen_keys.get(session, account.id)

    def _doubt(self, account_id: int, why: Doubt) -> None:
        assert why is Doubt.KEY
        self.doubts.append(account_id)


async def until(
    condition: Callable[[], bool], clock: FakeClock, *, every: timedelta = SECOND
) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await clock.advance(every)
            await a_moment()


@asynccontextmanager
async def one_account(
    database: Database, mexc: FakeMexc, clock: FakeClock
) -> AsyncGenerator[Host]:
    """One account, connected."""
    async with database.writing() as session:
        account = await accounts.get_or_create(
            session, chat_id=CHAT, settings=builders.settings(), now=START
        )
        sealed = VAULT.seal_credentials(
            api_key=API_KEY, api_secret=API_SECRET, account_uuid=account.uuid, chat_id=CHAT
        )
        await accounts.store_key(
            session, account, sealed_key=sealed, key_tail=API_KEY[-4:], key_print="print"
        )
    async with open_transport(time_limit=2 * SECOND, tls=NO_CERTIFICATES) as transport:
        yield Host(database, mexc, clock, transport)
