"""The streams of accounts on paper: what this process changes in a ledger is told at once.

A ledger that another process changes is told by nobody, and found by the next poll, as with any
stream that is deaf.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.market.balances import Balance
from engine.domain.market.pairs import Asset
from engine.domain.orders.order import AccountId
from engine.domain.streams.events import BalanceEvent, Cause
from engine.domain.streams.trust import Doubt
from engine.errors import Unavailable
from engine.exchanges.interface import AccountFeed
from engine.exchanges.paper.resting_orders import apart_from_locked, read_ledger
from engine.storage.database import Database

Balances = Mapping[Asset, Balance]
# There is no connection that would have to be kept.
_BEAT = timedelta(minutes=1)


class PaperStreams:
    """Implements `AccountStreams`."""

    is_remote = False

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._open: dict[AccountId, list[PaperStream]] = {}
        self._turn = asyncio.Lock()  # what is read later is told later
        self._told = 0

    async def open(self, account: Account, *, feed: AccountFeed, renew: bool) -> "PaperStream":  # noqa: ARG002 - nothing here is ever in doubt
        """Raises Unavailable while the ledger is not open."""
        async with self._turn:
            balances = await self._read(account.id)
            if not balances:
                raise Unavailable("the paper ledger is not open")
            stream = PaperStream(feed, balances)
            self._open.setdefault(account.id, []).append(stream)
        feed.acknowledge()
        return stream

    async def close(self, account_id: AccountId) -> None:
        for stream in self._open.pop(account_id, ()):
            await stream.end(Doubt.CLOSED)

    async def run(self) -> None:
        """There is nothing to keep alive."""
        await asyncio.Event().wait()

    async def tell(self, account_id: AccountId, cause: Cause) -> None:
        """Something of the account's ledger was changed, and that is committed."""
        async with self._turn:
            streams = [one for one in self._open.get(account_id, ()) if not one.is_over]
            if not streams:
                self._open.pop(account_id, None)
                return
            self._open[account_id] = streams
            balances = await self._read(account_id)
            self._told += 1
            for stream in streams:
                stream.tell(balances, cause, number=self._told, clock=self._clock)

    async def _read(self, account_id: AccountId) -> Balances:
        async with self._database.reading() as session:
            balances, resting = await read_ledger(session, account_id)
        return apart_from_locked(balances, resting)


class PaperStream:
    """Implements `AccountStream`: tells each asset whose balance is another one than before."""

    def __init__(self, feed: AccountFeed, balances: Balances) -> None:
        self._feed = feed
        self._balances = balances
        self._over: asyncio.Future[Doubt] = asyncio.get_running_loop().create_future()

    @property
    def is_over(self) -> bool:
        return self._over.done()

    async def run(self) -> Doubt:
        return await asyncio.shield(self._over)

    async def beat(self) -> timedelta:
        return _BEAT

    async def end(self, why: Doubt) -> None:
        if not self._over.done():
            self._over.set_result(why)

    def tell(self, balances: Balances, cause: Cause, *, number: int, clock: Clock) -> None:
        before, self._balances = self._balances, balances
        for asset in sorted({*before, *balances}):
            was, now = before.get(asset, Balance()), balances.get(asset, Balance())
            if was != now:
                self._feed.event(
                    BalanceEvent(
                        asset=asset,
                        free=now.free,
                        locked=now.locked,
                        before=(was.free, was.locked),
                        cause=cause,
                        order=(number, number),
                        at=clock.steady(),
                    )
                )
