"""From exec to the first poll, and memory at rest: ours beside a bare python-telegram-bot, the
bare stack it stands on, and freqtrade.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks.processes import OURS, ROOT, Fake, NotMeasured, Process, fake, running
from benchmarks.program import ballast, environment, seed
from benchmarks.reports import Goal, Report, middle
from benchmarks.telegram import TOKEN

_RUNS = 3
# What is imported late has been, and the first menus are published.
_REST_S = 5.0
_FREQTRADE_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Start:
    ready_s: float
    cpu_s: float
    memory_mb: float


def run(peers: Path | None) -> Report:
    report = Report(
        "start",
        f"From exec to the first poll, and memory {_REST_S:.0f} s later (median of {_RUNS})",
        ["program", "to first poll s", "CPU s so far", "at rest MB"],
    )
    found: dict[str, Start] = {}
    for name, once in (
        ("Ballast, empty SQLite file", _ours_new),
        ("Ballast, its database is there", _ours),
        ("python-telegram-bot, bare", lambda: _bare("bot")),
        ("the same with SQLAlchemy and Fernet", lambda: _bare("stack")),
        ("freqtrade, dry run", lambda: _freqtrade(peers)),
    ):
        starts = _median_of(once, report)
        if starts is None:
            report.rows.append([name, None, None, None])
            continue
        found[name] = starts
        report.rows.append([name, starts.ready_s, starts.cpu_s, starts.memory_mb])
    ours = found["Ballast, its database is there"]
    stack = found["the same with SQLAlchemy and Fernet"]
    report.goals += [
        Goal("start", "seconds to the first poll", ours.ready_s, 2.0),
        Goal("rest", "MB at rest", ours.memory_mb, 110.0),
        Goal("5", "memory, of the bare stack's", ours.memory_mb / stack.memory_mb, 1.25),
    ]
    if (peer := found.get("freqtrade, dry run")) is not None:
        report.goals.append(
            Goal("5", "memory, of freqtrade's", ours.memory_mb / peer.memory_mb, 0.3)
        )
    return report


def _median_of(once: Callable[[], Start], report: Report) -> Start | None:
    try:
        starts = [once() for _ in range(_RUNS)]
    except NotMeasured as e:
        report.notes.append(str(e).strip().splitlines()[-1])
        return None
    return Start(
        middle([start.ready_s for start in starts]),
        middle([start.cpu_s for start in starts]),
        middle([start.memory_mb for start in starts]),
    )


def _ours_new() -> Start:
    with tempfile.TemporaryDirectory() as folder:
        return _started(folder)


def _ours() -> Start:
    with tempfile.TemporaryDirectory() as folder:
        seed(f"sqlite:///{folder}/ballast.db", 1, interval=timedelta(seconds=120))
        return _started(folder)


def _started(folder: str) -> Start:
    with fake("telegram") as telegram, fake("mexc") as mexc:
        env = environment(
            database_url=f"sqlite:///{folder}/ballast.db", telegram=telegram, mexc=mexc
        )
        with ballast(env, folder=Path(folder)) as process:
            return _first_poll(process, telegram)


def _bare(what: str) -> Start:
    with fake("telegram") as telegram:
        command = [sys.executable, "benchmarks/peers/bare_bot.py", what, telegram.url, TOKEN]
        env = {"PATH": os.defpath, "PYTHONPATH": str(ROOT / "benchmarks/lean")}
        with running(command, core=OURS, env=env) as process:
            return _first_poll(process, telegram)


def _first_poll(process: Process, telegram: Fake) -> Start:
    polls = telegram.until("polls", bool)
    ready_s, cpu_s = polls[0] - process.started_at, process.cpu_s()
    time.sleep(_REST_S)
    return Start(ready_s, cpu_s, process.memory_mb())


def _freqtrade(peers: Path | None) -> Start:
    program = None if peers is None else peers.parent / "freqtrade"
    if program is None or not program.exists():
        raise NotMeasured("freqtrade is not installed")
    with fake("mexc") as mexc, tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.json")
        config.write_text(json.dumps(_freqtrade_config(mexc.url)))
        command = [str(program), "trade", "--strategy", "Idle", "--config", str(config)]
        command += ["--userdir", str(ROOT / "benchmarks/peers/freqtrade"), "--db-url", "sqlite://"]
        with running(command, core=OURS, folder=Path(folder)) as process:
            return _running_state(process, command)


def _running_state(process: Process, command: Sequence[str]) -> Start:
    deadline = time.monotonic() + _FREQTRADE_PATIENCE_S
    while "Changing state to: RUNNING" not in process.log():
        if not process.is_alive or time.monotonic() > deadline:
            raise NotMeasured(f"{command[0]} did not start: {process.log()[-300:]}")
        time.sleep(0.05)
    ready_s, cpu_s = time.monotonic() - process.started_at, process.cpu_s()
    time.sleep(_REST_S)
    return Start(ready_s, cpu_s, process.memory_mb())


def _freqtrade_config(url: str) -> dict[str, object]:
    urls = {
        "api": {
            "spot": {"public": url, "private": url},
            "contract": {"public": f"{url}/api/v1/contract"},
        }
    }
    return {
        "dry_run": True,
        "initial_state": "running",
        "stake_currency": "USDT",
        "stake_amount": 10,
        "max_open_trades": 1,
        "timeframe": "5m",
        "entry_pricing": {"price_side": "same", "use_order_book": True, "order_book_top": 1},
        "exit_pricing": {"price_side": "same", "use_order_book": True, "order_book_top": 1},
        "exchange": {
            "name": "mexc",
            "pair_whitelist": ["T1/USDT"],
            "ccxt_config": {"urls": urls},
            "ccxt_async_config": {"urls": urls},
        },
        "pairlists": [{"method": "StaticPairList"}],
    }
