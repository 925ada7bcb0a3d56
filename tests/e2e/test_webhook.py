"""Updates by webhook: `python -m bot web` as a host starts it, with Telegram bringing them."""

import socket

import httpx

from tests.e2e.process import until
from tests.e2e.world import OWNER, World
from tests.fakes.telegram_faults import HANG

BAD_SETTING, CANNOT_START = 2, 3
OK, UNAVAILABLE, NOT_FOUND = 200, 503, 404


def a_free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def on(port: int) -> dict[str, str]:
    """What a web process is told."""
    return {"WEBHOOK_URL": f"http://127.0.0.1:{port}", "PORT": str(port)}


async def get(port: int, path: str) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.get(f"http://127.0.0.1:{port}{path}", timeout=10)


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
        await world.hears("Target", after=before)
        await world.hears("/settarget", after=before)
        await until(lambda: not world.telegram.unconfirmed, str)

    said = [text for text in world.told() if "Target" in text and "/help" not in text]

    assert len(said) == 1
    assert world.telegram.called("getUpdates") == []
