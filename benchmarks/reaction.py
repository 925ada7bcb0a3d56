"""From the start of a check to the order's arrival at the exchange, in round trips.

Every answer of the exchange comes 50 ms late. The program is the real one, started cold on a few
accounts of one pair, so that some checks read the book and others find one that was just read.
ccxt does the same job: balances, book, decide, order.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks.mexc import ACCOUNT, DEPTH, ORDER
from benchmarks.processes import Fake, NotMeasured, fake, run_json
from benchmarks.program import api_key, ballast, environment, seed
from benchmarks.reports import Goal, Report, middle

DELAY_S = 0.05
_RUNS = 3
_ACCOUNTS = 12
_INTERVAL = timedelta(seconds=4)
_THEIR_KEY = "mx0theirs"
_COLD, _FRESH, _KEPT = "Ballast, cold", "Ballast, warm, reads the book", "Ballast, book just read"
_THEIRS = ("ccxt, cold", "ccxt, warm")

Seen = Sequence[tuple[float, str, str]]


@dataclass(frozen=True, slots=True)
class Reaction:
    """*round_trips* were waited for, one after the other, until the order came."""

    round_trips: int
    seconds: float


def run(peers: Path | None) -> Report:
    report = Report(
        "reaction",
        f"From a check's start to its order's arrival; every answer takes {DELAY_S * 1000:.0f} ms "
        f"(median of {_RUNS} programs)",
        ["who", "round trips", "ms", "orders"],
    )
    found: dict[str, list[Reaction]] = {}
    for _ in range(_RUNS):
        for name, reaction in _ours():
            found.setdefault(name, []).append(reaction)
        try:
            for name, reaction in _theirs(peers):
                found.setdefault(name, []).append(reaction)
        except NotMeasured as e:
            report.notes.append(str(e).strip().splitlines()[-1])
    trips = {name: middle([one.round_trips for one in all_]) for name, all_ in found.items()}
    times = {name: middle([one.seconds for one in all_]) for name, all_ in found.items()}
    for name in (_COLD, _FRESH, _KEPT, *_THEIRS):
        known = name in found
        cells = [trips[name], times[name] * 1000, len(found[name])] if known else [None] * 3
        report.rows.append([name, *cells])
    report.goals += [
        Goal("order", f"round trips, {name}", trips[name], limit)
        for name, limit in ((_FRESH, 2), (_KEPT, 1))
        if name in trips
    ]
    if _THEIRS[0] in times:
        ratio = times[_COLD] / times[_THEIRS[0]]
        report.goals.append(Goal("2", "cold, of ccxt's time without its limiter", ratio, 0.5))
    report.notes.append("one round trip more, and the order is accepted")
    return report


def _ours() -> Iterator[tuple[str, Reaction]]:
    keys = [api_key(number) for number in range(_ACCOUNTS)]
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/ballast.db"
        seed(url, _ACCOUNTS, interval=_INTERVAL)
        with fake("telegram") as telegram, fake("mexc", f"--delay={DELAY_S}") as mexc:
            _drift(mexc, *keys)
            env = environment(database_url=url, telegram=telegram, mexc=mexc)
            with ballast(env, folder=Path(folder)):
                seen = _until_ordered(mexc, *keys)
                first = next(key for _, what, key in seen if what == ORDER)
                yield _COLD, _waited([one for one in seen if one[2] in {first, ""}])
                time.sleep(_INTERVAL.total_seconds())
                mexc.tell("seen")
                _drift(mexc, *keys)
                seen = _until_ordered(mexc, *keys)
    for key in keys:
        yield from _warm(seen, key)


def _warm(seen: Seen, key: str) -> Iterator[tuple[str, Reaction]]:
    """The check of *key* that ordered, if it read the book itself, or if nobody had to."""
    ordered = next(at for at, what, whose in seen if (what, whose) == (ORDER, key))
    begun = max(at for at, what, whose in seen if (what, whose) == (ACCOUNT, key) and at < ordered)
    part = [one for one in seen if begun <= one[0] <= ordered]
    readers = {whose for at, what, whose in part if what == DEPTH}
    under_way = any(what == DEPTH and begun - DELAY_S <= at < begun for at, what, _ in seen)
    if key in readers:
        yield _FRESH, _waited([one for one in part if one[2] == key])
    elif not readers and not under_way:
        yield _KEPT, _waited([one for one in part if one[2] == key])


def _theirs(peers: Path | None) -> Iterator[tuple[str, Reaction]]:
    if peers is None:
        return
    with fake("mexc", f"--delay={DELAY_S}") as mexc:
        _drift(mexc, _THEIR_KEY)
        command = [str(peers), "benchmarks/peers/ccxt_reaction.py", mexc.url, _THEIR_KEY]
        begun = run_json(command)["begun"]
        seen = mexc.tell("seen")
    for name, since, until in zip(_THEIRS, begun, [*begun[1:], float("inf")], strict=True):
        yield name, _waited([one for one in seen if since <= one[0] < until], begun=since)


def _drift(mexc: Fake, *keys: str) -> None:
    for key in keys:
        mexc.tell(f"drift?key={key}&usdt=17.10")


def _until_ordered(mexc: Fake, *keys: str) -> Seen:
    """What was asked until each of *keys* had ordered."""
    seen: list[tuple[float, str, str]] = []
    deadline = time.monotonic() + 60
    while {key for _, what, key in seen if what == ORDER} < {*keys}:
        if time.monotonic() > deadline:
            raise NotMeasured(f"no order after {len(seen)} requests")
        seen += [(at, what, key) for at, what, key in mexc.tell("seen")]
        time.sleep(0.1)
    return seen


def _waited(seen: Seen, *, begun: float | None = None) -> Reaction:
    """From the first of *seen* to the first order: a question after the answer to the last one
    that was counted is one round trip more.
    """
    ordered = next((at for at, what, _ in seen if what == ORDER), None)
    if ordered is None:
        raise NotMeasured("no order came")
    trips, answered = 0, 0.0
    for at, _, _ in seen:
        if at >= answered and at < ordered:
            trips, answered = trips + 1, at + DELAY_S
    return Reaction(trips, ordered - (begun or seen[0][0]))
