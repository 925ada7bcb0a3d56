"""What runs low is told once, in the check that sees it, and costs a check that holds nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.account import Account
from engine.domain.accounts.low_balance import LowBalanceThreshold
from engine.domain.alerts.alerts import LowBalanceOver, LowBalanceReached
from engine.domain.alerts.deposit_alerts import BalanceChanged
from engine.domain.market.pairs import USDT, Asset
from engine.storage.accounts import low_balance
from tests.builders import MNTL, MNTLUSDT
from tests.engine.harness import Crash, Engine, Fuse
from tests.fakes.database import statements
from tests.fakes.exchange import FakeExchange

D = Decimal


@pytest.fixture
def holding(exchange: FakeExchange) -> FakeExchange:
    """Inside its band, with 90,000 MNTL."""
    exchange.usdt, exchange.mntl = D(40), D(90_000)
    return exchange


async def mark(engine: Engine, account: Account, below: int | str, asset: Asset = MNTL) -> None:
    async with engine.database.writing() as session:
        await low_balance.put(session, account.id, LowBalanceThreshold(asset, D(below)))


async def marks_of(engine: Engine, account: Account) -> tuple[LowBalanceThreshold, ...]:
    async with engine.database.reading() as session:
        return (await low_balance.of_accounts(session, [account.id])).get(account.id, ())


async def check(engine: Engine, account: Account) -> None:
    await engine.check(account)
    await engine.wait(timedelta(minutes=2))


async def test_what_runs_low_is_told_once_and_so_is_its_end(
    engine_on_both: Engine, holding: FakeExchange
):
    engine = engine_on_both
    account = await engine.open_account()
    await mark(engine, account, 100_000)
    for held in (90_000, 80_000, 101_000, 99_000, 106_000, 107_000):
        holding.mntl = D(held)
        await check(engine, account)

    assert [a for a in await engine.alerts() if not isinstance(a, BalanceChanged)] == [
        LowBalanceReached(
            dry_run=False, symbol=MNTLUSDT, asset=MNTL, below=D(100_000), left=D(90_000)
        ),
        LowBalanceOver(dry_run=False, asset=MNTL, below=D(100_000), left=D(106_000)),
    ]
    assert await marks_of(engine, account) == (LowBalanceThreshold(MNTL, D(100_000)),)


async def test_a_check_that_holds_with_marks_asks_once_and_writes_nothing(
    engine_on_both: Engine, holding: FakeExchange
):
    engine = engine_on_both
    account = await engine.open_account()
    await mark(engine, account, 80_000)
    await mark(engine, account, 100_000, USDT)
    await check(engine, account)
    duty = await engine.duty(account)
    holding.calls.clear()

    with statements(engine.database) as seen:
        await engine.checker.check(duty, fence=1)

    assert dict(holding.calls) == {"holdings": 1}
    assert seen == []


async def test_two_that_know_the_same_mark_tell_it_once(engine: Engine, holding: FakeExchange):
    account = await engine.open_account()
    await mark(engine, account, 100_000)
    duty = await engine.duty(account)

    await engine.checker.check(duty, fence=1)
    await engine.checker.check(duty, fence=1)

    assert await engine.told() == ["LowBalanceReached"]


async def test_a_mark_that_was_set_anew_meanwhile_is_left_to_the_next_check(
    engine: Engine, holding: FakeExchange
):
    account = await engine.open_account()
    await mark(engine, account, 100_000)
    duty = await engine.duty(account)
    await mark(engine, account, 95_000)

    await engine.checker.check(duty, fence=1)

    assert await engine.told() == []

    await engine.check(account)

    assert await engine.told() == ["LowBalanceReached"]


async def test_a_balance_that_lacks_the_last_fill_tells_nothing(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await engine.check(account)
    await mark(engine, account, 200_000)
    exchange.usdt, exchange.mntl = D("57.10"), D(100_000)
    await engine.check(account)

    assert await engine.told() == ["TradeSettled"]


async def test_every_account_has_marks_of_its_own_in_as_many_statements_as_one(
    engine: Engine, holding: FakeExchange
):
    engine.exchanges[2] = holding
    first, second = await engine.open_account(), await engine.open_account(2)
    await mark(engine, first, 10)
    await mark(engine, second, 20)
    await mark(engine, second, 30, USDT)

    async with engine.database.reading() as session:
        found = await low_balance.of_accounts(session, [first.id, second.id])

    assert found[first.id] == (LowBalanceThreshold(MNTL, D(10)),)
    assert found[second.id] == (LowBalanceThreshold(MNTL, D(20)), LowBalanceThreshold(USDT, D(30)))


@pytest.mark.parametrize("step", ["write begins 1", "commit 1", "committed 1"])
async def test_killed_at_any_step_it_is_told_once(
    engine: Engine, holding: FakeExchange, step: str
):
    account = await engine.open_account()
    await mark(engine, account, 100_000)
    dying = Engine(engine.database, engine.clock, holding, on_step=Fuse(step))
    with pytest.raises(Crash):
        await dying.checker.check(await engine.duty(account), fence=1)

    await engine.check(account)

    assert await engine.told() == ["LowBalanceReached"]
