"""Many requests of one client, so many at once: `python -m benchmarks.loads ours|httpx URL 50 2000`.

Prints the CPU of the whole process per request, in microseconds, and the time from first to last.
"""

import asyncio
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

import httpx

from benchmarks.ours import SECRET, credentials, exchange, open_client

Ask = Callable[[], Awaitable[object]]
_WARM_UP = 50


async def spend(ask: Ask, *, at_once: int, requests: int) -> dict[str, float]:
    await _ask(ask, at_once, _WARM_UP)
    cpu, wall = time.process_time(), time.perf_counter()
    await _ask(ask, at_once, requests)
    return {
        "cpu_us": (time.process_time() - cpu) / requests * 1e6,
        "wall_us": (time.perf_counter() - wall) / requests * 1e6,
    }


async def _ask(ask: Ask, at_once: int, requests: int) -> None:
    left = requests

    async def work() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await ask()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(at_once):
            tasks.create_task(work())


async def ours(url: str, at_once: int, requests: int) -> dict[str, float]:
    async with open_client(url) as client:
        return await spend(exchange(client).holdings, at_once=at_once, requests=requests)


async def bare_httpx(url: str, at_once: int, requests: int) -> dict[str, float]:
    """The least that httpx can do: signed by hand, parsed, and nothing checked."""
    limits = httpx.Limits(max_connections=at_once)
    async with httpx.AsyncClient(limits=limits, timeout=60) as http:

        async def ask() -> object:
            stamp = int(time.time() * 1000)
            query = urlencode({"recvWindow": 5000, "timestamp": stamp})
            signature = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
            response = await http.get(
                f"{url}/api/v3/account?{query}&signature={signature}",
                headers={"X-MEXC-APIKEY": credentials().api_key},
            )
            return response.json()

        return await spend(ask, at_once=at_once, requests=requests)


if __name__ == "__main__":
    which, base, parallel, count = sys.argv[1:]
    measured = {"ours": ours, "httpx": bare_httpx}[which]
    print(json.dumps(asyncio.run(measured(base, int(parallel), int(count)))))
