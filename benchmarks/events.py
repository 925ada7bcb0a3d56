"""From an event of an account's own stream to the arrival of its order, beside polling; and a flood.

The program is the real one, its streams over TLS, every answer of the exchange 50 ms late. What is
told can be read already.
"""

import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from urllib.request import Request, urlopen

from benchmarks.mexc import ACCOUNT, ORDER, WEIGHTS
from benchmarks.processes import Fake, Process, fake
from benchmarks.program import api_key, ballast, environment, seed
from benchmarks.reports import Goal, Report, quantile
from tests.fakes.certificates import self_signed

_DELAY_S = 0.05
_ACCOUNTS, _ROUNDS, _APART_S = 60, 3, 0.25
_DEPOSIT = 20
_POLLED_EVERY, _SELDOM = timedelta(seconds=20), timedelta(hours=1)
# An account has six checks a minute for its events: a deposit's, and those of its own order.
_REST_S = 12
_FLOOD, _A_SECOND, _FLOODS = 25_000, 5000, 3
_TOKEN, _PORT = "metrics-of-a-benchmark", 18_321
_LAG = re.compile(r'ballast_loop_lag_seconds_bucket\{le="([0-9.]+)"\} ([0-9.]+)')


@dataclass(frozen=True, slots=True)
class _Running:
    process: Process
    mexc: Fake
    streams: Fake


@dataclass(frozen=True, slots=True)
class _Flooded:
    """*late_s* is the longest time that the loop took to turn, at most."""

    late_s: float
    core: float


def run(_: Path | None) -> Report:
    report = Report(
        "events",
        f"{_ACCOUNTS} accounts, every answer {_DELAY_S * 1000:.0f} ms late: a deposit to its order",
        ["what", "p50 s", "p99 s", "orders", "weight an order"],
    )
    with _running(interval=_SELDOM, streams=True) as program:
        before = _weight(program.mexc)
        told = [took for _ in range(_ROUNDS) for took in _ordered(program, wait_s=3)]
        weight = (_weight(program.mexc) - before) / max(len(told), 1)
        floods = [_flooded(program) for _ in range(_FLOODS)]
    with _running(interval=_POLLED_EVERY, streams=False) as program:
        polled = _ordered(program, wait_s=2 * _POLLED_EVERY.total_seconds())
    polls = f"polled every {_POLLED_EVERY.seconds} s"
    for name, found, each in (("told", told, weight), (polls, polled, None)):
        report.rows.append([name, quantile(found, 0.5), quantile(found, 0.99), len(found), each])
    report.goals = [
        Goal("event", "seconds from an event to its order, p50", quantile(told, 0.5), 0.8),
        Goal("event", "p99", quantile(told, 0.99), 2),
        Goal("event", "orders", len(told), _ACCOUNTS * _ROUNDS, at_least=True),
        Goal("flood", "s the loop was blocked", max(one.late_s for one in floods), 0.05),
    ]
    cores = ", ".join(f"{one.core:.2f}" for one in floods)
    report.notes.append(f"{_A_SECOND:,} frames a second to one account take {cores} of a core")
    return report


def _ordered(program: _Running, *, wait_s: float) -> Sequence[float]:
    """Seconds from each account's deposit to the arrival of its order."""
    program.mexc.tell("seen")
    left = {}
    # In no order, since they are checked in theirs.
    for key in map(api_key, Random(1).sample(range(_ACCOUNTS), _ACCOUNTS)):  # noqa: S311 - dice
        left[key] = program.mexc.tell(f"drift?key={key}&usdt={_DEPOSIT}")
        time.sleep(_APART_S)
    time.sleep(wait_s)
    seen = program.mexc.tell("seen")
    first = {key: at for at, what, key in reversed(seen) if what == ORDER}
    time.sleep(_REST_S)
    return [at - left[key] for key, at in first.items()]


def _weight(mexc: Fake) -> int:
    asked = mexc.tell("counts")
    return sum(WEIGHTS.get(what, 1) * count for what, count in asked.items())


def _flooded(program: _Running) -> _Flooded:
    before, cpu_s = _lags(), program.process.cpu_s()
    asked = f"flood?key={api_key(0)}&frames={_FLOOD}&a_second={_A_SECOND}"
    seconds = program.streams.tell(asked)
    core = (program.process.cpu_s() - cpu_s) / seconds
    time.sleep(1)
    after = _lags()
    grown = {le: count - before[le] for le, count in after.items()}
    return _Flooded(min(le for le, count in grown.items() if count == max(grown.values())), core)


def _lags() -> dict[float, float]:
    """How often the loop was late by at most so many seconds."""
    page = Request(
        f"http://127.0.0.1:{_PORT}/metrics", headers={"Authorization": f"Bearer {_TOKEN}"}
    )
    with urlopen(page, timeout=10) as answer:  # noqa: S310 - our own
        return {float(le): float(n) for le, n in _LAG.findall(answer.read().decode())}


@contextmanager
def _running(*, interval: timedelta, streams: bool) -> Iterator[_Running]:
    """The program with all its accounts checked once, and subscribed."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url, pem = f"sqlite:///{folder}/ballast.db", self_signed(folder)
        seed(url, _ACCOUNTS, interval=interval)
        telegram = stack.enter_context(fake("telegram"))
        mexc = stack.enter_context(fake("mexc", f"--delay={_DELAY_S}", f"--streams={pem}"))
        server = Fake(mexc.tell("streams"))
        env = environment(
            database_url=url,
            telegram=telegram,
            mexc=mexc,
            MEXC_STREAM_URL=server.tell("where"),
            STREAMS="on" if streams else "off",
            SSL_CERT_FILE=str(pem),
            PORT=str(_PORT),
            METRICS_TOKEN=_TOKEN,
        )
        process = stack.enter_context(ballast(env, folder=folder))
        mexc.until("counts", lambda asked: asked.get(ACCOUNT, 0) >= _ACCOUNTS)
        if streams:
            server.until("counts", lambda found: found["subscribed"] == _ACCOUNTS)
        time.sleep(3)
        yield _Running(process, mexc, server)
