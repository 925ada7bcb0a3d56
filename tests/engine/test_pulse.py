"""The pulse shows what gets on: heartbeats, and the checks of accounts with something to do."""

import asyncio
from datetime import timedelta

import pytest

from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.check_input import CheckInput
from engine.monitoring.stall_detector import StallCause, StallDetector, Stalled, StallOver
from engine.rebalancing.checked import Checked
from engine.storage.database import Database
from tests.engine.harness import Engine, StillClock
from tests.engine.test_dispatcher import Process, ScriptedChecker, alive, open_accounts
from tests.fakes.database import gone
from tests.fakes.exchange import FakeExchange
from tests.fakes.tasks import a_moment

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
LEAST_PATIENCE = 3 * MINUTE


class StuckChecker(ScriptedChecker):
    """The checks of the accounts that are *stuck* come to no end before they are let go."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.stuck: set[AccountId] = set()
        self.let_go = asyncio.Event()

    async def check(self, duty: CheckInput, *, fence: int) -> Checked:
        if duty.account.id in self.stuck:
            await self.let_go.wait()
        return await super().check(duty, fence=fence)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def engine(sqlite: Database, clock: StillClock, exchange: FakeExchange) -> Engine:
    return Engine(sqlite, clock, exchange, owner="nobody")


async def watched(
    process: Process, vigil: StallDetector, duration: timedelta
) -> list[Stalled | StallOver]:
    """What there is to tell within *duration*, with a beat and a look a minute."""
    told = []
    for _ in range(duration // MINUTE):
        process.clock.shift(MINUTE)
        await process.dispatcher.tick()
        await a_moment()
        told.append(vigil.look(process.dispatcher.pulse(), passed=MINUTE))
    return [news for news in told if news is not None]


async def test_a_check_that_hangs_is_told_while_the_others_go_on(engine: Engine):
    accounts = await open_accounts(engine, 2, interval=2 * MINUTE)
    checker = StuckChecker(engine)
    process, vigil = Process(engine, checker=checker), StallDetector()
    async with alive(process):
        assert await watched(process, vigil, 10 * MINUTE) == []

        checker.stuck = {accounts[1].id}
        [stalled] = await watched(process, vigil, 20 * MINUTE)
        checker.let_go.set()
        [over] = await watched(process, vigil, 2 * MINUTE)

    assert stalled == Stalled(cause=StallCause.CHECKS, late=1, accounts=2, silent_for=7 * MINUTE)
    assert isinstance(over, StallOver)


async def test_checks_that_fail_are_finished_all_the_same(engine: Engine):
    [account] = await open_accounts(engine, interval=MINUTE)
    process = Process(engine)
    process.checks.bugs = {account.id}
    async with alive(process):
        assert await watched(process, StallDetector(), 30 * MINUTE) == []


@pytest.mark.parametrize("wishes", [{"paused": True}, {"key": False}])
async def test_an_account_with_nothing_to_do_is_not_missed(
    engine: Engine, wishes: dict[str, bool]
):
    await open_accounts(engine, **wishes)
    process = Process(engine)
    async with alive(process):
        await process.beat()

        assert process.dispatcher.pulse().checks == {}
        assert await watched(process, StallDetector(), 30 * MINUTE) == []


@pytest.mark.parametrize(
    ("interval", "again_in", "patience"),
    [
        (SECOND, None, LEAST_PATIENCE),
        (10 * MINUTE, None, 30 * MINUTE),
        (SECOND, 20 * MINUTE, 60 * MINUTE),  # as long as the exchange asked to be left alone
    ],
)
async def test_three_checks_may_be_missing(
    engine: Engine, interval: timedelta, again_in: timedelta | None, patience: timedelta
):
    [account] = await open_accounts(engine, interval=interval)
    process = Process(engine)
    process.checks.again_in = again_in
    async with alive(process):
        await process.dispatcher.tick()

        assert process.dispatcher.pulse().checks[account.id].patience == LEAST_PATIENCE

        await process.dispatcher.until_idle()

    assert process.dispatcher.pulse().checks[account.id].patience == patience


async def test_the_last_of_a_crowd_has_its_turn_before_it_is_missed(engine: Engine):
    accounts = await open_accounts(engine, 30)
    process = Process(engine)
    await process.dispatcher.tick()

    checks = process.dispatcher.pulse().checks

    assert checks[accounts[0].id].patience == LEAST_PATIENCE
    assert checks[accounts[-1].id].patience > LEAST_PATIENCE + 9 * SECOND


async def test_only_a_beat_that_reached_the_database_counts(engine: Engine):
    away = True

    async def pull_the_plug(_: str) -> None:
        if away:
            raise gone()

    process = Process(engine, on_step=pull_the_plug)
    await process.dispatcher.tick()
    before = process.dispatcher.pulse()
    away = False
    await process.dispatcher.tick()
    after = process.dispatcher.pulse()

    assert (before.beats.done, before.database_away) == (0, True)
    assert (after.beats.done, after.database_away) == (1, False)


async def test_an_account_claimed_again_after_an_outage_is_late_until_it_is_checked(
    engine: Engine,
):
    [account] = await open_accounts(engine, interval=MINUTE)
    process = Process(engine)
    async with alive(process):
        await process.beat()
        finished = process.dispatcher.pulse().checks[account.id].done
        await engine.lease_runs_out()
        process.clock.shift(MINUTE)
        process.checks.goes_on.clear()
        await process.dispatcher.tick()
        claimed_again = process.dispatcher.pulse().checks[account.id].done
        process.checks.goes_on.set()
        await process.dispatcher.until_idle()

    assert claimed_again == finished
    assert process.dispatcher.pulse().checks[account.id].done == finished + 1


async def test_a_heartbeat_that_had_nothing_to_ask_of_the_database_is_one(engine: Engine):
    """In the demo a minute takes a second, and wake-ups of other processes are seldom asked for."""
    process = Process(engine)
    async with alive(process):
        await process.beat()
        process.clock.shift(SECOND)
        await process.dispatcher.tick()

    assert process.dispatcher.beaten() == timedelta()
