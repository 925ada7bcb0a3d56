"""Switching streams off in the middle of it changes no decision, only its time.

The same story is lived twice: polled alone, and with a stream that is cut, late, deaf, doubled or
lies, and that ends at some step for good. Orders, alerts and what is left must be the same.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.domain.accounts.deposits import DepositChoice, DepositRule
from engine.domain.alerts.alerts import Alert, IncidentAlert, IncidentResolved
from engine.domain.execution.bound import ExecutionMode
from engine.domain.market.balances import Counting
from engine.domain.streams.events import AccountEvent, Cause
from engine.domain.streams.trust import Doubt
from engine.errors import ClockRefused, OutcomeUnknown, Rejected, Unavailable
from engine.storage.database import Database
from engine.streaming.live_accounts import LiveAccounts
from tests import builders
from tests.builders import MNTL
from tests.engine.harness import Engine
from tests.engine.streaming import Process, TellingExchange
from tests.fakes.clock import FakeClock

D = Decimal
STEPS = 5
# Longer than the longest safety interval of so many accounts, and a deposit's wait after it; and so
# long that what is reported or ordered within an hour never reaches its limit.
APART, ACCOUNTS = timedelta(minutes=25), 1000
WAIT = timedelta(minutes=2)
INTERVAL = timedelta(minutes=5)
ACCIDENTS = (
    None,
    None,
    (OutcomeUnknown("timeout"), True),
    (OutcomeUnknown("timeout"), False),
    (Unavailable("never left"), False),
    (ClockRefused(code=700003, message="stamp"), False),
    (Rejected(code=30021, message="Not now"), False),
)


@dataclass(frozen=True)
class Step:
    """What happens to the money at one moment, and how the exchange is then."""

    usdt: Decimal
    mntl: Decimal
    cause: Cause
    behind: timedelta
    accident: tuple[Exception, bool] | None
    open_lookups: int
    cut_reads: int


@dataclass(frozen=True)
class Fault:
    """What is wrong with the stream from that moment on."""

    name: str
    seed: int
    delayed: timedelta
    lie: Decimal | None


@dataclass(frozen=True)
class Lived:
    """All that must be the same, without its times. Whether an answer that was cut off is told as a
    trouble is none of that: where an event contradicts it, it is just read again.
    """

    orders: Sequence[tuple[Any, ...]]
    told: Sequence[tuple[Any, ...]]
    held: tuple[Decimal, Decimal]
    target: Decimal


def a_step(dice: random.Random) -> Step:
    amount = D(dice.randint(5, 25))
    usdt, mntl, cause = dice.choice(
        [
            (amount, D(0), Cause.DEPOSIT),
            (amount, D(0), Cause.TRANSFER),
            (-amount, D(0), Cause.WITHDRAWAL),
            (amount, -amount * 500, Cause.TRADE),
            (-amount, amount * 500, Cause.TRADE),
            (D(1), D(-500), Cause.TRADE),
            (D(0), amount * 10, Cause.OTHER),
            (D(0), D(0), Cause.OTHER),
        ]
    )
    return Step(
        usdt=usdt,
        mntl=mntl,
        cause=cause,
        behind=timedelta(seconds=dice.choice([0, 0, 0.5, 2, 20])),
        accident=dice.choice(ACCIDENTS),
        open_lookups=dice.choice([0, 0, 2]),
        cut_reads=dice.choice([0, 0, 0, 1]),
    )


def a_fault(dice: random.Random) -> Fault:
    return Fault(
        name=dice.choice(["none", "none", "deaf", "lossy", "twice", "shuffled", "cut", "doubted"]),
        seed=dice.randrange(1000),
        delayed=timedelta(seconds=dice.choice([0, 0, 0.2, 5, 40])),
        lie=dice.choice([None, None, None, D(5), D(90)]),
    )


def wishes(dice: random.Random) -> dict[str, Any]:
    choice = dice.choice([*DepositChoice, DepositChoice.NOW, DepositChoice.NOW])
    return {
        "interval": INTERVAL,
        "deposits": DepositRule(choice, WAIT),
        "counting": dice.choice([Counting.HELD, Counting.FREE]),
        "execution": dice.choice([ExecutionMode.MARKET, ExecutionMode.AUTO]),
    }


class Stream:
    """The stream of one life; it ends for good before step *ends_at*."""

    def __init__(self, process: Process, exchange: TellingExchange, faults: Sequence[Fault]):
        self._process = process
        self._exchange = exchange
        self._faults = faults

    def begin(self) -> None:
        for number in range(2, ACCOUNTS):
            self._process.live.open(builders.account(id=10_000 + number), fence=1)
        self._process.listen()

    def turn(self, number: int, *, ends_at: int) -> None:
        process, exchange, fault = self._process, self._exchange, self._faults[number]
        if number >= ends_at:
            exchange.feed = None
            process.live.close(process.account.id)
            return
        exchange.delayed = fault.delayed
        exchange.arranged = _ARRANGED[fault.name](random.Random(fault.seed))  # noqa: S311
        if fault.name == "cut":
            if exchange.feed is not None:
                exchange.feed.end(Doubt.CLOSED)
            process.listen()
        if fault.name == "doubted":
            process.live.doubt_all(Doubt.SLEPT)
        if fault.lie is not None:
            exchange.lie(fault.lie)


def _lossy(dice: random.Random) -> Callable[[list[AccountEvent]], Sequence[AccountEvent]]:
    return lambda events: [event for event in events if dice.random() < 0.5]


_ARRANGED: dict[
    str, Callable[[random.Random], Callable[[list[AccountEvent]], Sequence[AccountEvent]]]
] = {
    "none": lambda _: list,
    "cut": lambda _: list,
    "doubted": lambda _: list,
    "deaf": lambda _: lambda _events: [],
    "lossy": _lossy,
    "twice": lambda _: lambda events: [event for event in events for _ in range(2)],
    "shuffled": lambda dice: lambda events: dice.sample(events, len(events)),
}


async def lived(
    database: Database, clock: FakeClock, *, chat: int, seed: int, ends_at: int | None
) -> Lived:
    """*ends_at* is None for a life without a stream."""
    dice = random.Random(seed)  # noqa: S311
    chosen, steps = wishes(dice), [a_step(dice) for _ in range(STEPS)]
    faults = [a_fault(dice) for _ in range(STEPS)]
    exchange, live = TellingExchange(clock), LiveAccounts(clock)
    engine = Engine(database, clock, {chat: exchange}, owner=f"of {chat}", live=live)
    before = len(await engine.alerts()), len(await engine.intents())
    process = Process(engine, exchange, await engine.open_account(chat, **chosen), live)
    await process.run(timedelta())
    stream = Stream(process, exchange, faults)
    if ends_at is not None:
        stream.begin()
    await process.run(APART)
    for number, step in enumerate(steps):
        if ends_at is not None:
            stream.turn(number, ends_at=ends_at)
        exchange.behind = step.behind
        exchange.open_lookups, exchange.cut_reads = step.open_lookups, step.cut_reads
        if step.accident is not None:
            error, executes = step.accident
            exchange.go_wrong("place", error, executes=executes)
        exchange.usdt += step.usdt
        exchange.change(MNTL, step.mntl, step.cause)
        await process.run(APART)
        exchange.forget_accidents("place")
    return Lived(
        orders=[
            (order.side, order.quote_amount, order.base_quantity, order.state, order.fees)
            for order in (await engine.intents())[before[1] :]
        ],
        told=[
            _words(alert)
            for alert in (await engine.alerts())[before[0] :]
            if not isinstance(alert, IncidentAlert | IncidentResolved)
        ],
        held=(exchange.usdt, exchange.mntl),
        target=(await engine.account(process.account)).settings.fixed_goal.target,
    )


def _words(alert: Alert) -> tuple[Any, ...]:
    moved = [(one.asset, one.before, one.after) for one in getattr(alert, "moved", ())]
    return type(alert).__name__, moved, getattr(alert, "held", None)


async def test_switching_streams_off_changes_no_decision(sqlite: Database, clock: FakeClock):
    await both_ways(sqlite, clock, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 60))
async def test_a_stream_that_fails_and_ends_changes_no_decision(
    sqlite: Database, clock: FakeClock, seed: int
):
    await both_ways(sqlite, clock, seed=seed)


async def both_ways(database: Database, clock: FakeClock, *, seed: int) -> None:
    polled = await lived(database, clock, chat=1, seed=seed, ends_at=None)
    streamed = await lived(database, clock, chat=2, seed=seed, ends_at=1 + seed % STEPS)

    assert streamed == polled
