"""A server that answers in bytes, as no proper one would, and a proxy in front of one."""

import asyncio
import base64
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Answering = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class RawServer:
    """*heads* are the requests that arrived, by their first lines and headers."""

    url: str = ""
    heads: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def count(self, method: str) -> int:
        return sum(head.startswith(f"{method} ".encode()) for head in self.heads)


@asynccontextmanager
async def raw_server(
    answer: Answering, *, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[RawServer]:
    """*answer* is called for each request of a connection until it has closed it."""
    served, writers = RawServer(), set[asyncio.StreamWriter]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        writers.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                served.heads.append(head)
                await answer(head, writer)
                await writer.drain()
        writers.discard(writer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    scheme = "https" if tls else "http"
    served.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield served
    finally:
        server.close()
        for writer in tuple(writers):
            writer.transport.abort()
        await server.wait_closed()


@dataclass(slots=True)
class Proxy:
    """It forwards to wherever CONNECT says. *refuses* is the status that it answers instead, *hangs_up*: closes
    before an answer, *cuts_after*: closes once so many bytes have gone through.
    """

    port: int = 0
    asked: list[bytes] = field(default_factory=list)
    refuses: bytes = b""
    hangs_up: bool = False
    cuts_after: int | None = None
    passed: int = 0

    def authorized_as(self) -> str:
        for line in self.asked[-1].split(b"\r\n"):
            if line.lower().startswith(b"proxy-authorization: basic "):
                return base64.b64decode(line.rpartition(b" ")[2]).decode()
        return ""


@asynccontextmanager
async def running_proxy() -> AsyncGenerator[Proxy]:
    proxy = Proxy()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            proxy.asked.append(head)
            if proxy.refuses:
                writer.write(b"HTTP/1.1 " + proxy.refuses + b"\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
            elif not proxy.hangs_up:
                host, _, port = head.split()[1].decode().rpartition(":")
                back, there = await asyncio.open_connection(host, int(port))
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(_pass_on(reader, there, proxy))
                    tasks.create_task(_pass_on(back, writer, None))
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()


async def _pass_on(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, proxy: Proxy | None
) -> None:
    with suppress(OSError):
        while chunk := await source.read(65536):
            target.write(chunk)
            await target.drain()
            if proxy is not None:
                proxy.passed += len(chunk)
                if proxy.cuts_after is not None and proxy.passed > proxy.cuts_after:
                    break
    target.close()
