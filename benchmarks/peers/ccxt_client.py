"""The same as `benchmarks/loads.py` with ccxt: `ccxt_client.py unified|implicit URL 50 2000`."""

import asyncio
import json
import sys
import time

from ccxt_mexc import open_mexc

_WARM_UP = 50


async def main(which: str, url: str, at_once: int, requests: int) -> None:
    mexc = open_mexc(url)
    await mexc.load_markets()
    ask = mexc.fetch_balance if which == "unified" else mexc.spot_private_get_account

    async def work(count: int) -> None:
        for _ in range(count):
            await ask()

    async def all_of(count: int) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(at_once):
                tasks.create_task(work(count // at_once))

    await all_of(max(_WARM_UP, at_once))
    cpu, wall = time.process_time(), time.perf_counter()
    await all_of(requests)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    await mexc.close()
    print(json.dumps({"cpu_us": cpu / requests * 1e6, "wall_us": wall / requests * 1e6}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
