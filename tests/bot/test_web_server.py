"""The process's HTTP server over a real socket: what it answers, and what it keeps to itself."""

import asyncio
import errno
import logging
import socket
from contextlib import AsyncExitStack, suppress
from typing import Any

import httpx
import pytest
from aiohttp import web

from bot.runtime.live import _listen
from bot.runtime.startup import CannotStart
from bot.web import server
from bot.web.connection_limits import Connections
from bot.web.server import MOST_BODY, body_of, serve
from tests.fakes.http import NO_CERTIFICATES

LOCAL = "127.0.0.1"
WHOLE = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"


async def hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


async def breaks(_: web.Request) -> web.Response:
    raise ZeroDivisionError("secret words")


async def size(request: web.Request) -> web.Response:
    return web.Response(text=str(len(await request.read())))


ROUTES = {("GET", "/hello"): hello, ("GET", "/breaks"): breaks, ("POST", "/size"): size}


async def ask(port: int, method: str, path: str, content: bytes = b"") -> httpx.Response:
    async with httpx.AsyncClient(verify=NO_CERTIFICATES) as http:
        return await http.request(method, f"http://{LOCAL}:{port}{path}", content=content)


async def test_it_answers_its_routes_and_no_others():
    async with serve(ROUTES, port=0, host=LOCAL) as port:
        answers = [
            await ask(port, "GET", "/hello"),
            await ask(port, "HEAD", "/hello"),
            await ask(port, "POST", "/hello"),
            await ask(port, "GET", "/"),
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 405, 404]
    assert answers[0].text == "hello"
    assert [answer.headers.get("server") for answer in answers] == [None] * 4


async def test_no_request_is_logged_and_a_mistake_is_told_to_us_alone(
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.DEBUG, "aiohttp")
    async with serve(ROUTES, port=0, host=LOCAL) as port:
        await ask(port, "GET", "/hello?token=canary")
        answer = await ask(port, "GET", "/breaks")

    assert (answer.status_code, answer.text) == (500, "")
    assert "request failed" in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    "garbage",
    [b"CANARY\r\n\r\n", b"GET / HTTP/1.1\r\nbad header: canary\x00\r\n\r\n"],
    ids=["method", "header"],
)
async def test_what_is_no_request_is_refused_and_not_logged(
    garbage: bytes, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    async with asyncio.timeout(10), serve(ROUTES, port=0, host=LOCAL) as port:
        reader, writer = await asyncio.open_connection(LOCAL, port)
        writer.write(garbage)
        answer = await reader.read()
        writer.close()

    assert b" 400 " in answer.splitlines()[0]
    assert "canary" not in caplog.text.lower()


async def test_no_body_is_read_beyond_the_bound():
    async with serve(ROUTES, port=0, host=LOCAL) as port:
        fits = await ask(port, "POST", "/size", b"x" * (MOST_BODY - 1))
        too_much = await ask(port, "POST", "/size", b"x" * (MOST_BODY + 1))

    assert (fits.status_code, fits.text) == (200, str(MOST_BODY - 1))
    assert too_much.status_code == 413


async def test_a_port_that_is_in_use_is_an_error_of_the_system():
    async with serve(ROUTES, port=0, host=LOCAL) as port:
        with pytest.raises(OSError, match="in use"):
            async with serve(ROUTES, port=port, host=LOCAL):
                pass


@pytest.mark.parametrize(
    ("host", "answers"),
    [(None, {"127.0.0.1", "::1"}), ("::", {"127.0.0.1", "::1"}), ("0.0.0.0", {"127.0.0.1"})],  # noqa: S104 - what is tried
)
async def test_it_listens_on_both_families_unless_an_address_is_named(host, answers):
    heard = set()
    async with serve(ROUTES, port=0, host=host) as port:
        for address in ("127.0.0.1", "::1"):
            with suppress(OSError):
                _, writer = await asyncio.open_connection(address, port)
                writer.close()
                heard.add(address)

    assert heard == answers


async def test_where_the_machine_has_no_ipv6_it_listens_on_ipv4(monkeypatch):
    def create(address: tuple[str, int], **how: Any) -> socket.socket:
        if how["family"] == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "no such family")
        return real(address, **how)

    real = socket.create_server
    monkeypatch.setattr(socket, "create_server", create)
    async with serve(ROUTES, port=0) as port:
        assert (await ask(port, "GET", "/hello")).status_code == 200


async def test_above_the_cap_the_oldest_connection_that_asks_nothing_makes_room():
    connections = Connections(most=20)
    async with asyncio.timeout(10), serve(ROUTES, port=0, connections=connections) as port:
        lines = [await half_open(port) for _ in range(60)]
        answer = await ask(port, "GET", "/hello")
        most = len(connections)
        oldest = await lines[0][0].read()
        for _, writer in lines:
            writer.close()

    assert answer.text == "hello"
    assert most <= 20
    assert oldest == b""


async def test_a_connection_at_work_is_never_closed_for_another():
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        asked.set()
        await go_on.wait()
        return web.Response(text="done")

    async with (
        asyncio.timeout(10),
        asyncio.TaskGroup() as tasks,
        serve({("GET", "/slow"): slow}, port=0, connections=Connections(most=1)) as port,
    ):
        asking = tasks.create_task(ask(port, "GET", "/slow"))
        await asked.wait()
        reader, writer = await half_open(port)

        assert await lost(reader)
        writer.close()
        go_on.set()

    assert asking.result().text == "done"


@pytest.mark.parametrize("begin", [b"", b"GET /hel", b"GET /hello HTTP/1.1\r\nHost: x\r\n"])
async def test_a_request_whose_head_does_not_come_in_time_is_hung_up_on(begin: bytes):
    connections = Connections(request_within=0.1)
    async with asyncio.timeout(10), serve(ROUTES, port=0, connections=connections) as port:
        reader, writer = await half_open(port, begin)

        assert await lost(reader)
        writer.close()

        reader, writer = await half_open(port, WHOLE)
        await reader.readuntil(b"hello")
        writer.write(b"GET /hel")  # of the next one, on the same connection

        assert await lost(reader)
        writer.close()
    assert len(connections) == 0


async def test_a_body_that_does_not_come_in_time_is_refused(monkeypatch):
    monkeypatch.setattr(server, "_BODY_WITHIN_S", 0.05)

    async def take(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await body_of(request))))

    async with asyncio.timeout(10), serve({("POST", "/take"): take}, port=0) as port:
        reader, writer = await half_open(
            port, b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"
        )

        assert b" 408 " in await reader.readline()
        writer.close()


async def half_open(
    port: int, begin: bytes = b"GET /hel"
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(LOCAL, port)
    writer.write(begin)
    return reader, writer


async def lost(reader: asyncio.StreamReader) -> bool:
    """Whether the connection ends without an answer."""
    with suppress(ConnectionError):
        return await reader.read() == b""
    return True


async def test_an_answer_under_way_is_finished_within_the_grace_and_then_the_port_is_free():
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        asked.set()
        await go_on.wait()
        return web.Response(text="done")

    async with (
        asyncio.timeout(10),
        asyncio.TaskGroup() as tasks,
        serve({("GET", "/slow"): slow}, port=0, host=LOCAL) as port,
    ):
        asking = tasks.create_task(ask(port, "GET", "/slow"))
        await asked.wait()
        asyncio.get_running_loop().call_later(0.05, go_on.set)

    assert asking.result().text == "done"
    async with serve({}, port=port, host=LOCAL) as again:
        assert again == port


@pytest.mark.parametrize("host", ["203.0.113.7", "fe80::1%nosuch0"])
async def test_an_address_that_is_not_of_this_machine_is_named_and_not_the_port(host: str):
    async with AsyncExitStack() as stack:
        with pytest.raises(CannotStart, match=f"LISTEN_ADDRESS {host} cannot be used"):
            await _listen(stack, {}, port=18431, host=host)
