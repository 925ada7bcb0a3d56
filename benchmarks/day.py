"""A day of many accounts with streams on one simulated address: what of it they use, and how late
what happens to them is looked at. See `benchmarks/simulated_day.py`.
"""

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.processes import OURS, THEIRS, run_json
from benchmarks.reports import Goal, Report

_MOST = 10_000
_ACCOUNTS = (_MOST, 1000, 3080, 5000)  # two at a time, the longest first
_WITHIN_S = 900.0


def run(_: Path | None) -> Report:
    report = Report(
        "day",
        "A day of accounts with streams on one address; 4 changes each, 2 of them traded",
        ["accounts", "used", "polls", "event to check p50 s", "p99 s", "oldest key min", "CPU s"],
    )
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(_ACCOUNTS, pool.map(_simulated, _ACCOUNTS), strict=True))
    for accounts, day in sorted(found.items()):
        numbers = ("used", "checks polled", "wait_p50_s", "wait_p99_s", "oldest_min", "cpu_s")
        report.rows.append([accounts, *(day[name] for name in numbers)])
        report.goals += [
            Goal("day", f"{accounts:,} accounts: refused (429)", day["refused"], 0),
            Goal("day", "… changes that no event told, or no check saw", _lost(day), 0),
            Goal("day", "… minutes, the oldest key", day["oldest_min"], 45),
        ]
    most = found[_MOST]
    report.notes.append(f"{_MOST:,} accounts in one process: {most['mb']:.0f} MB without sockets")
    return report


def _simulated(accounts: int) -> Mapping[str, float]:
    core = THEIRS if accounts == _MOST else OURS
    command = [sys.executable, "-m", "benchmarks.simulated_day", str(accounts)]
    day: Mapping[str, float] = run_json(command, core=core, within=_WITHIN_S)
    return day


def _lost(day: Mapping[str, float]) -> float:
    return day["missed"] + day["unseen"]
