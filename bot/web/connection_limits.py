"""Limits the web server's connections: their number, and the time for a request's head.
Without a limit, connections that never finish a request take every file descriptor of the process,
and with them its connection to the exchange.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

MOST = 200
_REQUEST_WITHIN_S = 10.0


class Connections:
    """The open connections, oldest first. A new one above *most* closes the oldest that has no
    request in progress; if all have one, the new one is closed.
    """

    def __init__(self, *, most: int = MOST, request_within: float = _REQUEST_WITHIN_S) -> None:
        self._most = most
        self._request_within = request_within
        self._open: dict[asyncio.BaseTransport, _Connection] = {}

    def __len__(self) -> int:
        return len(self._open)

    def bounded(self, build: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """Return a protocol factory around *build* whose connections are counted and timed."""
        return lambda: _Connection(build(), self)

    @asynccontextmanager
    async def at_work(self, transport: asyncio.BaseTransport | None) -> AsyncGenerator[None]:
        """Mark the connection as busy while its request is answered."""
        connection = self._open.get(transport) if transport is not None else None
        if connection is None:
            yield
            return
        connection.begin()
        try:
            yield
        finally:
            connection.end()

    def admit(self, transport: asyncio.Transport, connection: "_Connection") -> bool:
        if len(self._open) >= self._most and not self._make_room():
            return False
        self._open[transport] = connection
        return True

    def forget(self, transport: asyncio.BaseTransport) -> None:
        self._open.pop(transport, None)

    def alarm(self, act: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._request_within, act)

    def _make_room(self) -> bool:
        for transport, connection in self._open.items():
            if not connection.is_at_work:
                del self._open[transport]  # an aborted connection is removed a moment later
                connection.abort()
                return True
        return False


class _Connection(asyncio.Protocol):
    """One connection with a time limit for the head of a request.
    It counts from the request's first byte or from the start. Between two requests the server's
    own limit applies.
    """

    def __init__(self, inner: asyncio.Protocol, all_open: Connections) -> None:
        self._inner = inner
        self._all = all_open
        self._transport: asyncio.Transport | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._is_refused = False
        self.is_at_work = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a server's connections are streams")
        self._transport = transport
        if not self._all.admit(transport, self):
            self._is_refused = True
            transport.abort()
            return
        self._alarm = self._all.alarm(self.abort)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        if self._alarm is None and not self.is_at_work:
            self._alarm = self._all.alarm(self.abort)
        self._inner.data_received(data)

    def begin(self) -> None:
        self.is_at_work = True
        self._silence()

    def end(self) -> None:
        self.is_at_work = False

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def eof_received(self) -> bool | None:
        return None if self._is_refused else self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._silence()
        if self._transport is not None:
            self._all.forget(self._transport)
        if not self._is_refused:
            self._inner.connection_lost(exc)

    def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
