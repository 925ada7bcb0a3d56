"""A small HTTP/1.1 server on a real loopback socket, for fakes that need odd answers.

A handler gets a `Request` and returns a `Reply`; a reply may also drop the connection or stop
half-way, which no framework lets a test do.
"""

import asyncio
import itertools
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import h11

from engine.clock import SystemClock

# For whoever speaks to a fake: reading the certificates takes 30 ms, and nothing here needs them.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_DRIP = timedelta(milliseconds=5)


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Reply:
    """*drop*: close without a byte. *cut_at*: promise the whole body, send only so much, close.
    *drips*: a byte at a time, and blanks for ever when the body is over.
    """

    status: int = 200
    body: bytes = b"{}"
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    cut_at: int | None = None
    drips: bool = False

    async def dripping(self) -> AsyncIterator[bytes]:
        for byte in itertools.chain(self.body, itertools.repeat(ord(" "))):
            yield bytes([byte])
            await SystemClock().sleep(_DRIP)


Handler = Callable[[Request], Awaitable[Reply]]


@asynccontextmanager
async def serve(handler: Handler, *, port: int = 0) -> AsyncGenerator[str]:
    """The base URL of a running server; connections are cut when the block is left."""
    writers: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            with suppress(ConnectionError, h11.RemoteProtocolError, asyncio.CancelledError):
                await _converse(handler, reader, writer)
        finally:
            writers.discard(writer)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    try:
        host, bound_port = server.sockets[0].getsockname()[:2]
        yield f"http://{host}:{bound_port}"
    finally:
        server.close()
        for writer in tuple(writers):
            writer.transport.abort()
        await server.wait_closed()


async def _converse(
    handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    connection = h11.Connection(h11.SERVER)
    while True:
        request = await _read_request(connection, reader)
        if request is None:
            return
        reply = await handler(request)
        if reply.drop:
            writer.transport.abort()
            return
        await _write_reply(connection, writer, reply)
        if reply.cut_at is not None or connection.our_state is h11.MUST_CLOSE:
            return
        connection.start_next_cycle()


async def _read_request(
    connection: h11.Connection, reader: asyncio.StreamReader
) -> Request | None:
    head: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            if head is None:
                return None
            target = urlsplit(head.target.decode())
            return Request(
                method=head.method.decode(),
                path=target.path,
                query_string=target.query,
                headers={k.decode().lower(): v.decode() for k, v in head.headers},
                body=body,
            )
        else:  # the client is gone
            return None


async def _write_reply(
    connection: h11.Connection, writer: asyncio.StreamWriter, reply: Reply
) -> None:
    headers = [
        ("content-type", reply.content_type),
        ("content-length", str(len(reply.body))),
        *reply.headers.items(),
    ]
    head = h11.Response(status_code=reply.status, headers=headers)
    data = connection.send(head) or b""
    if reply.drips:
        writer.write(data)
        async for drop in reply.dripping():
            writer.write(drop)
            await writer.drain()
    if reply.cut_at is not None:
        writer.write(data + reply.body[: reply.cut_at])
        await writer.drain()
        return
    data += connection.send(h11.Data(data=reply.body)) or b""
    data += connection.send(h11.EndOfMessage()) or b""
    writer.write(data)
    await writer.drain()
