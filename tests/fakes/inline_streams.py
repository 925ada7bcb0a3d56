"""The fake MEXC's stream server without sockets: a frame is a call, and time is the test's alone.

Both ends of a connection are one object: FakeMexcStreams writes to it as to a socket, and
`engine.exchanges.mexc.stream.Stream` reads it as the library's websocket.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Self, cast

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from engine.clock import Clock
from engine.exchanges.mexc.stream import StreamSession
from tests.fakes.mexc_streams import CUT, NO_ANSWER, FakeMexcStreams
from tests.fakes.websocket import Asked, WebSocket

URL_OF_STREAMS = "ws://streams.test/ws"


class TurnClock:
    """As *clock*, but whoever sleeps by it waits until a test has let so much time pass, and looks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sleepers: list[tuple[datetime, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._clock.now()

    def steady(self) -> datetime:
        return self._clock.steady()

    async def sleep(self, duration: timedelta) -> None:
        awake = asyncio.Event()
        self._sleepers.append((self.steady() + duration, awake))
        await awake.wait()

    def look(self) -> None:
        """Wake whoever has slept long enough."""
        now = self.steady()
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= now]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > now]
        for _, awake in due:
            awake.set()


class InlineSocket(WebSocket):
    """The server's side, and with `send_str`, `close_it` and iteration the client's."""

    def __init__(self, server: FakeMexcStreams) -> None:
        super().__init__(server)
        self.unread: deque[aiohttp.WSMessage] = deque()
        self._news = asyncio.Event()
        self._is_over = False

    def connect(self, url: URL) -> int | None:
        """Returns the status by which the handshake is refused."""
        self.asked = Asked(url.path, dict(url.query), {})
        status = self._owner.asked(self)
        if status is None:
            self._is_open = True
            self._owner.opened(self)
        return status

    # The server's side.

    def send(self, text: str) -> None:
        self._put(aiohttp.WSMsgType.TEXT, text)

    def push(self, data: bytes) -> None:
        self._put(aiohttp.WSMsgType.BINARY, data)

    def raw(self, data: bytes) -> None:
        self._put(aiohttp.WSMsgType.ERROR, aiohttp.WebSocketError(1002, str(data)))

    def ping(self, data: bytes = b"") -> None:
        if not self.is_frozen:
            self._owner.ponged(self, data)

    def pong(self, data: bytes) -> None:
        """Nobody asked for one."""

    def close(self, code: int = 1000) -> None:
        if not self.is_frozen:
            self._over()

    def hang_up(self) -> None:
        self._over()

    def abort(self) -> None:
        self._over()

    def freeze(self) -> None:
        self.is_frozen = True

    def _put(self, kind: aiohttp.WSMsgType, data: object) -> None:
        if self._is_open and not self.is_frozen:
            self.unread.append(aiohttp.WSMessage(kind, data, None))
            self._news.set()

    def _over(self) -> None:
        was_open, self._is_open = self._is_open, False
        self._is_over = True
        self._news.set()
        if was_open:
            self._owner.gone(self)

    # The client's side.

    async def send_str(self, text: str) -> None:
        if self._is_over:
            raise aiohttp.ClientConnectionResetError("it is closed")
        if not self.is_frozen:
            self._owner.said(self, text)

    async def close_it(self) -> None:
        if self.close_code is None and self._is_open:
            self.close_code = 1000
        self._over()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> aiohttp.WSMessage:
        while not self.unread:
            if self._is_over:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self.unread.popleft()


class _ClientSide:
    """What the library's websocket has of it."""

    def __init__(self, socket: InlineSocket) -> None:
        self._socket = socket
        self.send_str = socket.send_str
        self.close = socket.close_it

    def __aiter__(self) -> InlineSocket:
        return self._socket


class InlineSession:
    """What a process connects by; *step* is told what it is about to do, and may end it there."""

    def __init__(self, server: FakeMexcStreams, step: Callable[[str], Awaitable[None]]) -> None:
        self._server = server
        self._step = step
        self.sockets: list[InlineSocket] = []

    @property
    def has_unread(self) -> bool:
        return any(socket.unread for socket in self.sockets if socket.is_open)

    async def ws_connect(self, url: URL, **_: object) -> _ClientSide:
        await self._step("GET /ws begins")
        socket = InlineSocket(self._server)
        status = socket.connect(url)
        if status == CUT:
            raise aiohttp.ServerDisconnectedError
        if status == NO_ANSWER:
            raise TimeoutError
        if status is not None:
            headers = CIMultiDictProxy(CIMultiDict[str]())
            asked = aiohttp.RequestInfo(url, "GET", headers, url)
            raise aiohttp.WSServerHandshakeError(asked, (), status=status, headers=headers)
        self.sockets = [one for one in self.sockets if one.is_open or one.unread]
        self.sockets.append(socket)
        await self._step("GET /ws ends")
        return _ClientSide(socket)

    def as_session(self) -> StreamSession:
        return StreamSession(cast("Any", self), URL_OF_STREAMS, None, None)
