"""The dispatcher alone, with checks that cost nothing: beside one job of APScheduler per account,
and in the two cases in which that loses checks.

Time is real, except that it is set on for the herd and the stall once all are claimed, so that
nobody has to wait until the accounts, who begin one after the other, have begun. Where the CPU is
measured they are due evenly over their interval, as the jobs are. Late is a check by when it was due.
"""

import asyncio
import gc
import logging
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from benchmarks.processes import OURS, NotMeasured, pin
from benchmarks.program import seed
from benchmarks.reports import Goal, Report, quantile
from engine.clock import SystemClock
from engine.domain.orders.order import AccountId, Trigger
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.check_result import CheckResult, NoTrade
from engine.domain.rebalancing.planner import InsideBand
from engine.rebalancing.checked import Checked
from engine.rebalancing.checker import Checker
from engine.scheduling.dispatcher import Dispatcher
from engine.storage.database import Database
from engine.timeouts import Timing

_MANY, _HERD, _STALLED = 10_000, 20_000, 1000
_INTERVAL, _SHORT = timedelta(seconds=120), timedelta(seconds=10)
_WINDOW_S, _STALL_S, _TICK_S = 12.0, 3.0, 0.5
_PATIENCE_S = 90.0
_SETTLE_S = 3.0
# Leases are not what is measured: none runs out when the time is set on.
_PATIENT = Timing(lease=timedelta(days=1))


class SetOnClock(SystemClock):
    """The system's, and *ahead* of it."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def steady(self) -> datetime:
        return super().steady() + self.ahead


class Noting(Checker):
    """Checks nothing; remembers who was checked when, and how late."""

    def __init__(self, clock: SetOnClock) -> None:
        self._now = clock.now
        self._checked: Checked | None = None  # all come to the same
        self.dispatcher: Dispatcher | None = None
        self.late_s: list[float] = []
        self.checked: dict[int, list[float]] = {}

    async def check(self, duty: CheckInput, *, fence: int) -> Checked:  # noqa: ARG002 - the port's
        now, account = self._now(), duty.account
        if self._checked is None:
            self._checked = Checked(
                CheckResult.of(
                    account.settings,
                    at=now,
                    trigger=Trigger.INTERVAL,
                    funds=None,
                    verdict=NoTrade(InsideBand()),
                )
            )
        await asyncio.sleep(0)  # a check that asks the exchange gives way too
        standing = self.dispatcher.standing(account.id) if self.dispatcher else None
        if standing is not None and standing.due_at is not None:
            self.late_s.append((now - standing.due_at).total_seconds())
        self.checked.setdefault(account.id, []).append(time.monotonic())
        return self._checked

    def forget(self) -> None:
        self.late_s.clear()
        self.checked.clear()


class Loop:
    """How long the event loop stood still at most."""

    def __init__(self) -> None:
        self.blocked_s = 0.0

    async def watch(self) -> None:
        while True:
            begun = time.monotonic()
            await asyncio.sleep(0.005)
            self.blocked_s = max(self.blocked_s, time.monotonic() - begun - 0.005)


class Crowd:
    """A dispatcher that owns *size* accounts, beating twice a second."""

    def __init__(self, dispatcher: Dispatcher, checker: Noting, clock: SetOnClock) -> None:
        self.dispatcher, self.checker, self.clock = dispatcher, checker, clock
        self.loop = Loop()

    async def beat(self) -> None:
        while True:
            begun = time.monotonic()
            await self.dispatcher.tick()
            await asyncio.sleep(max(0.0, begun + _TICK_S - time.monotonic()))

    def spread(self, size: int, *, interval: timedelta) -> None:
        """All of them are due one after the other, each once in the interval."""
        now = self.clock.steady()
        for number in range(size):
            due_at = now + interval * number / size
            self.dispatcher._account_queue.schedule(AccountId(number + 1), due_at)  # noqa: SLF001 - nothing else may

    async def until_checked(self, size: int) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while len(self.checker.checked) < size and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


@asynccontextmanager
async def _crowd(
    size: int, *, interval: timedelta, watched: bool = False
) -> AsyncGenerator[Crowd]:
    """All of them claimed, and none checked yet. The loop is *watched* where no CPU is measured."""
    clock = SetOnClock()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/ballast.db"
        await asyncio.to_thread(seed, url, size, interval=interval)
        async with Database.open(url, clock=clock) as database:
            checker = Noting(clock)
            dispatcher = Dispatcher(
                database=database, clock=clock, timing=_PATIENT, checker=checker, owner="benchmark"
            )
            checker.dispatcher = dispatcher
            crowd = Crowd(dispatcher, checker, clock)
            for _ in range(size):
                if len(dispatcher.pulse().checks) == size:
                    break
                await dispatcher.tick()
            else:
                raise NotMeasured(f"only {len(dispatcher.pulse().checks)} accounts were claimed")
            async with asyncio.TaskGroup() as tasks:
                jobs = [crowd.beat(), dispatcher.run()]
                if watched:
                    jobs.append(crowd.loop.watch())
                running = [tasks.create_task(job) for job in jobs]
                yield crowd
                for task in running:
                    task.cancel()


def run(_: Path | None) -> Report:
    pin(0, OURS)
    gc.collect()
    gc.freeze()  # as the program does when it starts
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # a line for each check it drops
    report = Report(
        "scheduler",
        f"Checks that cost nothing, {_MANY:,} accounts every {_INTERVAL.total_seconds():.0f} s; "
        f"{_HERD:,} due at once; {_STALLED:,} every {_SHORT.total_seconds():.0f} s and a stall",
        ["who", "CPU share", "late p50 s", "p99 s", "herd: lost", "blocked s", "stall: lost"],
    )
    report.rows += [
        ["Ballast", *asyncio.run(_ours())],
        ["APScheduler, a job each", *asyncio.run(_theirs())],
    ]
    ours, theirs = report.rows[0], report.rows[1]
    numbers = {
        name: float(cell or 0)
        for name, cell in zip(report.columns, ours, strict=True)
        if name != "who"
    }
    report.goals += [
        Goal("7", "CPU, of one job each", numbers["CPU share"] / float(theirs[1] or 0), 0.5),
        Goal("7", "s late, p99", numbers["p99 s"], _TICK_S + 0.05),
        Goal("8", "lost when 20,000 are due at once", numbers["herd: lost"], 0),
        Goal("8", "s the loop was blocked meanwhile", numbers["blocked s"], 0.05),
        Goal("8", "lost in a stall of 3 s", numbers["stall: lost"], 0),
    ]
    report.notes.append("ours reads from the database what each check needs; the other knows it")
    return report


async def _ours() -> list[float]:
    async with _crowd(_MANY, interval=_INTERVAL) as crowd:
        crowd.spread(_MANY, interval=_INTERVAL)
        await asyncio.sleep(_SETTLE_S)
        crowd.checker.forget()
        begun = time.process_time()
        await asyncio.sleep(_WINDOW_S)
        share = (time.process_time() - begun) / _WINDOW_S
        late = list(crowd.checker.late_s)
    async with _crowd(_HERD, interval=_INTERVAL, watched=True) as crowd:
        crowd.loop.blocked_s = 0.0
        crowd.clock.ahead += timedelta(hours=4)
        await crowd.until_checked(_HERD)
        lost, blocked = _HERD - len(crowd.checker.checked), crowd.loop.blocked_s
    async with _crowd(_STALLED, interval=_SHORT) as crowd:
        crowd.clock.ahead += timedelta(hours=1)
        await crowd.until_checked(_STALLED)
        await asyncio.sleep(1)
        time.sleep(_STALL_S)  # noqa: ASYNC251 - the stall
        await asyncio.sleep(2 * _SHORT.total_seconds())
        stalled = _gaps(crowd.checker.checked)
    return [share, quantile(late, 0.5), quantile(late, 0.99), lost, blocked, stalled]


def _gaps(checked: dict[int, list[float]]) -> int:
    """How many checks never came: accounts left alone for much longer than their interval."""
    most = 1.5 * _SHORT.total_seconds()
    return sum(
        later - earlier > most
        for times in checked.values()
        for earlier, later in zip(times, [*times[1:], time.monotonic()], strict=True)
    )


async def _theirs() -> list[float]:
    late: list[float] = []

    async def check(due: datetime, every: float) -> None:
        late.append((_now() - due).total_seconds() % every)

    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.start()
    start = _now() + timedelta(seconds=3)
    for number in range(_MANY):
        due = start + number * _INTERVAL / _MANY
        seconds = _INTERVAL.total_seconds()
        scheduler.add_job(
            check, "interval", seconds=seconds, next_run_time=due, args=(due, seconds)
        )
    await asyncio.sleep(3)
    begun = time.process_time()
    await asyncio.sleep(_WINDOW_S)
    share = (time.process_time() - begun) / _WINDOW_S
    scheduler.shutdown()
    herd, blocked = await _their_herd()
    return [share, quantile(late, 0.5), quantile(late, 0.99), herd, blocked, await _their_stall()]


async def _their_herd() -> tuple[int, float]:
    ran = [0]

    async def check() -> None:
        ran[0] += 1

    scheduler, loop = AsyncIOScheduler(timezone=UTC), Loop()
    scheduler.start(paused=True)
    due = _now()
    for _ in range(_HERD):
        scheduler.add_job(check, "date", run_date=due)
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(loop.watch())
        await asyncio.sleep(0.1)
        scheduler.resume()
        await asyncio.sleep(5)
        watching.cancel()
    scheduler.shutdown()
    return _HERD - ran[0], loop.blocked_s


async def _their_stall() -> int:
    checked: dict[int, list[float]] = {}

    async def check(number: int) -> None:
        checked.setdefault(number, []).append(time.monotonic())

    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.start()
    seconds, start = _SHORT.total_seconds(), _now() + timedelta(seconds=1)
    for number in range(_STALLED):
        due = start + number * _SHORT / _STALLED
        scheduler.add_job(check, "interval", seconds=seconds, next_run_time=due, args=(number,))
    await asyncio.sleep(1 + seconds)
    time.sleep(_STALL_S)  # noqa: ASYNC251 - the stall
    await asyncio.sleep(2 * seconds)
    scheduler.shutdown()
    return _gaps(checked)


def _now() -> datetime:
    return SystemClock().now()
