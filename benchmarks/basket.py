"""A basket's full rebalance: five tokens outside their bands, two to sell and three to buy, every
answer of the exchange 50 ms late.

The program is the real one, started cold, then once more as its next check finds it. After each
order it reads balances and prices, and plans afresh; what the trade cost is read beside that. ccxt
reads balances and tickers before each of its orders, and each order until it is filled.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import create_engine, update

from benchmarks.mexc import ACCOUNT, ORDER, WEIGHTS
from benchmarks.processes import Fake, NotMeasured, fake, run_json
from benchmarks.program import api_key, ballast, environment, seed
from benchmarks.reports import Goal, Report, middle
from engine.domain.execution.bound import ExecutionMode
from engine.domain.market.pairs import USDT, Asset
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import Basket
from engine.storage.accounts.setting_columns import Targeting
from engine.storage.database import with_driver
from engine.storage.models.accounts import AccountRow
from engine.storage.serialization import to_short_json

_DELAY_S = 0.05
_RUNS = 3
_LEGS = 5
_INTERVAL = timedelta(seconds=12)
# Nothing more is asked for a rebalance after so long without a question.
_QUIET_S = 2.0
_THEIR_KEY = "mx0theirs"
_BASKET = Basket.of([*((Asset(f"T{n}"), 16) for n in range(_LEGS)), (USDT, 20)])
# Of about 1,000 USDT: 24 % in two of the tokens, 10 % in the others.
_HELD = "USDT=220&T0=120000&T1=120000&T2=50000&T3=50000&T4=50000"
_OURS, _THEIRS = ("Ballast, cold", "Ballast, warm"), ("ccxt, cold", "ccxt, warm")

Seen = Sequence[tuple[float, str, str]]


@dataclass(frozen=True, slots=True)
class Rebalance:
    """*round_trips* were waited for, one after the other, until the last order was accepted, which
    took *ordered_s*; *over_s* until the last answer.
    """

    legs: int
    round_trips: int
    ordered_s: float
    over_s: float
    requests: int
    weight: int


def run(peers: Path | None) -> Report:
    report = Report(
        "basket",
        f"A basket's full rebalance, {_LEGS} legs; every answer takes {_DELAY_S * 1000:.0f} ms "
        f"(median of {_RUNS} programs)",
        [
            "who",
            "orders",
            "round trips",
            "s to the last order",
            "s to the end",
            "requests",
            "weight",
        ],
    )
    found: dict[str, list[Rebalance]] = {}
    for _ in range(_RUNS):
        for name, rebalance in _ours():
            found.setdefault(name, []).append(rebalance)
        try:
            for name, rebalance in _theirs(peers):
                found.setdefault(name, []).append(rebalance)
        except NotMeasured as e:
            report.notes.append(str(e).strip().splitlines()[-1])
    for name in (*_OURS, *_THEIRS):
        report.rows.append([name, *_cells(found.get(name, []))])
    if all(name in found for name in (*_OURS, *_THEIRS)):
        ours, theirs = found[_OURS[1]], found[_THEIRS[1]]
        for says, field in (("round trips", "round_trips"), ("weight", "weight")):
            one, other = (middle([getattr(r, field) for r in all_]) for all_ in (ours, theirs))
            report.goals.append(Goal("basket", f"{says}, of ccxt's", one / other, 1.0))
    report.notes.append("ours also reads what each trade cost; the ccxt script does not")
    return report


def _cells(all_: Sequence[Rebalance]) -> Sequence[float | None]:
    if not all_:
        return [None] * 6
    return [
        middle([one.legs for one in all_]),
        middle([one.round_trips for one in all_]),
        middle([one.ordered_s for one in all_]),
        middle([one.over_s for one in all_]),
        middle([one.requests for one in all_]),
        middle([one.weight for one in all_]),
    ]


def _ours() -> Iterator[tuple[str, Rebalance]]:
    key = api_key(0)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/ballast.db"
        seed(url, 1, interval=_INTERVAL)
        _aim(url)
        with fake("telegram") as telegram, fake("mexc", f"--delay={_DELAY_S}") as mexc:
            mexc.tell(f"hold?key={key}&{_HELD}")
            env = environment(database_url=url, telegram=telegram, mexc=mexc)
            with ballast(env, folder=Path(folder)):
                for name in _OURS:
                    yield name, _rebalance(_until_quiet(mexc))
                    mexc.tell(f"hold?key={key}&{_HELD}")


def _aim(url: str) -> None:
    """Give the account the basket, and orders at a bound, as new ones have them."""
    whole = Targeting(target=_BASKET, threshold=Threshold(relative=Decimal("0.05")))
    values = {"targeting": to_short_json(whole), "execution": ExecutionMode.AUTO}
    engine = create_engine(with_driver(url, asynchronous=False))
    with engine.begin() as connection:
        connection.execute(update(AccountRow).values(values))
    engine.dispose()


def _theirs(peers: Path | None) -> Iterator[tuple[str, Rebalance]]:
    if peers is None:
        return
    again = f"hold?key={_THEIR_KEY}&{_HELD}"
    with fake("mexc", f"--delay={_DELAY_S}") as mexc:
        mexc.tell(again)
        command = [str(peers), "benchmarks/peers/ccxt_basket.py", mexc.url, _THEIR_KEY, again]
        took = run_json(command)
        seen = mexc.tell("seen")
    for name, (begun, ended) in zip(_THEIRS, took, strict=True):
        yield name, _counted([one for one in seen if begun <= one[0] <= ended], begun=begun)


def _until_quiet(mexc: Fake) -> Seen:
    """What was asked until all legs were ordered, and then nothing more for a while."""
    seen: list[tuple[float, str, str]] = []
    deadline = time.monotonic() + 90
    while sum(what == ORDER for _, what, _ in seen) < _LEGS or (
        time.monotonic() - seen[-1][0] < _QUIET_S
    ):
        if time.monotonic() > deadline:
            asked = [what for _, what, _ in seen]
            raise NotMeasured(f"{asked.count(ORDER)} orders after {len(asked)} requests")
        seen += [(at, what, key) for at, what, key in mexc.tell("seen")]
        time.sleep(0.1)
    return seen


def _rebalance(seen: Seen) -> Rebalance:
    """From the reading of balances that the first order came of."""
    ordered = next(at for at, what, _ in seen if what == ORDER)
    begun = max(at for at, what, _ in seen if what == ACCOUNT and at < ordered)
    return _counted([one for one in seen if one[0] >= begun], begun=begun)


def _counted(seen: Seen, *, begun: float) -> Rebalance:
    orders = [at for at, what, _ in seen if what == ORDER]
    trips, answered = 0, 0.0
    for at, _, _ in seen:
        if answered <= at <= orders[-1]:
            trips, answered = trips + 1, at + _DELAY_S
    return Rebalance(
        legs=len(orders),
        round_trips=trips,
        ordered_s=orders[-1] + _DELAY_S - begun,
        over_s=seen[-1][0] + _DELAY_S - begun,
        requests=len(seen),
        weight=sum(WEIGHTS.get(what, 1) for _, what, _ in seen),
    )
