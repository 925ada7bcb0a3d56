"""More is due than can be checked in time: what is handed out, in which order, and what is said."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.targets.target import FixedUsdt
from engine.monitoring.stall_detector import StallDetector, Stalled, StallOver
from engine.rebalancing.checked import Checked
from engine.scheduling.dispatcher import POOL
from engine.storage.database import Database
from tests.engine.harness import Engine, StillClock, eventually
from tests.engine.test_dispatcher import Process, ScriptedChecker, alive, open_accounts
from tests.fakes.exchange import FakeExchange
from tests.fakes.tasks import a_moment
from tests.sampling import LONG

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


class RationedChecker(ScriptedChecker):
    """Each check waits until it is let through."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.let_through = asyncio.Semaphore(0)

    async def check(self, duty: CheckInput, *, fence: int) -> Checked:
        await self.let_through.acquire()
        return await super().check(duty, fence=fence)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def engine(sqlite: Database, clock: StillClock, exchange: FakeExchange) -> Engine:
    return Engine(sqlite, clock, exchange, owner="nobody")


async def test_little_is_handed_out_ahead_of_its_turn(engine: Engine, clock: StillClock):
    await open_accounts(engine, 60)
    process = Process(engine)
    process.checks.goes_on.clear()
    async with alive(process):
        await process.dispatcher.tick()
        clock.shift(MINUTE)
        for _ in range(5):
            await process.dispatcher.tick()
            await a_moment()
        ahead = process.dispatcher._handed_out.polled
        facts = process.dispatcher.lateness()
        process.checks.goes_on.set()
        await process.dispatcher.until_idle()

    assert ahead <= 2 * POOL
    assert facts.overdue == 60 - POOL - ahead
    assert MINUTE - 20 * SECOND <= facts.waiting_for <= MINUTE


@LONG
async def test_a_pool_that_is_fast_is_given_more_with_each_beat(engine: Engine, clock: StillClock):
    await open_accounts(engine, 100)
    process = Process(engine)
    async with alive(process):
        await process.dispatcher.tick()
        clock.shift(MINUTE)
        checked = []
        for _ in range(3):
            await process.beat()
            checked.append(len(process.checks.checked))

    assert checked == [17, 49, 100]


async def test_whoever_was_touched_by_a_person_goes_before_all_that_is_late(
    engine: Engine, clock: StillClock
):
    accounts = await open_accounts(engine, 40)
    process = Process(engine, checker=(rationed := RationedChecker(engine)))
    async with alive(process):
        await process.dispatcher.tick()
        clock.shift(MINUTE)
        await process.dispatcher.tick()
        await engine.change(accounts[-1], target=FixedUsdt(Decimal(60)))
        handed_out = POOL + process.dispatcher._handed_out.polled
        for number in range(1, handed_out + 3):
            rationed.let_through.release()
            await eventually(lambda n=number: len(rationed.checked) >= n)  # type: ignore[misc]
            await process.dispatcher.tick()
        ids = [account_id for account_id, _ in rationed.checked]

        assert accounts[-1].id in ids

        for _ in range(100):
            rationed.let_through.release()


async def test_how_late_checks_begin_is_known(engine: Engine, clock: StillClock):
    await open_accounts(engine)
    process = Process(engine)
    async with alive(process):
        await process.beat()
        on_time = process.dispatcher.lateness()
        clock.shift(150 * SECOND)
        await engine.lease_runs_out(within=MINUTE)
        await process.beat()
        late = process.dispatcher.lateness()

    assert (on_time.checks, on_time.p99) == (1, 0 * SECOND)
    assert (late.checks, late.p99) == (2, 30 * SECOND)
    assert (late.overdue, late.most) == (0, 30 * SECOND)


@LONG
async def test_a_line_that_moves_is_no_stall_however_long_it_is(engine: Engine, clock: StillClock):
    await open_accounts(engine, 20, interval=MINUTE)
    process = Process(engine, checker=(rationed := RationedChecker(engine)))
    vigil, told = StallDetector(), list[Stalled | StallOver]()

    async def minutes(count: int, *, served: int) -> None:
        for _ in range(count):
            clock.shift(MINUTE)
            await process.dispatcher.tick()
            for _ in range(served):
                rationed.let_through.release()
            await a_moment()
            await a_moment()
            if news := vigil.look(process.dispatcher.pulse(), passed=MINUTE):
                told.append(news)

    async with alive(process):
        await minutes(60, served=3)
        cycle = process.dispatcher.lateness().most

        assert told == []
        assert cycle > 3 * MINUTE

        await minutes(20, served=0)

        assert {type(news) for news in told} == {Stalled}

        for _ in range(100):
            rationed.let_through.release()
