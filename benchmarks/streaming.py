"""The fleet of a process and nothing else: `python -m benchmarks.streaming URL PEM ACCOUNTS SECONDS FAKE`.
Prints as JSON what its streams cost, and how soon they are back after a cut.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

from bot.config import library_environment
from bot.config.settings import ProcessSettings
from engine.clock import SystemClock
from engine.domain.accounts.account import Account
from engine.domain.orders.order import AccountId
from engine.exchanges.interface import AccountFeed
from engine.exchanges.mexc.push_messages import ACCOUNT, DEALS, ORDERS
from engine.exchanges.mexc.stream import Stream, StreamSession, connected, open_streams
from engine.streaming.fleet import Fleet
from engine.streaming.live_accounts import LiveAccounts
from tests.fakes.certificates import trusting

_LOOK_S = 0.05
_PATIENCE_S = 300


class _Streams:
    """Satisfies AccountStreams; the keys cost no request here."""

    is_remote = True

    def __init__(self, session: StreamSession, clock: SystemClock) -> None:
        self._session = session
        self._clock = clock

    async def open(self, account: Account, *, feed: AccountFeed, renew: bool) -> Stream:  # noqa: ARG002 - the protocol
        def answered(channel: str, said: str) -> None:
            if channel == said == ACCOUNT:
                feed.acknowledge()

        stream = await connected(
            self._session,
            listen_key=f"{account.id:064x}",
            clock=self._clock,
            on_event=lambda _: None,
            on_answer=answered,
        )
        await stream.subscribe((ACCOUNT, ORDERS, DEALS))
        return stream

    async def close(self, account_id: AccountId) -> None: ...

    async def run(self) -> None: ...


async def measure(url: str, pem: Path, *, accounts: int, seconds: float, fake: str) -> None:
    library_environment.raise_file_limit()
    library_environment.shrink_tls_buffers()
    clock = SystemClock()
    live = LiveAccounts(clock, matters=lambda *_: True)
    async with open_streams(url, tls=trusting(pem)) as session, asyncio.TaskGroup() as tasks:
        streams = _Streams(session, clock)
        fleet = Fleet(clock=clock, live=live, streams_for=lambda _: streams, most=accounts)
        running = tasks.create_task(fleet.run())
        found: dict[str, float] = {"mb_before": _memory_mb()}
        cpu_s, begun = time.process_time(), time.monotonic()
        for number in range(1, accounts + 1):
            fleet.wanted(_account(number), fence=1)
        await _until(lambda: fleet.standing == accounts)
        found["connected_s"] = time.monotonic() - begun
        found["connect_cpu_ms"] = (time.process_time() - cpu_s) * 1000 / accounts
        found["mb"] = _memory_mb()
        cpu_s, begun = time.process_time(), time.monotonic()
        await clock.sleep(timedelta(seconds=seconds))
        found["idle_core"] = (time.process_time() - cpu_s) / (time.monotonic() - begun)
        begun = time.monotonic()
        await asyncio.to_thread(urlopen, f"{fake}/_/cut")
        await _until(lambda: fleet.standing < accounts)
        await _until(lambda: fleet.standing == accounts)
        found["back_s"] = time.monotonic() - begun
        found["incidents"] = fleet.incidents
        begun = time.monotonic()
        running.cancel()
        await asyncio.wait([running])
        found["stopped_s"] = time.monotonic() - begun
    print(json.dumps(found))


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - the program says nothing of it
            await asyncio.sleep(_LOOK_S)


def _account(number: int) -> Account:
    return Account(
        id=AccountId(number),
        uuid=f"account-{number}",
        chat_id=number,
        version=1,
        settings=ProcessSettings.from_env({}).default_settings,
        sealed_key=f"key-{number}",
        key_tail="ABCD",
    )


def _memory_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


if __name__ == "__main__":
    _, url, pem, accounts, seconds, fake = sys.argv
    asyncio.run(measure(url, Path(pem), accounts=int(accounts), seconds=float(seconds), fake=fake))
