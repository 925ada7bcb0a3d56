"""100, 1,000 and 10,000 accounts on one process, every 120 s, and no budget to wait for.

The three programs run side by side, each on a database and a fake exchange of its own, so that
they share whatever else the machine does. All of them together are 92 checks a second.
"""

import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from benchmarks.mexc import ACCOUNT
from benchmarks.processes import Fake, Process, fake
from benchmarks.program import ballast, environment, seed, wake_evenly
from benchmarks.reports import Goal, Report, quantile

_SIZES = (0, 100, 1000, 10_000)
_INTERVAL = timedelta(seconds=120)
_CLAIMED_WITHIN_S = 120.0
_WINDOW_S = 30.0


@dataclass(slots=True)
class Crowd:
    """*checked* are the times of each account's checks, from the start."""

    size: int
    url: str
    process: Process
    mexc: Fake
    checked: dict[str, list[float]]

    def look(self) -> None:
        for at, what, key in self.mexc.tell("seen"):
            if what == ACCOUNT:
                self.checked.setdefault(key, []).append(at)

    def keep_last(self) -> None:
        """What was before it is not measured."""
        self.checked = {key: times[-1:] for key, times in self.checked.items()}

    @property
    def checks(self) -> int:
        return sum(map(len, self.checked.values()))

    def gaps_s(self) -> Sequence[float]:
        """By how much the time from each check to the next one exceeds the interval."""
        return [
            later - earlier - _INTERVAL.total_seconds()
            for times in self.checked.values()
            for earlier, later in pairwise(times)
        ]


@dataclass(frozen=True, slots=True)
class Spent:
    at: float
    cpu_s: float
    checks: int


def run(_: Path | None) -> Report:
    report = Report(
        "accounts",
        f"Accounts on one process, every {_INTERVAL.total_seconds():.0f} s, on SQLite",
        ["accounts", "CPU share", "CPU ms/check", "RSS MB", "uneven p50 s", "p99 s", "lost"],
    )
    with ExitStack() as stack:
        telegram = stack.enter_context(fake("telegram"))
        crowds = [_started(stack, size, telegram) for size in _SIZES]
        with ThreadPoolExecutor() as threads:
            list(threads.map(_wake, crowds))
        for crowd in crowds:
            crowd.look()
            crowd.keep_last()
        before = [_spent(crowd) for crowd in crowds]
        time.sleep(_WINDOW_S)
        after = [_spent(crowd) for crowd in crowds]
        memory = [crowd.process.memory_mb() for crowd in crowds]
    idle = (after[0].cpu_s - before[0].cpu_s) / (after[0].at - before[0].at)
    costs: dict[int, float] = {}
    for crowd, since, until, megabytes in zip(crowds, before, after, memory, strict=True):
        share = (until.cpu_s - since.cpu_s) / (until.at - since.at)
        checks = until.checks - since.checks
        if checks:
            costs[crowd.size] = max(share - idle, 0) * (until.at - since.at) / checks * 1000
        gaps = crowd.gaps_s()
        lost = sum(gap > _INTERVAL.total_seconds() / 2 for gap in gaps)
        uneven = [abs(gap) for gap in gaps]
        report.rows.append(
            [crowd.size, share, costs.get(crowd.size), megabytes]
            + ([quantile(uneven, 0.5), quantile(uneven, 0.99), lost] if gaps else ["-", "-", "-"])
        )
    few, many = costs[_SIZES[2]], costs[_SIZES[3]]
    report.goals += [
        Goal("rest", "MB with 10,000 accounts", memory[-1], 250.0),
        Goal("6", "KB more for each account", (memory[-1] - memory[0]) / 10, 10.0),
        Goal("cost", "CPU of a check with 10,000 accounts, of that with 1,000", many / few, 1.1),
    ]
    report.notes += [
        "CPU ms/check is what the share exceeds that of the program without accounts, by its checks",
        "uneven: how far the time from one check of an account to its next is from the interval",
    ]
    return report


def _started(stack: ExitStack, size: int, telegram: Fake) -> Crowd:
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    url = f"sqlite:///{folder}/ballast.db"
    seed(url, size, interval=_INTERVAL)
    mexc = stack.enter_context(fake("mexc"))
    env = environment(database_url=url, telegram=telegram, mexc=mexc)
    process = stack.enter_context(ballast(env, folder=Path(folder)))
    return Crowd(size, url, process, mexc, {})


def _wake(crowd: Crowd) -> None:
    wake_evenly(crowd.url, crowd.size, over=_INTERVAL, within=_CLAIMED_WITHIN_S)


def _spent(crowd: Crowd) -> Spent:
    crowd.look()
    return Spent(time.monotonic(), crowd.process.cpu_s(), crowd.checks)
