"""The heartbeat: what is due is checked, by one process, however the others and the database fare."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.alerts.alerts import IncidentAlert, RunDeclined
from engine.domain.orders.order import AccountId, OrderState, Trigger
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.check_result import CheckResult, Decision, NoTrade
from engine.domain.rebalancing.planner import InsideBand
from engine.domain.targets.target import FixedUsdt
from engine.errors import OutcomeUnknown
from engine.rebalancing.checked import Checked
from engine.rebalancing.checker import Checker
from engine.scheduling.dispatcher import POOL, Dispatcher, new_owner
from engine.storage.coordination import leases
from engine.storage.database import Database
from engine.storage.models.coordination import LeaseRow
from engine.storage.trading import orders
from engine.streaming.connections import Following
from engine.streaming.following import Nobody, Streams
from engine.streaming.live_prices import LivePrices
from tests.builders import intent
from tests.engine.harness import CHAT, Engine, StillClock, eventually
from tests.fakes.database import OnStep, WatchedDatabase, gone, statements
from tests.fakes.exchange import FakeExchange
from tests.fakes.tasks import a_moment, running

SECOND = timedelta(seconds=1)
INTERVAL = timedelta(seconds=120)
A_WHILE = timedelta(seconds=10)


class ScriptedChecker(Checker):
    """Notes what it was to check and when. *bugs* raise, *again_in* overrides the interval; while
    *goes_on* is clear nothing gets done, and *held* holds the checks under one fence.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(
            database=engine.database,
            clock=engine.clock,
            timing=engine.timing,
            exchange_for=lambda account: engine.exchanges[account.chat_id],
            owner=engine.owner,
        )
        self._clock = engine.clock
        self.checked: list[tuple[AccountId, datetime]] = []
        self.fences: list[int] = []
        self.at_once: Counter[AccountId] = Counter()
        self.bugs: set[AccountId] = set()
        self.again_in: timedelta | None = None
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.held: dict[int, asyncio.Event] = {}

    async def check(self, duty: CheckInput, *, fence: int) -> Checked:
        account_id = duty.account.id
        self.checked.append((account_id, self._clock.now()))
        self.fences.append(fence)
        self.at_once[account_id] += 1
        await self.held.get(fence, self.goes_on).wait()
        self.at_once[account_id] -= 1
        if account_id in self.bugs:
            raise ZeroDivisionError
        return Checked(self._looked(duty.account), self.again_in)

    def _looked(self, account: Account, verdict: Decision | None = None) -> CheckResult:
        return CheckResult(
            at=self._clock.now(),
            trigger=Trigger.INTERVAL,
            target=account.settings.fixed_goal.target,
            band=account.settings.fixed_goal.band,
            verdict=verdict or NoTrade(InsideBand()),
        )

    @property
    def times(self) -> list[datetime]:
        return [at for _, at in self.checked]


class Process:
    """One process's dispatcher, with a scripted checker or the real one."""

    def __init__(
        self,
        engine: Engine,
        *,
        owner: str = "process-1",
        on_step: OnStep | None = None,
        checker: Checker | None = None,
        fleet: Following | None = None,
        prices: LivePrices | None = None,
    ) -> None:
        self.clock = engine.clock
        self.checks = ScriptedChecker(engine)
        database = engine.database
        if on_step is not None:
            database = WatchedDatabase(database, engine.clock, on_step=on_step)
        self.dispatcher = Dispatcher(
            database=database,
            clock=engine.clock,
            timing=engine.timing,
            checker=checker or self.checks,
            owner=owner,
            streams=Nobody() if fleet is None else Streams(fleet, prices),
        )
        engine.database.when_changed(LeaseRow, self.dispatcher.nudge)

    async def beat(self) -> None:
        """One heartbeat, and whatever it set off."""
        await self.dispatcher.tick()
        await self.dispatcher.until_idle()

    async def beats(self, count: int, *, every: timedelta = SECOND) -> None:
        for _ in range(count):
            self.clock.shift(every)
            await self.beat()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def engine(sqlite: Database, clock: StillClock, exchange: FakeExchange) -> Engine:
    """It only opens accounts: nobody owns them yet."""
    return Engine(sqlite, clock, exchange, owner="nobody")


@asynccontextmanager
async def alive(*processes: Process) -> AsyncGenerator[None]:
    async with running(*(process.dispatcher.run() for process in processes)):
        yield


async def open_accounts(engine: Engine, count: int = 1, **wishes) -> list[Account]:
    """Free to be claimed."""
    opened = [await engine.open_account(CHAT + n, **wishes) for n in range(count)]
    await engine.lease_runs_out()
    return opened


async def test_an_account_is_checked_every_interval(engine: Engine, clock: StillClock):
    await open_accounts(engine)
    process = Process(engine)

    async with alive(process):
        await process.beat()
        began = clock.now()
        await process.beats(30, every=A_WHILE)

    assert process.checks.times == [began, began + INTERVAL, began + 2 * INTERVAL]


@pytest.mark.parametrize("by", [timedelta(hours=-2), timedelta(hours=2)])
async def test_a_clock_that_is_set_stops_no_check(
    engine: Engine, clock: StillClock, by: timedelta
):
    await open_accounts(engine)
    process = Process(engine)

    async with alive(process):
        await process.beat()
        began = clock.now()
        clock.set_by(by)
        await process.beats(30, every=A_WHILE)
        [account_id] = {account_id for account_id, _ in process.checks.checked}
        standing = process.dispatcher.standing(account_id)

    assert process.checks.times == [began, began + by + INTERVAL, began + by + 2 * INTERVAL]
    assert process.checks.fences == [2, 2, 2]  # no lease was lost
    assert standing is not None
    assert standing.due_at == began + by + 3 * INTERVAL


async def test_missed_checks_are_skipped_not_replayed(engine: Engine, clock: StillClock):
    await open_accounts(engine)
    process = Process(engine)

    async with alive(process):
        await process.beat()
        began = clock.now()
        clock.shift(INTERVAL / 2)
        await process.beat()
        await engine.lease_runs_out(within=timedelta(hours=1))
        clock.shift(5 * INTERVAL)
        await process.beat()
        await process.beats(12, every=A_WHILE)

    assert process.checks.times == [
        began,
        began + INTERVAL * 11 / 2,  # late, and once
        began + INTERVAL * 6,  # on the beat again
    ]


async def test_accounts_claimed_together_start_one_after_the_other(
    engine: Engine, clock: StillClock
):
    accounts = await open_accounts(engine, 12)
    process = Process(engine)
    started = []

    async with alive(process):
        for _ in range(5):
            await process.beat()
            started.append(len(process.checks.checked))
            clock.shift(SECOND)

    assert started == [1, 4, 7, 10, 12]
    assert [account_id for account_id, _ in process.checks.checked] == [a.id for a in accounts]


async def test_a_check_says_itself_when_it_wants_to_be_repeated(engine: Engine, clock: StillClock):
    await open_accounts(engine)
    process = Process(engine)
    process.checks.again_in = 2 * SECOND

    async with alive(process):
        await process.beat()
        began = clock.now()
        await process.beats(5)

    assert process.checks.times == [began, began + 2 * SECOND, began + 4 * SECOND]


async def test_more_accounts_than_workers_are_all_checked(engine: Engine, clock: StillClock):
    await open_accounts(engine, 2 * POOL + 3)
    process = Process(engine)

    async with alive(process):
        await process.dispatcher.tick()
        clock.shift(timedelta(minutes=1))
        process.checks.goes_on.clear()
        await process.dispatcher.tick()
        await eventually(lambda: len(process.checks.checked) >= POOL)

        assert len(process.checks.checked) == POOL

        process.checks.goes_on.set()
        await process.beat()

    assert len(process.checks.checked) == 2 * POOL + 3


async def test_a_change_by_the_person_is_looked_at_with_the_next_beat(
    engine: Engine, clock: StillClock
):
    [account] = await open_accounts(engine)
    process = Process(engine)

    async with alive(process):
        await process.beat()
        await engine.change(account, target=FixedUsdt(Decimal(60)))
        await process.beats(1)
        changed_at = clock.now()
        await process.beats(13, every=A_WHILE)

    assert process.checks.times[1:] == [changed_at, changed_at + INTERVAL]


async def test_a_change_during_a_check_sets_off_another_one_after_it(
    engine: Engine, clock: StillClock
):
    [account] = await open_accounts(engine)
    process = Process(engine)
    process.checks.goes_on.clear()

    async with alive(process):
        await process.dispatcher.tick()
        await eventually(lambda: len(process.checks.checked) == 1)
        await engine.change(account, target=FixedUsdt(Decimal(60)))
        for _ in range(3):
            clock.shift(SECOND)
            await process.dispatcher.tick()

        assert process.checks.at_once[account.id] == 1

        process.checks.goes_on.set()
        await process.dispatcher.until_idle()
        await process.beat()
        await process.beats(5)

    assert len(process.checks.checked) == 2


async def test_an_account_is_never_checked_twice_at_once(engine: Engine, clock: StillClock):
    [account] = await open_accounts(engine, interval=SECOND)
    process = Process(engine)
    process.checks.goes_on.clear()

    async with alive(process):
        for _ in range(20):
            await process.dispatcher.tick()
            clock.shift(SECOND)
        await eventually(lambda: process.checks.at_once[account.id] == 1)

        assert len(process.checks.checked) == 1

        process.checks.goes_on.set()
        await process.dispatcher.until_idle()


@pytest.mark.parametrize("wishes", [{"paused": True}, {"key": False}])
async def test_an_account_with_nothing_to_do_is_left_alone_until_it_is_changed(
    engine: Engine, wishes: dict[str, bool]
):
    [account] = await open_accounts(engine, **wishes)
    process = Process(engine)

    async with alive(process):
        await process.beat()
        await process.beats(13, every=A_WHILE)

        assert process.checks.checked == []
        standing = process.dispatcher.standing(account.id)
        assert standing is not None
        assert (standing.look, standing.due_at) == (None, None)

        await engine.change(account, paused=False, dry_run=True)
        await process.beats(1)

    assert len(process.checks.checked) == 1


async def test_a_pause_ends_the_checks(engine: Engine):
    [account] = await open_accounts(engine)
    process = Process(engine)

    async with alive(process):
        await process.beat()
        await engine.change(account, paused=True)
        await process.beats(13, every=A_WHILE)

    assert len(process.checks.checked) == 1


async def test_a_paused_account_is_checked_while_an_order_of_it_is_unresolved(engine: Engine):
    await open_accounts(engine, paused=True)
    async with engine.database.writing() as session:
        await orders.add(session, intent(state=OrderState.UNKNOWN))
    process = Process(engine)

    async with alive(process):
        await process.beat()

    assert len(process.checks.checked) == 1


async def test_what_is_known_of_an_account_is_known_to_its_owner_alone(
    engine: Engine, clock: StillClock
):
    [account] = await open_accounts(engine)
    process, other = Process(engine), Process(engine, owner="process-2")

    async with alive(process, other):
        await process.beat()
        await other.beat()

    standing = process.dispatcher.standing(account.id)
    assert standing is not None
    assert standing.look is not None
    assert standing.due_at == clock.now() + INTERVAL
    assert other.dispatcher.standing(account.id) is None


async def lease(engine: Engine) -> tuple[str | None, int, datetime]:
    async with engine.database.reading() as session:
        row = (await session.scalars(select(LeaseRow))).one()
        return row.owner, row.fence, row.lease_until


async def test_leases_are_renewed_in_time_and_no_more_often(engine: Engine, clock: StillClock):
    await open_accounts(engine)
    process = Process(engine)

    async with alive(process):
        await process.beat()
        await process.beats(10)
        with statements(engine.database) as seen:
            await process.beats(6, every=A_WHILE)

        owner, fence, until = await lease(engine)
        assert (owner, fence) == ("process-1", 2)
        assert until >= clock.now() + engine.timing.lease - engine.timing.renew_every
        assert len([s for s in seen if s.startswith("UPDATE leases")]) == 2


async def test_wake_ups_are_read_where_somebody_in_this_process_wrote_one_and_else_rarely(
    engine: Engine, clock: StillClock
):
    [account] = await open_accounts(engine)
    process = Process(engine)
    quick, rare = timedelta(milliseconds=500), engine.timing.ask_every

    async with alive(process):
        await process.beats(3)
        with statements(engine.database) as seen:
            await process.beats(8, every=quick)

        assert len(seen) == 8 * quick // rare * 2  # BEGIN and SELECT

        await engine.change(account, target=FixedUsdt(Decimal(60)))
        await process.beats(1, every=quick)

    assert process.checks.times[-1] == clock.now()


async def test_what_another_process_woke_is_looked_at_within_two_seconds(
    engine: Engine, clock: StillClock
):
    [account] = await open_accounts(engine)
    process = Process(engine)

    async with alive(process):
        await process.beat()
        await process.beat()  # there might have been more to claim
        woken_at = clock.now()
        elsewhere = Database(engine.database.engine, clock)
        async with elsewhere.writing() as session:
            await leases.wake(session, account.id)
        await process.beats(8, every=timedelta(milliseconds=500))

    assert process.checks.times[1:] == [woken_at + 2 * SECOND]


async def test_a_lost_lease_ends_the_checks_here(engine: Engine):
    [account] = await open_accounts(engine)
    process, other = Process(engine), Process(engine, owner="process-2")

    async with alive(process, other):
        await process.beat()
        await engine.lease_runs_out()
        for _ in range(13):
            await other.beat()
            await process.beats(1, every=A_WHILE)

    assert process.dispatcher.standing(account.id) is None
    assert len(process.checks.checked) == 1


async def test_a_check_that_outlives_its_lease_changes_nothing_in_its_successors_plans(
    engine: Engine, clock: StillClock
):
    [account] = await open_accounts(engine, interval=SECOND)
    process = Process(engine)
    checks = process.checks
    checks.held = {2: asyncio.Event(), 3: asyncio.Event()}

    async with alive(process):
        await process.dispatcher.tick()
        await eventually(lambda: checks.fences == [2])
        clock.shift(timedelta(minutes=5))
        await process.dispatcher.tick()
        await eventually(lambda: checks.fences == [2, 3])
        checks.held[2].set()
        await eventually(lambda: checks.at_once[account.id] == 1)
        for _ in range(3):
            clock.shift(SECOND)
            await process.dispatcher.tick()
        await a_moment()

        assert checks.fences == [2, 3]  # the second one is still under way

        checks.held[3].set()
        await process.dispatcher.until_idle()
        await process.beats(1)

    assert checks.fences == [2, 3, 3]


async def test_after_a_stall_the_only_process_takes_its_own_accounts_back(
    engine: Engine, clock: StillClock
):
    """A laptop was closed for the night, or the database was away for longer than a lease."""
    await open_accounts(engine, 3)
    process = Process(engine)

    async with alive(process):
        await process.beat()
        await process.beats(5)
        clock.shift(timedelta(hours=8))
        await process.beats(5)

    assert len(process.checks.checked) == 6
    assert process.checks.fences == [2, 2, 2, 3, 3, 3]


async def test_an_account_claimed_by_a_commit_whose_answer_was_lost_is_not_forgotten(
    engine: Engine,
):
    [account] = await open_accounts(engine)
    committed: list[str] = []

    async def the_answer_to_the_claim_is_lost(step: str) -> None:
        if step == "committed":
            committed.append(step)
            if len(committed) == 3:  # the announcement, the renewal, then the claim
                raise gone()

    process = Process(engine, on_step=the_answer_to_the_claim_is_lost)

    async with alive(process):
        await process.beat()

        assert (await lease(engine))[0] == "process-1"
        assert process.dispatcher.standing(account.id) is None

        await engine.change(
            account, target=FixedUsdt(Decimal(60))
        )  # nobody is there to hear it yet
        await process.beats(31)

    assert [account_id for account_id, _ in process.checks.checked] == [account.id]


@pytest.mark.parametrize("error", [gone(), ConnectionRefusedError("no route")])
@pytest.mark.parametrize("step", ["read begins", "write begins", "commit"])
async def test_a_database_that_is_away_for_a_while_costs_no_account_its_checks(
    engine: Engine, step: str, error: Exception
):
    await open_accounts(engine, 2)
    away = False

    async def maybe_away(reached: str) -> None:
        if away and reached == step:
            raise error

    process = Process(engine, on_step=maybe_away)

    async with alive(process):
        await process.beat()
        await process.beats(5)

        assert len(process.checks.checked) == 2

        away = True
        await process.beats(13, every=A_WHILE)
        away = False
        before = len(process.checks.checked)
        await process.beats(5)

    assert len(process.checks.checked) >= before + (2 if step == "read begins" else 0)
    assert Counter(a for a, _ in process.checks.checked).most_common()[-1][1] >= 2


async def test_a_database_that_breaks_between_due_and_duty_costs_no_check(engine: Engine):
    """Both reads of a beat: the calls, then the duties of those that are due."""
    await open_accounts(engine)
    reads: list[str] = []

    async def the_second_read_breaks(step: str) -> None:
        if step == "read begins":
            reads.append(step)
            if len(reads) == 2:
                raise ConnectionResetError

    process = Process(engine, on_step=the_second_read_breaks)

    async with alive(process):
        await process.beat()

        assert process.checks.checked == []

        await process.beat()

    assert len(process.checks.checked) == 1


async def test_a_bug_in_one_check_stops_no_other_and_is_told_once(engine: Engine):
    bad, good = await open_accounts(engine, 2)
    process = Process(engine)
    process.checks.bugs.add(bad.id)

    async with alive(process):
        await process.beat()
        await process.beats(13, every=A_WHILE)

    by_account = Counter(account_id for account_id, _ in process.checks.checked)
    assert by_account == {bad.id: 3, good.id: 2}  # after an error, every 60 s
    [told] = await engine.alerts_of(IncidentAlert)
    assert told.kind is IncidentKind.INTERNAL
    trouble = await engine.trouble(bad)
    assert trouble is not None
    assert trouble.count == 3


async def test_a_bug_that_cannot_even_be_recorded_stops_nobody(engine: Engine):
    bad, good = await open_accounts(engine, 2)
    away = False

    async def maybe_away(step: str) -> None:
        if away and step == "commit":
            raise gone()

    process = Process(engine, on_step=maybe_away)
    process.checks.bugs.add(bad.id)

    async with alive(process):
        await process.dispatcher.tick()
        away = True
        await process.dispatcher.until_idle()
        away = False
        await process.beats(13, every=A_WHILE)

    assert Counter(a for a, _ in process.checks.checked) == {bad.id: 3, good.id: 2}


async def test_after_stopping_nothing_new_begins_and_what_is_under_way_is_finished(
    engine: Engine, clock: StillClock
):
    await open_accounts(engine, POOL + 4)
    process = Process(engine)

    async with alive(process):
        await process.dispatcher.tick()
        clock.shift(timedelta(minutes=1))
        process.checks.goes_on.clear()
        await process.dispatcher.tick()
        await eventually(lambda: len(process.checks.checked) == POOL)

        process.dispatcher.stop_claiming()
        clock.shift(INTERVAL)
        await process.dispatcher.tick()
        process.checks.goes_on.set()
        await process.dispatcher.until_idle()

    assert len(process.checks.checked) == POOL


async def test_a_beat_that_is_under_way_when_the_process_stops_hands_nothing_out(engine: Engine):
    await open_accounts(engine)
    stopping: list[Dispatcher] = []

    async def stop(step: str) -> None:
        if step == "read ends":
            for dispatcher in stopping:
                dispatcher.stop_claiming()

    process = Process(engine, on_step=stop)
    stopping.append(process.dispatcher)

    async with alive(process):
        await process.beat()

    assert process.checks.checked == []


async def test_a_stopped_process_forgets_queued_work_of_accounts_it_no_longer_owns(engine: Engine):
    await open_accounts(engine)
    process = Process(engine)
    await process.dispatcher.tick()  # handed out, and no worker there to take it
    await process.dispatcher.release()

    process.dispatcher.stop_claiming()
    await process.dispatcher.until_idle()

    assert process.checks.checked == []


async def test_accounts_let_go_are_taken_over_at_once(engine_on_both: Engine):
    [account] = await open_accounts(engine_on_both)
    process, other = Process(engine_on_both), Process(engine_on_both, owner="process-2")

    async with alive(process, other):
        await process.beat()
        process.dispatcher.stop_claiming()
        await process.dispatcher.until_idle()
        await process.dispatcher.release()
        await other.beat()

    assert [account_id for account_id, _ in other.checks.checked] == [account.id]


async def test_a_beat_that_is_late_at_the_end_claims_nothing_any_more(engine_on_both: Engine):
    [account] = await open_accounts(engine_on_both)
    process, other = Process(engine_on_both), Process(engine_on_both, owner="process-2")

    async with alive(process, other):
        await process.beat()
        await process.dispatcher.release()
        await process.beat()
        await other.beat()

    assert process.dispatcher.standing(account.id) is None
    assert other.dispatcher.standing(account.id) is not None


async def test_a_process_that_cannot_let_go_ends_all_the_same(engine: Engine):
    async def away(step: str) -> None:
        raise gone()

    process = Process(engine, on_step=away)

    await process.dispatcher.release()

    assert process.dispatcher.standing(AccountId(1)) is None


async def test_two_processes_share_the_accounts_and_never_check_one_together(
    postgres_url: str, clock: StillClock, exchange: FakeExchange
):
    async with (
        Database.open(postgres_url, clock=clock) as one,
        Database.open(postgres_url, clock=clock) as two,
    ):
        engine = Engine(one, clock, exchange, owner="nobody")
        opened = await open_accounts(engine, 10, interval=SECOND)
        a = Process(engine)
        b = Process(Engine(two, clock, exchange), owner="process-2")
        async with alive(a, b):
            for beat in range(12):
                if beat == 4:  # both let go and race for them again
                    await a.dispatcher.release()
                    await b.dispatcher.release()
                if beat == 8:
                    await engine.lease_runs_out()
                a.checks.goes_on.clear()
                b.checks.goes_on.clear()
                async with asyncio.TaskGroup() as beats:
                    beats.create_task(a.dispatcher.tick())
                    beats.create_task(b.dispatcher.tick())
                await a_moment()

                for account in opened:
                    assert a.checks.at_once[account.id] + b.checks.at_once[account.id] <= 1

                a.checks.goes_on.set()
                b.checks.goes_on.set()
                await a.dispatcher.until_idle()
                await b.dispatcher.until_idle()
                clock.shift(SECOND * 4)

        both = [*a.checks.checked, *b.checks.checked]
        assert {account_id for account_id, _ in both} == {account.id for account in opened}
        assert max(Counter(both).values()) == 1


async def test_two_processes_on_one_drift_send_one_order(
    postgres_url: str, clock: StillClock, exchange: FakeExchange
):
    """The old process stalls in the middle of its check, past its lease; the new one trades."""
    async with (
        Database.open(postgres_url, clock=clock) as one,
        Database.open(postgres_url, clock=clock) as two,
    ):
        old = Engine(one, clock, exchange)
        new = Engine(two, clock, exchange, owner="process-2")
        account = await old.open_account()

        async def stall() -> None:
            await old.lease_runs_out()
            process = Process(new, owner="process-2", checker=new.checker)
            async with alive(process):
                await process.beat()

        exchange.meanwhile("book", stall)
        await old.check(account)

    assert list(exchange.posts.values()) == [1]
    assert len(exchange.ledger) == 1


async def test_a_drift_is_traded_by_itself(
    engine: Engine, clock: StillClock, exchange: FakeExchange
):
    [account] = await open_accounts(engine)
    real = Engine(engine.database, clock, exchange, owner="process-1")
    process = Process(engine, checker=real.checker)

    async with alive(process):
        await process.beat()
        exchange.usdt += 20
        await process.beats(13, every=A_WHILE)

    assert exchange.calls["place"] == 2
    assert account.settings.fixed_goal.band.holds(exchange.usdt)
    assert await engine.told() == ["TradeSettled", "DepositTraded", "TradeSettled"]


async def test_an_unclear_order_is_looked_up_until_it_is_resolved(
    engine: Engine, clock: StillClock, exchange: FakeExchange
):
    await open_accounts(engine)
    exchange.go_wrong("place", OutcomeUnknown("timeout"))
    real = Engine(engine.database, clock, exchange, owner="process-1")
    process = Process(engine, checker=real.checker)

    async with alive(process):
        await process.beat()
        await process.beats(25)

    assert await engine.told() == ["OrderUnclear", "OrderNeverArrived", "TradeSettled"]
    assert set(exchange.posts.values()) == {1}


async def test_a_tap_that_a_pause_has_overtaken_is_answered_and_sends_nothing(
    engine: Engine, clock: StillClock, exchange: FakeExchange
):
    [account] = await open_accounts(engine)
    await engine.tap(account, expected_quote="17.10")
    await engine.change(account, paused=True)
    real = Engine(engine.database, clock, exchange, owner="process-1")
    process = Process(engine, checker=real.checker)

    async with alive(process):
        await process.beat()
        await process.beats(10)

    assert exchange.calls["place"] == 0
    assert len(await engine.alerts_of(RunDeclined)) == 1
    assert await engine.pending_taps() == []


async def test_what_a_former_life_planned_and_never_sent_is_over(engine: Engine):
    await open_accounts(engine, paused=True)
    async with engine.database.writing() as session:
        await orders.add(session, intent())
    process = Process(engine)

    async with alive(process):
        await process.beat()

    assert [order.state for order in await engine.intents()] == [OrderState.DROPPED]


def test_every_process_has_a_name_of_its_own():
    assert len({new_owner() for _ in range(100)}) == 100


async def test_a_row_that_cannot_be_read_costs_no_other_account_its_checks(engine: Engine):
    readable, broken = await open_accounts(engine, 2)
    async with engine.database.writing() as session:
        await session.execute(
            text("UPDATE accounts SET counting = 'from a newer release' WHERE id = :id"),
            {"id": broken.id},
        )
    process = Process(engine)

    async with alive(process):
        await process.beats(8, every=A_WHILE)
        checked = {account_id for account_id, _ in process.checks.checked}
        async with engine.database.writing() as session:
            await session.execute(
                text("UPDATE accounts SET counting = 'held' WHERE id = :id"), {"id": broken.id}
            )
        await process.beats(8, every=A_WHILE)

    assert checked == {readable.id}
    assert broken.id in {account_id for account_id, _ in process.checks.checked}
