"""A stream of ours at the fake MEXC, and what it tells."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from engine.domain.streams.trust import Doubt
from engine.exchanges.mexc.push_messages import ACCOUNT, DEALS, ORDERS, Pushed
from engine.exchanges.mexc.stream import Stream, StreamSession, connected
from tests.fakes.clock import FakeClock
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_connection import Connection
from tests.fakes.mexc_streams import FakeMexcStreams

API_KEY = "mx0canaryKEY"
PRIVATE = (ACCOUNT, ORDERS, DEALS)


def new_key(mexc: FakeMexc) -> str:
    """A listen key of the account."""
    made = mexc.listen_keys.make(mexc.ledger.accounts[API_KEY], {})
    return str(made["listenKey"])


@dataclass(slots=True)
class Followed:
    """A stream that is read: what it pushed, and what each channel was answered."""

    stream: Stream
    events: list[Pushed]
    answers: list[tuple[str, str]]
    run: asyncio.Task[Doubt] = field(init=False)

    @property
    def acknowledged(self) -> list[str]:
        return [channel for channel, said in self.answers if said == channel]

    @property
    def refused(self) -> list[str]:
        return [channel for channel, said in self.answers if said != channel]

    async def ends(self) -> Doubt:
        return await asyncio.wait_for(self.run, timeout=5)


@dataclass(slots=True)
class Away:
    """The fake exchange, and how one connects to it."""

    mexc: FakeMexc
    streams: FakeMexcStreams
    session: StreamSession
    clock: FakeClock

    async def connect(self, listen_key: str | None) -> Followed:
        events, answers = list[Pushed](), list[tuple[str, str]]()

        def answered(channel: str, said: str) -> None:
            answers.append((channel, said))

        stream = await connected(
            self.session,
            listen_key=listen_key,
            clock=self.clock,
            on_event=events.append,
            on_answer=answered,
        )
        return Followed(stream, events, answers)

    @asynccontextmanager
    async def following(self, *, key: str | None = "") -> AsyncGenerator[Followed]:
        """With a new key unless told otherwise; the run is over, one way or another, at the end."""
        followed = await self.connect(new_key(self.mexc) if key == "" else key)
        async with asyncio.TaskGroup() as tasks:
            followed.run = tasks.create_task(followed.stream.run())
            yield followed
            await followed.stream.close()

    @asynccontextmanager
    async def subscribed(self) -> AsyncGenerator[tuple[Followed, Connection]]:
        """To the account, acknowledged."""
        async with self.following() as followed:
            await followed.stream.subscribe([ACCOUNT])
            await self.streams.until(lambda: bool(followed.acknowledged))
            yield followed, self.streams.only

    async def taken(self) -> None:
        """All that the server has said so far is taken: a PING behind it is answered."""
        connection = self.streams.only
        before = connection.pongs
        connection.ping()
        await self.streams.until(lambda: connection.pongs > before)

    def deposit(self) -> None:
        self.mexc.deposit(API_KEY, "USDT", Decimal(20))
