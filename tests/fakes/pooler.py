"""A pooler in transaction mode, as PgBouncer is one, between the program and a real PostgreSQL.

It is strict where such poolers are: a start-up parameter it does not know is refused, a client has a
server's connection for one transaction, and the next client gets that one as it was left. What a
session keeps is seen by somebody else, or found at the end: `leaks`.
"""

import asyncio
import itertools
import os
import socket
import ssl
import struct
from collections import deque
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

_VERSION, _CANCEL, _TLS, _GSS = 196608, 80877102, 80877103, 80877104
_TRACKED = {
    "user",
    "database",
    "application_name",
    "client_encoding",
    "datestyle",
    "timezone",
    "standard_conforming_strings",
}
_TOLD = ("server_version", "client_encoding", "standard_conforming_strings", "integer_datetimes")
_ENDS_A_TURN = {b"Q", b"S"}  # what a client sends before it waits: a query, or a sync
_LEAKS = """
    SELECT 'setting ' || name FROM pg_settings WHERE source = 'session'
    UNION ALL SELECT 'statement ' || name FROM pg_prepared_statements
    UNION ALL SELECT 'lock ' || mode FROM pg_locks
              WHERE locktype = 'advisory' AND pid = pg_backend_pid()
    UNION ALL SELECT 'table ' || relname FROM pg_class WHERE relpersistence = 't'
    UNION ALL SELECT 'channel ' || c FROM pg_listening_channels() AS c
"""


class _Gone(Exception):
    """The other end of a line has hung up."""


class _Server:
    """A connection to the server: libpq logs in, then the bytes are ours."""

    def __init__(self, url: str) -> None:
        self.connection: psycopg.Connection[Any] = psycopg.connect(url, autocommit=True)
        self._socket = socket.socket(fileno=os.dup(self.connection.pgconn.socket))
        self._socket.setblocking(False)

    async def send(self, message: bytes) -> None:
        with _hanging_up():
            await asyncio.get_running_loop().sock_sendall(self._socket, message)

    async def receive(self) -> tuple[bytes, bytes]:
        head = await self._read(5)
        return head[:1], head + await self._read(_length(head[1:]) - 4)

    async def _read(self, size: int) -> bytes:
        loop, found = asyncio.get_running_loop(), b""
        while len(found) < size:
            with _hanging_up():
                part = await loop.sock_recv(self._socket, size - len(found))
            if not part:
                raise _Gone
            found += part
        return found

    def close(self) -> None:
        self._socket.close()
        self.connection.close()


@dataclass(eq=False)
class _Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    server: _Server | None = None


@dataclass
class Pooler:
    """Without *speaks* whoever asks waits. *full*: nobody gets in. *asked* are the round trips."""

    server_url: str
    size: int
    tls: ssl.SSLContext | None
    full: bool = False
    most_clients: int = 0
    encrypted: int = 0
    asked: list[bytes] = field(default_factory=list)
    _port: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _clients: dict[int, _Client] = field(default_factory=dict)
    _idle: deque[_Server] = field(default_factory=deque)
    speaks: asyncio.Event = field(default_factory=asyncio.Event)
    _places: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.speaks.set()
        self._places = asyncio.Semaphore(self.size)

    def url(self, *, host: str = "127.0.0.1", **query: str) -> str:
        """Where the program has to go."""
        address = make_url(self.server_url)
        there = address.set(
            drivername="postgresql",
            host=host,
            port=self._port,
            query={"gssencmode": "disable", **query},
        )
        return there.render_as_string(hide_password=False)

    def cut(self) -> None:
        """Every line breaks, in the middle of whatever it was."""
        for client in tuple(self._clients.values()):
            client.writer.transport.abort()

    def leaks(self) -> list[str]:
        """What somebody left behind in a session of the server's."""
        return [row[0] for server in self._idle for row in server.connection.execute(_LEAKS)]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(reader, writer, next(self._numbers))
        self._clients[client.number] = client
        try:
            with suppress(_Gone, ConnectionError, asyncio.IncompleteReadError):
                if await self._log_in(client):
                    self.most_clients = max(self.most_clients, len(self._clients))
                    while True:
                        await self._take_turn(client)
        finally:
            if client.server is not None:  # in the middle of a transaction, which ends so
                client.server.close()
                self._places.release()
            del self._clients[client.number]
            writer.close()

    async def _log_in(self, client: _Client) -> bool:
        while True:
            size = _length(await client.reader.readexactly(4))
            message = await client.reader.readexactly(size - 4)
            await self.speaks.wait()
            match _length(message):
                case code if code == _TLS and self.tls is not None:
                    client.writer.write(b"S")
                    await client.writer.start_tls(self.tls)
                    self.encrypted += 1
                case code if code in {_TLS, _GSS}:
                    client.writer.write(b"N")
                case code if code == _CANCEL:
                    await self._cancel(struct.unpack("!i", message[8:12])[0])
                    return False
                case _:
                    return await self._welcome(client, message[4:])

    async def _welcome(self, client: _Client, parameters: bytes) -> bool:
        words = parameters.decode().split("\0")
        unknown = [word for word in words[:-2:2] if word not in _TRACKED]
        if unknown or self.full:
            refusal = ("08P01", f"unsupported startup parameter: {unknown}")
            if self.full:
                refusal = ("53300", "no more connections allowed")
            client.writer.write(_error(*refusal))
            return False
        server = await self._lend()
        self._take_back(server)
        client.writer.write(_message(b"R", struct.pack("!i", 0)))
        for name in _TOLD:
            value = server.connection.pgconn.parameter_status(name.encode()) or b""
            client.writer.write(_message(b"S", name.encode() + b"\0" + value + b"\0"))
        client.writer.write(_message(b"K", struct.pack("!ii", client.number, client.number)))
        client.writer.write(_message(b"Z", b"I"))
        return True

    async def _take_turn(self, client: _Client) -> None:
        """All the client sends until it waits, and all the server answers until it is ready."""
        while True:
            kind = await client.reader.readexactly(1)
            size = await client.reader.readexactly(4)
            message = kind + size + await client.reader.readexactly(_length(size) - 4)
            if kind == b"X":
                raise _Gone
            server = client.server = client.server or await self._lend()
            await server.send(message)
            if kind in _ENDS_A_TURN:
                break
        self.asked.append(message[5:])
        while True:
            answer, message = await server.receive()
            await self.speaks.wait()
            if answer == b"Z" and message.endswith(b"I"):
                self._take_back(server)
                client.server = None
            client.writer.write(message)
            if answer == b"Z":
                return

    async def _lend(self) -> _Server:
        """The one that was idle for longest: hardly ever the one this client had before."""
        await self._places.acquire()
        try:
            if self._idle:
                return self._idle.popleft()
            return await asyncio.to_thread(_Server, self.server_url)
        except psycopg.OperationalError:
            self._places.release()
            raise _Gone from None

    def _take_back(self, server: _Server) -> None:
        self._idle.append(server)
        self._places.release()

    async def _cancel(self, number: int) -> None:
        if (client := self._clients.get(number)) and client.server is not None:
            await asyncio.to_thread(client.server.connection.cancel_safe)

    def close(self) -> None:
        self.speaks.set()
        self.cut()
        while self._idle:
            self._idle.pop().close()


@asynccontextmanager
async def pooled(
    server_url: str, *, size: int = 4, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncGenerator[Pooler]:
    """A pooler with *size* connections to the server, on a port of its own."""
    pooler = Pooler(server_url, size, tls)
    server = await asyncio.start_server(pooler.serve, host, 0)
    pooler._port = server.sockets[0].getsockname()[1]
    try:
        yield pooler
    finally:
        server.close()
        pooler.close()
        await server.wait_closed()


@contextmanager
def _hanging_up() -> Generator[None]:
    try:
        yield
    except OSError as e:
        raise _Gone from e


def _length(four_bytes: bytes) -> int:
    length: int = struct.unpack("!i", four_bytes[:4])[0]
    return length


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _error(code: str, text: str) -> bytes:
    fields = {b"S": "FATAL", b"V": "FATAL", b"C": code, b"M": text}
    return _message(b"E", b"".join(k + v.encode() + b"\0" for k, v in fields.items()) + b"\0")
