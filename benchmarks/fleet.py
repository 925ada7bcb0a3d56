"""1, 2 and 4 processes on one PostgreSQL: they share the accounts, and none is checked twice.

2,000 accounts every 24 s are as many checks
a second as 10,000 every 120 s. Unevenness is as in `accounts`.
"""

import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from benchmarks.mexc import ACCOUNT
from benchmarks.processes import NotMeasured, Process, fake
from benchmarks.program import ballast, environment, seed, wake_evenly
from benchmarks.reports import Goal, Report, quantile
from tests.postgres import NoPostgres, Server, running_server

_PROCESSES = (1, 2, 4)
_ACCOUNTS = 2000
_INTERVAL = timedelta(seconds=24)
# A process that came first gives up what is others' when it next renews its leases.
_SHARED_WITHIN_S, _CLAIMED_WITHIN_S = 35.0, 90.0
_WINDOW_S = 20.0


def run(_: Path | None) -> Report:
    report = Report(
        "fleet",
        f"{_ACCOUNTS:,} accounts every {_INTERVAL.total_seconds():.0f} s on one PostgreSQL",
        [
            "processes",
            "checks/s",
            "CPU share, all",
            "CPU ms/check",
            "most by one",
            "uneven p50 s",
            "p99 s",
            "twice",
        ],
    )
    costs: dict[int, float] = {}
    twice = 0
    try:
        with running_server(None) as server:
            for processes in _PROCESSES:
                row = _measure(server, processes)
                report.rows.append([processes, *row])
                costs[processes] = float(row[2])
                twice += int(row[6])
    except (NoPostgres, NotMeasured) as e:
        report.notes.append(str(e))
        return report
    most = _PROCESSES[-1]
    report.goals += [
        Goal(
            "fleet",
            f"CPU of a check with {most} processes, of that with 1",
            costs[most] / costs[1],
            1.3,
        ),
        Goal("fleet", "checks of an account within half its interval", twice, 0),
    ]
    report.notes.append("most by one: the greatest part of the CPU that one process had")
    return report


def _measure(server: Server, processes: int) -> list[float]:
    with (
        ExitStack() as stack,
        server.database() as url,
        fake("telegram") as telegram,
        fake("mexc") as mexc,
    ):
        seed(url, _ACCOUNTS, interval=_INTERVAL)
        env = environment(database_url=url, telegram=telegram, mexc=mexc, LOG_LEVEL="ERROR")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = [
            stack.enter_context(ballast(env, folder=folder, core=number))
            for number in range(processes)
        ]
        checked: dict[str, list[float]] = {}

        def look() -> int:
            seen = [(at, key) for at, what, key in mexc.tell("seen") if what == ACCOUNT]
            for at, key in seen:
                checked.setdefault(key, []).append(at)
            return len(seen)

        time.sleep(_SHARED_WITHIN_S if processes > 1 else 0)
        wake_evenly(url, _ACCOUNTS, over=_INTERVAL, within=_CLAIMED_WITHIN_S)
        look()
        checked = {key: times[-1:] for key, times in checked.items()}
        begun, before = time.monotonic(), _cpu(running)
        time.sleep(_WINDOW_S)
        checks, seconds, after = look(), time.monotonic() - begun, _cpu(running)
    spent = [until - since for since, until in zip(before, after, strict=True)]
    gaps = [
        later - earlier - _INTERVAL.total_seconds()
        for times in checked.values()
        for earlier, later in pairwise(times)
    ]
    return [
        checks / seconds,
        sum(spent) / seconds,
        sum(spent) / max(checks, 1) * 1000,
        max(spent) / max(sum(spent), 0.01),
        quantile([abs(gap) for gap in gaps], 0.5),
        quantile([abs(gap) for gap in gaps], 0.99),
        sum(gap < -_INTERVAL.total_seconds() / 2 for gap in gaps),
    ]


def _cpu(running: list[Process]) -> list[float]:
    return [process.cpu_s() for process in running]
