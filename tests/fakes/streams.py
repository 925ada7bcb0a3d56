"""Streams of accounts that a test opens, acknowledges, cuts and closes, and that remember it all."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.orders.order import AccountId
from engine.domain.streams.trust import Doubt
from engine.exchanges.interface import AccountFeed

BEAT = timedelta(seconds=15)


class FakeStream:
    """One connection. With *is_stuck* it does not end when it is asked to."""

    def __init__(self, account: Account, feed: AccountFeed, *, acknowledges: bool) -> None:
        self.account = account
        self.feed = feed
        self.beats = 0
        self.is_stuck = False
        self.ended_by: Doubt | None = None
        self._acknowledges = acknowledges
        self._over = asyncio.Event()

    @property
    def is_open(self) -> bool:
        return not self._over.is_set()

    async def run(self) -> Doubt:
        if self._acknowledges:
            self.feed.acknowledge()
        try:
            await self._over.wait()
        finally:
            self._over.set()
        return self.ended_by or Doubt.CLOSED

    async def beat(self) -> timedelta:
        self.beats += 1
        return BEAT

    async def end(self, why: Doubt) -> None:
        if self.is_stuck:
            await asyncio.Event().wait()
        self.cut(why)

    def cut(self, why: Doubt = Doubt.CLOSED) -> None:
        """The exchange or the network ends it."""
        self.ended_by = self.ended_by or why
        self._over.set()


@dataclass
class FakeStreams:
    """*refuses* is raised instead of a connection, and with *hangs* nothing comes of it at all; *acknowledges* says whether one is subscribed,
    *shuts* why the exchange closes it at once.
    """

    clock: Clock
    is_remote: bool = True
    refuses: Exception | None = None
    acknowledges: bool = True
    shuts: Doubt | None = None
    hangs: bool = False
    attempts: list[tuple[datetime, AccountId, bool]] = field(default_factory=list)
    streams: list[FakeStream] = field(default_factory=list)
    left: list[AccountId] = field(default_factory=list)

    async def open(self, account: Account, *, feed: AccountFeed, renew: bool) -> FakeStream:
        self.attempts.append((self.clock.steady(), account.id, renew))
        if self.hangs:
            await asyncio.Event().wait()
        if self.refuses is not None:
            raise self.refuses
        stream = FakeStream(account, feed, acknowledges=self.acknowledges)
        if self.shuts is not None:
            stream.cut(self.shuts)
        self.streams.append(stream)
        return stream

    async def close(self, account_id: AccountId) -> None:
        self.left.append(account_id)

    async def run(self) -> None:
        await asyncio.Event().wait()

    def of(self, account_id: AccountId) -> list[FakeStream]:
        """Those that are open."""
        return [one for one in self.streams if one.account.id == account_id and one.is_open]

    @property
    def open_ones(self) -> list[FakeStream]:
        return [one for one in self.streams if one.is_open]

    def a_second(self) -> int:
        """Returns the most connections that were begun within one second."""
        begun = [at for at, _, _ in self.attempts]
        second = timedelta(seconds=1)
        return max((sum(at <= one < at + second for one in begun) for at in set(begun)), default=0)

    def tries(self) -> Counter[AccountId]:
        return Counter(account_id for _, account_id, _ in self.attempts)
