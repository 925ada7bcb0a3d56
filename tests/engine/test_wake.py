"""An event of an account makes it due from inside the process, between two heartbeats."""

from datetime import timedelta

import pytest

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.check_result import CheckFailed, Decision, NoTrade
from engine.domain.rebalancing.planner import InsideBand, PairClosed
from engine.rebalancing.checked import Checked
from engine.scheduling.account_queue import AccountQueue, Line
from engine.scheduling.dispatcher import POOL
from engine.storage.database import Database
from tests.engine.harness import Engine, StillClock, eventually
from tests.engine.test_dispatcher import Process, ScriptedChecker, alive, open_accounts
from tests.fakes.clock import START, FakeClock
from tests.fakes.database import gone, statements
from tests.fakes.exchange import FakeExchange
from tests.fakes.tasks import a_moment

SECOND = timedelta(seconds=1)
INTERVAL = timedelta(seconds=120)


class DecidingChecker(ScriptedChecker):
    """Each check comes to *verdict*."""

    verdict: Decision = NoTrade(InsideBand())
    backs_off = False
    by: timedelta | None = None

    async def check(self, duty: CheckInput, *, fence: int) -> Checked:
        await super().check(duty, fence=fence)
        look = self._looked(duty.account, self.verdict)
        return Checked(look, self.again_in, self.backs_off, self.by)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def engine(sqlite: Database, clock: StillClock, exchange: FakeExchange) -> Engine:
    return Engine(sqlite, clock, exchange, owner="nobody")


async def checked_once(engine: Engine, process: Process) -> Account:
    [account] = await open_accounts(engine)
    await process.beat()
    process.clock.shift(SECOND)
    return account


async def settled(process: Process) -> None:
    """Whatever a wake set off is done."""
    for _ in range(3):
        await a_moment()
        await process.dispatcher.until_idle()


async def test_an_event_is_looked_at_without_a_heartbeat(engine: Engine, clock: StillClock):
    process = Process(engine)
    async with alive(process):
        account = await checked_once(engine, process)
        process.dispatcher.wake(account.id)
        await eventually(lambda: len(process.checks.checked) == 2)
        await process.dispatcher.until_idle()
        standing = process.dispatcher.standing(account.id)

    assert standing is not None
    assert standing.due_at == clock.now() + INTERVAL


async def test_many_events_are_one_check_at_the_earliest_of_their_moments(sqlite: Database):
    clock = FakeClock()
    engine = Engine(sqlite, clock, FakeExchange(clock), owner="nobody")
    process = Process(engine)
    async with alive(process):
        [account] = await open_accounts(engine)
        await process.dispatcher.tick()
        await eventually(lambda: len(process.checks.checked) == 1)
        began = clock.now()
        for delay in (3, 1, 2):
            process.dispatcher.wake(account.id, at=began + delay * SECOND)
        await eventually(lambda: len(process.checks.checked) == 2)
        await a_moment()

    assert process.checks.times[1:] == [began + SECOND]


async def test_events_during_a_check_set_off_one_more_after_it(engine: Engine):
    process = Process(engine)
    async with alive(process):
        account = await checked_once(engine, process)
        process.checks.goes_on.clear()
        process.dispatcher.wake(account.id)
        await eventually(lambda: len(process.checks.checked) == 2)
        for _ in range(3):
            process.dispatcher.wake(account.id)
        await a_moment()

        assert process.checks.at_once[account.id] == 1

        process.checks.goes_on.set()
        await settled(process)

    assert len(process.checks.checked) == 3


async def test_the_wait_after_an_error_is_kept(engine: Engine, clock: StillClock):
    process = Process(engine, checker=(checks := DecidingChecker(engine)))
    checks.verdict = CheckFailed(IncidentKind.UNREACHABLE, "away")
    checks.again_in, checks.backs_off = engine.timing.error_backoff, True
    async with alive(process):
        account = await checked_once(engine, process)
        process.dispatcher.wake(account.id)
        await process.beats(20)

        assert len(checks.checked) == 1

        process.dispatcher.wake(account.id)
        clock.shift(engine.timing.error_backoff)
        await process.beat()

    assert len(checks.checked) == 2


async def test_an_event_during_a_check_that_crashes_waits_as_long_as_the_check(engine: Engine):
    process = Process(engine)
    async with alive(process):
        account = await checked_once(engine, process)
        process.checks.bugs.add(account.id)
        process.checks.goes_on.clear()
        process.dispatcher.wake(account.id)
        await eventually(lambda: len(process.checks.checked) == 2)
        process.dispatcher.wake(account.id)
        process.checks.goes_on.set()
        await settled(process)
        await process.beats(20)

    assert len(process.checks.checked) == 2


async def test_a_wait_that_is_no_error_is_shortened(engine: Engine):
    process = Process(engine)
    process.checks.again_in = 10 * SECOND
    async with alive(process):
        account = await checked_once(engine, process)
        process.dispatcher.wake(account.id)
        await eventually(lambda: len(process.checks.checked) == 2)


async def test_an_account_of_another_process_is_not_looked_at(engine: Engine):
    process, other = Process(engine), Process(engine, owner="process-2")
    async with alive(process, other):
        account = await checked_once(engine, process)
        await other.beat()
        other.dispatcher.wake(account.id)
        other.dispatcher.wake(AccountId(99))
        await settled(other)

    assert other.checks.checked == []


async def test_nothing_is_handed_out_under_a_lease_that_may_have_run_out(
    engine: Engine, clock: StillClock
):
    process = Process(engine)
    async with alive(process):
        account = await checked_once(engine, process)
        clock.shift(engine.timing.lease)
        process.dispatcher.wake(account.id)
        await settled(process)

        assert len(process.checks.checked) == 1

        await process.beat()  # renews

    assert len(process.checks.checked) == 2


@pytest.mark.parametrize("paused", [True, False])
async def test_settings_are_read_afresh_for_an_event(engine: Engine, paused: bool):
    process = Process(engine)
    async with alive(process):
        account = await checked_once(engine, process)
        await engine.change(account, paused=paused)
        with statements(engine.database) as seen:
            process.dispatcher.wake(account.id)
            await settled(process)

    assert len(process.checks.checked) == (1 if paused else 2)
    assert any("FROM accounts" in statement for statement in seen)


async def test_an_event_while_the_database_is_away_is_left_to_the_heartbeat(engine: Engine):
    away = False

    async def maybe_away(step: str) -> None:
        if away:
            raise gone()

    process = Process(engine, on_step=maybe_away)
    async with alive(process):
        account = await checked_once(engine, process)
        away = True
        process.dispatcher.wake(account.id)
        await settled(process)
        away = False
        await process.beat()

    assert len(process.checks.checked) == 2


async def test_a_process_that_stops_begins_nothing_for_an_event(engine: Engine):
    process = Process(engine)
    async with alive(process):
        account = await checked_once(engine, process)
        process.dispatcher.stop_claiming()
        process.dispatcher.wake(account.id)
        await settled(process)

    assert len(process.checks.checked) == 1


async def test_an_event_goes_before_all_whose_interval_is_over(engine: Engine, clock: StillClock):
    accounts = await open_accounts(engine, 40)
    process = Process(engine)
    async with alive(process):
        await process.dispatcher.tick()
        await a_moment()
        clock.shift(timedelta(minutes=1))
        process.checks.goes_on.clear()
        await process.dispatcher.tick()
        await a_moment()
        before = len(process.checks.checked)
        process.dispatcher.wake(accounts[-1].id)
        await a_moment()
        await a_moment()
        process.checks.goes_on.set()
        await process.dispatcher.until_idle()
        ids = [account_id for account_id, _ in process.checks.checked]

    assert accounts[-1].id in ids[before : before + POOL]


async def test_a_check_that_held_is_followed_as_late_as_the_safety_net_says(
    engine: Engine, clock: StillClock
):
    process = Process(engine, checker=(checks := DecidingChecker(engine)))
    process.dispatcher.poll_interval = lambda _, interval: 5 * interval
    async with alive(process):
        account = await checked_once(engine, process)

        async def next_in() -> timedelta:
            process.dispatcher.wake(account.id)
            await settled(process)
            standing = process.dispatcher.standing(account.id)
            assert standing is not None
            assert standing.due_at is not None
            return standing.due_at - clock.now()

        assert await next_in() == 5 * INTERVAL

        checks.by = INTERVAL * 2  # a set time
        assert await next_in() == 2 * INTERVAL

        checks.by, checks.verdict = None, NoTrade(PairClosed())
        assert await next_in() == INTERVAL

        checks.again_in = SECOND * 30
        assert await next_in() == SECOND * 30


def test_a_wake_brings_forward_and_never_postpones():
    queue = AccountQueue(error_backoff=60 * SECOND)
    queue.take({AccountId(1): 1}, now=START)
    [(account_id, queued)] = queue.pop_due(now=START, most=1).items()
    queue.schedule(account_id, START + 10 * SECOND)

    assert queue.wake(account_id, START + 5 * SECOND) == START + 5 * SECOND
    assert queue.wake(account_id, START + 7 * SECOND) is None
    assert queued.due_at == START + 5 * SECOND
    assert list(queue.pop_due(now=START + 5 * SECOND, most=0, ahead=1)) == [account_id]


def test_however_many_are_woken_those_whose_interval_is_over_have_their_turn():
    queue = AccountQueue(error_backoff=60 * SECOND)
    accounts = {AccountId(number): 1 for number in range(100)}
    queue.take(accounts, now=START, due_in=dict.fromkeys(accounts, timedelta()))
    for number in range(50, 100):
        queue.wake(AccountId(number), START)

    due = queue.pop_due(now=START, most=16, ahead=2)

    assert [queued.line for queued in due.values()] == [Line.WOKEN] * 8 + [Line.POLLED] * 8
