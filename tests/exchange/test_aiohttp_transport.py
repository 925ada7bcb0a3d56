"""The transport over real sockets: what provably never left is told apart from all the rest."""

import asyncio
import gzip
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from engine.errors import BadData
from engine.exchanges.mexc import aiohttp_transport
from engine.exchanges.mexc.aiohttp_transport import SocketTransport, open_transport
from engine.exchanges.mexc.transport import NeverLeft, NoAnswer
from tests.fakes.certificates import self_signed, server_side, trusting
from tests.fakes.http import NO_CERTIFICATES
from tests.fakes.raw import Answering, Proxy, RawServer, raw_server, running_proxy
from tests.fakes.tasks import a_moment

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
PATIENCE = timedelta(seconds=0.5)
LONG_PATIENCE = timedelta(seconds=10)
SIGNED = "/api/v3/order?symbol=A%2Cb+c&signature=00ff"


async def answers(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


def writes(*pieces: bytes, then: Callable[[asyncio.StreamWriter], None]) -> Answering:
    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        then(writer)

    return answer


def closes(writer: asyncio.StreamWriter) -> None:
    writer.close()


def resets(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def waits(_: asyncio.StreamWriter) -> None:
    """Says nothing more."""


async def drips(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await a_moment()


HALF = b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"orderId":'
BROKEN: dict[str, tuple[Answering, type[Exception]]] = {
    "closed before an answer": (writes(then=closes), NoAnswer),
    "reset before an answer": (writes(then=resets), NoAnswer),
    "closed within the headers": (writes(b"HTTP/1.1 200 OK\r\nCont", then=closes), NoAnswer),
    "closed within the body": (writes(HALF, then=closes), NoAnswer),
    "reset within the body": (writes(HALF, then=resets), NoAnswer),
    "no answer": (writes(then=waits), NoAnswer),
    "half an answer": (writes(HALF, then=waits), NoAnswer),
    "a drip": (drips, NoAnswer),
    "no HTTP": (writes(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", then=closes), NoAnswer),
    "chunks cut off": (
        writes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", then=closes),
        NoAnswer,
    ),
    "gzip bomb": (
        writes(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n",
            gzip.compress(b" " * 9**8),
            then=closes,
        ),
        BadData,
    ),
}


SILENT = {"no answer", "half an answer", "a drip"}


@pytest.fixture
async def transport() -> AsyncGenerator[SocketTransport]:
    async with open_transport(time_limit=LONG_PATIENCE, tls=NO_CERTIFICATES) as opened:
        yield opened


@pytest.fixture
async def hasty() -> AsyncGenerator[SocketTransport]:
    async with open_transport(time_limit=PATIENCE, tls=NO_CERTIFICATES) as opened:
        yield opened


async def post(transport: SocketTransport, url: str) -> Exception | int:
    return await _told(transport, "POST", url)


async def _told(transport: SocketTransport, method: str, url: str) -> Exception | int:
    try:
        return (await transport.send(method, url + SIGNED, headers={})).status
    except (NeverLeft, NoAnswer, BadData) as e:
        return e


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("is_reused", [True, False], ids=["reused", "new"])
@pytest.mark.parametrize("how", BROKEN)
async def test_a_request_that_arrived_is_sent_once_and_never_said_not_to_have_left(
    transport: SocketTransport, hasty: SocketTransport, method: str, is_reused: bool, how: str
):
    breaks, expected = BROKEN[how]
    if how in SILENT:
        transport = hasty

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        await (answers if b"/warm-up" in head else breaks)(head, writer)

    async with raw_server(answer) as server:
        if is_reused:
            await transport.send("GET", f"{server.url}/warm-up", headers={})
        outcome = await _told(transport, method, server.url)

    assert type(outcome) is expected
    assert len(server.heads) - is_reused == 1
    assert server.connections == 1


async def test_a_kept_connection_that_was_closed_meanwhile_is_not_used_again(
    transport: SocketTransport,
):
    async with raw_server(writes(OK, then=closes)) as server:
        statuses = []
        for _ in range(3):
            statuses.append(await post(transport, server.url))
            await a_moment()

    assert statuses == [200, 200, 200]
    assert (server.connections, server.count("POST")) == (3, 3)


async def test_connections_are_kept(transport: SocketTransport):
    async with raw_server(answers) as server:
        statuses = [await post(transport, server.url) for _ in range(5)]

    assert statuses == [200] * 5
    assert server.connections == 1


async def test_where_nobody_listens_nothing_left(transport: SocketTransport):
    outcome = await post(transport, "http://127.0.0.1:1")

    assert repr(outcome) == "NeverLeft('ClientConnectorError')"


async def test_where_a_name_is_nobody_s_nothing_left(
    transport: SocketTransport, monkeypatch: pytest.MonkeyPatch
):
    async def unknown(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    outcome = await post(transport, "http://mexc.invalid")

    assert repr(outcome) == "NeverLeft('ClientConnectorDNSError')"


async def test_who_waits_for_a_connection_in_vain_never_left(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(aiohttp_transport, "_CONNECTIONS", 2)
    async with (
        open_transport(time_limit=PATIENCE, tls=NO_CERTIFICATES) as narrow,
        raw_server(writes(then=waits)) as server,
        asyncio.TaskGroup() as tasks,
    ):
        sent = [tasks.create_task(post(narrow, server.url)) for _ in range(5)]
    outcomes = [type(task.result()) for task in sent]

    assert outcomes == [NoAnswer, NoAnswer, NeverLeft, NeverLeft, NeverLeft]
    assert server.count("POST") == 2


async def test_where_a_connection_takes_too_long_nothing_left(hasty: SocketTransport):
    """Its line of those who wait to be accepted is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as stack:
        port = full.getsockname()[1]
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        outcome = await post(hasty, f"http://127.0.0.1:{port}")

    assert repr(outcome) == "NeverLeft('TimeoutError')"


async def test_redirects_are_not_followed_and_cookies_not_kept(transport: SocketTransport):
    moved = (
        b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nSet-Cookie: a=b; Path=/\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    async with raw_server(writes(moved, then=waits)) as server:
        statuses = [await post(transport, server.url) for _ in range(2)]

    assert statuses == [302, 302]
    assert b"elsewhere" not in b"".join(server.heads)
    assert b"cookie" not in b"".join(server.heads).lower()


async def test_a_signed_query_leaves_byte_by_byte_as_it_is(transport: SocketTransport):
    async with raw_server(answers) as server:
        await post(transport, server.url)

    assert server.heads[0].startswith(f"POST {SIGNED} HTTP/1.1\r\n".encode())
    assert b"accept-encoding: gzip\r\n" in server.heads[0].lower()


async def test_the_environment_s_proxy_and_passwords_are_not_looked_at(
    transport: SocketTransport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with raw_server(answers) as server:
        status = await post(transport, server.url)

    assert status == 200
    assert b"authorization" not in server.heads[0].lower()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def secure(certificate: Path) -> AsyncGenerator[RawServer]:
    """It answers a GET, and hangs up on a POST."""

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        await (answers(head, writer) if head.startswith(b"GET") else _hang_up(writer))

    async with raw_server(answer, tls=server_side(certificate)) as server:
        yield server


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


@pytest.fixture
async def proxy() -> AsyncGenerator[Proxy]:
    async with running_proxy() as opened:
        yield opened


@pytest.fixture
async def through(proxy: Proxy, certificate: Path) -> AsyncGenerator[SocketTransport]:
    async with open_transport(
        proxy=f"http://mexc%40home:p%3Ass@127.0.0.1:{proxy.port}",
        time_limit=LONG_PATIENCE,
        tls=trusting(certificate),
    ) as opened:
        yield opened


async def test_a_certificate_that_nobody_vouches_for_ends_it_before_anything_left(
    transport: SocketTransport, secure: RawServer
):
    outcome = await post(transport, secure.url)

    assert repr(outcome) == "NeverLeft('ClientConnectorCertificateError')"
    assert secure.heads == []


async def test_a_server_that_speaks_no_tls_is_told_nothing(transport: SocketTransport):
    async with raw_server(answers) as server:
        outcome = await post(transport, server.url.replace("http:", "https:"))

    assert type(outcome) is NeverLeft
    assert server.heads == []


async def test_a_proxy_is_told_who_asks_and_for_which_host_and_no_more(
    proxy: Proxy, through: SocketTransport, secure: RawServer
):
    statuses = [await _told(through, "GET", secure.url) for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert len(proxy.asked) == 1
    assert proxy.asked[0].startswith(f"CONNECT 127.0.0.1:{secure.port} HTTP/1.1\r\n".encode())
    assert proxy.authorized_as() == "mexc@home:p:ss"
    assert b"signature" not in proxy.asked[0]
    assert b"proxy" not in b"".join(secure.heads).lower()


def _refuse(proxy: Proxy) -> None:
    proxy.refuses = b"407 Proxy Authentication Required"


def _fail(proxy: Proxy) -> None:
    proxy.refuses = b"502 Bad Gateway"


def _hang_up_before(proxy: Proxy) -> None:
    proxy.hangs_up = True


def _cut_within_tls(proxy: Proxy) -> None:
    proxy.cuts_after = 0


@pytest.mark.parametrize("happens", [_refuse, _fail, _hang_up_before, _cut_within_tls])
async def test_what_fails_on_the_way_through_a_proxy_never_left(
    proxy: Proxy, through: SocketTransport, secure: RawServer, happens: Callable[[Proxy], None]
):
    happens(proxy)
    outcome = await post(through, secure.url)

    assert type(outcome) is NeverLeft
    assert secure.heads == []


async def test_what_breaks_behind_a_proxy_may_have_arrived(
    through: SocketTransport, secure: RawServer
):
    for begin in ("new", "reused"):
        outcome = await post(through, secure.url)

        assert type(outcome) is NoAnswer, begin
        await _told(through, "GET", secure.url)
    assert secure.count("POST") == 2


async def test_a_proxy_that_is_not_there_never_saw_anything(certificate: Path):
    async with open_transport(
        proxy="http://user:secret@127.0.0.1:1", time_limit=PATIENCE, tls=NO_CERTIFICATES
    ) as transport:
        outcome = await post(transport, "https://127.0.0.1:2")

    assert repr(outcome) == "NeverLeft('ClientProxyConnectionError')"


async def test_no_failure_shows_the_query_or_the_proxy_s_password(
    proxy: Proxy, through: SocketTransport, secure: RawServer, transport: SocketTransport
):
    failures = [await post(through, secure.url), await post(transport, "http://127.0.0.1:1")]
    proxy.refuses = b"407 No"
    failures.append(await post(through, secure.url))
    for failure in failures:
        shown = f"{failure!r} {failure}"

        assert isinstance(failure, NeverLeft | NoAnswer)
        assert failure.__suppress_context__
        assert not any(secret in shown for secret in ("signature", "p:ss", "p%3Ass", "home"))
    assert str(failures[-1]) == "ClientHttpProxyError 407"


async def test_a_cancelled_request_stays_cancelled(transport: SocketTransport):
    async with raw_server(writes(then=waits)) as server, asyncio.TaskGroup() as tasks:
        sending: asyncio.Task[Exception | int] = tasks.create_task(post(transport, server.url))
        while not server.heads:
            await a_moment()
        sending.cancel()

    assert sending.cancelled()
