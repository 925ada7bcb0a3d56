"""The fleet is told which accounts of this process are to have a stream, and which are not any more."""

from datetime import timedelta

import pytest

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.check_result import CheckFailed
from engine.storage.database import Database
from tests.engine.harness import Engine, StillClock
from tests.engine.test_dispatcher import Process, alive, open_accounts
from tests.engine.test_wake import DecidingChecker
from tests.fakes.exchange import FakeExchange


class RememberingFleet:
    """Remembers whom it was told of: the account and its fence, or that it is not wanted."""

    def __init__(self) -> None:
        self.told: list[tuple[AccountId, int | None]] = []

    def wanted(self, account: Account, *, fence: int) -> None:
        self.told.append((account.id, fence))

    def unwanted(self, account_id: AccountId) -> None:
        self.told.append((account_id, None))


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def engine(sqlite: Database, clock: StillClock, exchange: FakeExchange) -> Engine:
    return Engine(sqlite, clock, exchange, owner="nobody")


@pytest.fixture
def fleet() -> RememberingFleet:
    return RememberingFleet()


async def test_an_account_is_to_have_a_stream_from_the_first_check_that_worked(
    engine: Engine, fleet: RememberingFleet
):
    process = Process(engine, checker=(checker := DecidingChecker(engine)), fleet=fleet)
    async with alive(process):
        checker.verdict = CheckFailed(IncidentKind.UNREACHABLE, "")
        [account] = await open_accounts(engine)
        await process.beat()
        assert fleet.told == []

        checker.verdict = DecidingChecker.verdict
        await process.beats(4, every=timedelta(seconds=30))
        assert fleet.told == [(account.id, 2)]


async def test_an_account_with_nothing_to_do_has_no_stream(
    engine: Engine, fleet: RememberingFleet
):
    process = Process(engine, fleet=fleet)
    async with alive(process):
        [account] = await open_accounts(engine)
        await process.beat()
        await engine.change(account, paused=True)
        await process.beat()

    assert fleet.told == [(account.id, 2), (account.id, None)]


async def test_an_account_that_another_process_took_has_no_stream_here(
    engine: Engine, clock: StillClock, fleet: RememberingFleet
):
    process, other = Process(engine, fleet=fleet), Process(engine, owner="process-2")
    async with alive(process, other):
        [account] = await open_accounts(engine)
        await process.beat()
        await engine.lease_runs_out()
        await other.beat()
        clock.shift(timedelta(seconds=31))
        await process.beat()

    assert fleet.told == [(account.id, 2), (account.id, None)]


async def test_accounts_that_are_given_up_have_no_stream_here(
    engine: Engine, clock: StillClock, fleet: RememberingFleet
):
    process, other = Process(engine, fleet=fleet), Process(engine, owner="process-2")
    async with alive(process, other):
        await open_accounts(engine, 2)
        await process.beat()
        await other.beat()
        clock.shift(timedelta(seconds=31))
        await process.beat()

    assert [fence for _, fence in fleet.told].count(None) == 1
