"""Updates by webhook: `python -m bot web` as a host starts it, with Telegram bringing them."""

import re
import socket
from typing import Any

import httpx

from tests.e2e.process import until
from tests.e2e.world import ENCRYPTION_KEY, OWNER, World
from tests.fakes.telegram_faults import HANG

BAD_SETTING, CANNOT_START = 2, 3
OK, UNAVAILABLE, NOT_FOUND, UNAUTHORIZED = 200, 503, 404, 401


def a_free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def on(port: int) -> dict[str, str]:
    """What a web process is told."""
    return {"WEBHOOK_URL": f"http://127.0.0.1:{port}", "PORT": str(port)}


async def get(port: int, path: str, **how: Any) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.get(f"http://127.0.0.1:{port}{path}", timeout=10, **how)


async def test_an_update_brought_just_before_a_kill_is_answered_once_by_the_next_life(
    world: World,
):
    env = on(a_free_port())
    async with world.running("web", **env) as web:
        await world.ask("/version", "Ballast")
        world.telegram.fail("sendMessage", HANG)
        world.telegram.say(OWNER, "/status")
        await until(lambda: not world.telegram.unconfirmed, lambda: web.log)
        await until(lambda: len(world.telegram.called("sendMessage")) > 1, lambda: web.log)
        await web.kill()
    before = world.newest()
    world.telegram.say(OWNER, "/help")  # nobody is there: it waits at Telegram's
    async with world.running("web", **env):
        await world.hears("Next     ", after=before)
        await world.hears("/settarget", after=before)
        await until(lambda: not world.telegram.unconfirmed, str)

    said = [text for text in world.told() if "Next     " in text]

    assert len(said) == 1
    assert world.telegram.called("getUpdates") == []


async def test_a_trade_is_seen_at_the_port_by_whoever_has_the_token_and_by_nobody_else(
    world: World,
):
    port, token = a_free_port(), "a-word-of-24-characters."
    bearer = {"Authorization": f"Bearer {token}"}
    async with world.running("web", **on(port), METRICS_TOKEN=token) as web:
        await world.connect()
        await world.ask("/resume", "Trading is on")
        await world.hears("Bought")
        ready, closed = await get(port, "/readyz"), await get(port, "/metrics")
        seen = await get(port, "/metrics", headers=bearer)

    assert ready.json()["status"] == "ready"
    assert (closed.status_code, closed.text) == (UNAUTHORIZED, "")
    [posts] = re.findall(r'requests_total\{.*POST.*/api/v3/order".*="ok"\} (\S+)', seen.text)
    assert posts == "1.0"
    assert token not in web.log


async def test_the_port_answers_while_the_database_hangs(world: World):
    """As where it is started before its database: alive, and not ready."""
    port = a_free_port()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        where = f"127.0.0.1:{silent.getsockname()[1]}"
        program = world.start(
            "web",
            **on(port),
            DATABASE_URL=f"postgres://ballast:pa55w0rd@{where}/ballast",
            ENCRYPTION_KEYS=ENCRYPTION_KEY,
        )
        await program.logs("serving")
        alive, ready = await get(port, "/healthz"), await get(port, "/readyz")
        program.end()

    assert (alive.status_code, alive.json()) == (OK, {"status": "ok"})
    assert (ready.status_code, ready.json()["reasons"]) == (
        UNAVAILABLE,
        ["the database was not reached yet"],
    )
    assert "pa55w0rd" not in program.log + ready.text


async def test_what_a_web_process_lacks_is_said_and_nothing_is_opened(world: World):
    bare = world.start("web", without=["TELEGRAM_TOKEN"])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        second = world.start("web", **on(port))

        assert await second.exit_code() == CANNOT_START

    assert await bare.exit_code() == BAD_SETTING
    assert [line.split()[1] for line in bare.log.splitlines()] == [
        "TELEGRAM_TOKEN",
        "WEBHOOK_URL",
        "PORT",
    ]
    assert f"ballast: PORT {port} cannot be used: Address already in use" in second.log
    assert world.telegram.calls == []
