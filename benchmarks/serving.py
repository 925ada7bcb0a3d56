"""A quick HTTP/1.1 server for fakes that must not be what is measured: canned answers, kept-alive
connections, an answer later than the question if so wished. A process of its own.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

_HEAD_ENDS = b"\r\n\r\n"
_REASONS = {200: b"OK", 404: b"Not Found", 429: b"Too Many Requests"}


@dataclass(frozen=True, slots=True)
class Request:
    """*headers* have lower-case names."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_string))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True, slots=True)
class Answer:
    """*delay* is in seconds, from the arrival of the request."""

    body: bytes
    status: int = 200
    delay: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Answer]


class _Conversation(asyncio.Protocol):
    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (request := self._next_request()) is not None:
            answer = self._handler(request)
            if answer.delay:
                asyncio.get_running_loop().call_later(answer.delay, self._reply, answer)
            else:
                self._reply(answer)

    def _next_request(self) -> Request | None:
        head, ended, rest = self._received.partition(_HEAD_ENDS)
        if not ended:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        named = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in named}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return None
        self._received = rest[length:]
        path, _, query_string = target.partition("?")
        return Request(method, path, query_string, headers, rest[:length])

    def _reply(self, answer: Answer) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        more = b"".join(
            b"%s: %s\r\n" % (k.encode(), v.encode()) for k, v in answer.headers.items()
        )
        reason = _REASONS.get(answer.status, b"-")
        self._transport.write(
            b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"
            % (answer.status, reason, len(answer.body), more, answer.body)
        )


async def _nothing() -> None: ...


def serve_forever(handler: Handler, *, first: Callable[[], Awaitable[None]] = _nothing) -> None:
    """Do what comes *first*, print the base URL on a line of its own, then serve until killed."""

    async def serve() -> None:
        await first()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Conversation(handler), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        sys.stdout.write(f"http://127.0.0.1:{port}\n")
        sys.stdout.flush()
        await server.serve_forever()

    asyncio.run(serve())
