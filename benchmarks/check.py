"""What a check that holds costs: its requests, its statements, and its CPU beside the request alone."""

import asyncio
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import event

from benchmarks.ours import exchange, exchange_for, open_client
from benchmarks.processes import OURS, Fake, fake, pin
from benchmarks.program import seed
from benchmarks.reports import Goal, Report, middle
from engine.clock import SystemClock
from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.check_input import CheckInput
from engine.rebalancing.checker import Checker
from engine.storage.accounts import check_inputs
from engine.storage.coordination import leases
from engine.storage.database import Database
from engine.timeouts import Timing

_ROUNDS, _CHECKS, _CROWD = 5, 200, 50
_OWNER = "benchmark"


def run(_: Path | None) -> Report:
    pin(0, OURS)
    report = Report(
        "check",
        f"A check that holds, one after the other (median of {_ROUNDS} rounds of {_CHECKS})",
        ["what", "CPU us", "requests", "statements"],
    )
    with tempfile.TemporaryDirectory() as folder, fake("mexc") as mexc:
        url = f"sqlite:///{folder}/ballast.db"
        seed(url, _CROWD, interval=timedelta(seconds=120))
        asyncio.run(_measure(report, url, mexc))
    return report


async def _measure(report: Report, url: str, mexc: Fake) -> None:
    statements = [0]
    clock = SystemClock()
    async with Database.open(url, clock=clock) as database, open_client(mexc.url) as client:

        def count(*_: object) -> None:
            statements[0] += 1

        event.listen(database.engine.sync_engine, "before_cursor_execute", count)
        checker = Checker(
            database=database,
            clock=clock,
            timing=Timing(),
            exchange_for=exchange_for(client),
            owner=_OWNER,
        )
        async with database.writing() as session:
            fences = await leases.claim(
                session,
                owner=_OWNER,
                now=database.now(),
                ttl=timedelta(hours=1),
                most=_CROWD,
            )
        ids = [AccountId(number + 1) for number in range(_CROWD)]

        async def duties(most: int = _CROWD) -> list[CheckInput]:
            async with database.reading() as session:
                return await check_inputs.duties(session, ids[:most])

        port = exchange(client)
        for duty in await duties():
            await checker.check(
                duty, fence=fences[duty.account.id]
            )  # seen for the first time: that is written down
        waiting = await duties()
        alone: list[float] = []
        checked: list[float] = []
        asked = [0, 0]
        for _ in range(_ROUNDS):
            before = _requests(mexc)
            begun = time.process_time()
            for _ in range(_CHECKS):
                await port.holdings()
            alone.append((time.process_time() - begun) / _CHECKS * 1e6)
            asked[0], before = _requests(mexc) - before, _requests(mexc)
            statements[0] = 0
            begun = time.process_time()
            for number in range(_CHECKS):
                duty = waiting[number % _CROWD]
                await checker.check(duty, fence=fences[duty.account.id])
            checked.append((time.process_time() - begun) / _CHECKS * 1e6)
            asked[1] = _requests(mexc) - before
        written = statements[0] / _CHECKS
        loaded: list[tuple[float, float]] = []
        for most in (_CROWD, 1):
            statements[0] = 0
            begun = time.process_time()
            for _ in range(_CHECKS):
                await duties(most)
            took = time.process_time() - begun
            loaded.append((took / _CHECKS / most * 1e6, statements[0] / _CHECKS / most))
    request, check = middle(alone), middle(checked)
    report.rows += [
        ["the signed request alone", request, asked[0] / _CHECKS, 0],
        ["a check that holds", check, asked[1] / _CHECKS, written],
        [f"to learn what it needs, {_CROWD} accounts at once", loaded[0][0], 0, loaded[0][1]],
        ["to learn what it needs, one account", loaded[1][0], 0, loaded[1][1]],
    ]
    report.goals += [
        Goal("1", "requests of a check that holds", asked[1] / _CHECKS, 1),
        Goal("10", "statements of a check that holds", written, 0),
        Goal("10", "its CPU, of the request's alone", (check + loaded[0][0]) / request, 1.3),
    ]


def _requests(mexc: Fake) -> int:
    return sum(mexc.tell("counts").values())
