"""The process's HTTP server over a real socket: what it answers, and what it keeps to itself."""

import asyncio
import logging

import httpx
import pytest
from aiohttp import web

from bot.webserver import MOST_BODY, serve
from tests.fakes.http import NO_CERTIFICATES

LOCAL = "127.0.0.1"


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
