"""What a run over several tokens leaves behind, and who ends it, in the rare cases."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.alerts import RunDeclined
from engine.domain.execution.bound import ExecutionMode
from engine.domain.market.balances import Counting
from engine.domain.market.quotes import Quote
from engine.domain.portfolio.run import RunEnd
from engine.domain.rebalancing.check_result import AwaitingApproval
from engine.domain.rebalancing.run_request import WholePlan
from engine.storage.database import Database
from tests.engine.harness import Crash, Engine, Fuse
from tests.engine.portfolios import (
    ETH,
    an_exchange,
    open_basket,
    stored_runs,
    told_trades,
    whats_outside,
)
from tests.fakes.clock import FakeClock

D = Decimal


async def test_a_run_whose_end_was_not_stored_is_ended_and_told_when_the_next_begins(
    sqlite: Database, clock: FakeClock
):
    """Its process lives on, so nobody else takes the account over and ends it."""
    exchange = an_exchange(clock, btc=60)
    fuse = Fuse("commit 14")  # the end of the run, with its alert
    first = Engine(sqlite, clock, exchange, on_step=fuse)
    account = await open_basket(first)
    exchange.hear_steps(fuse)
    with pytest.raises((Crash, BaseExceptionGroup)):
        await first.check(account)
    exchange.hear_steps()
    engine = Engine(sqlite, clock, exchange)
    engine.fences |= first.fences
    [run] = await stored_runs(engine, account)
    before = await engine.told()
    await engine.wait(timedelta(minutes=1))
    exchange.others[ETH] += 200
    await engine.until_quiet(account)

    assert (run.end, before) == (None, [])
    ended, *others = await stored_runs(engine, account)
    assert (ended.end, ended.told) == (RunEnd.RESTARTED, True)
    assert {other.end for other in others} == {RunEnd.INSIDE}
    traded = [(leg.symbol, leg.execution.quote_amount) for leg in await engine.intents()]
    assert sorted((await told_trades(engine)).elements()) == sorted(traded)
    assert set(exchange.posts.values()) == {1}
    assert await whats_outside(account, exchange) == set()


async def test_a_tap_whose_account_is_changed_before_the_first_order_is_declined_once(
    sqlite: Database, clock: FakeClock
):
    exchange = an_exchange(clock, btc=60)
    engine = Engine(sqlite, clock, exchange)
    account = await open_basket(engine, autonomy=TradingMode.ASK)
    look = (await engine.check(account)).look
    offered = look.verdict
    assert isinstance(offered, AwaitingApproval)
    await engine.tap(
        account,
        side=offered.side,
        expected_quote=offered.expected_quote,
        plan=WholePlan(look.portfolio.plan.legs)
        if look.portfolio and look.portfolio.plan
        else None,
    )

    async def change() -> None:
        await engine.change(account, counting=Counting.FREE)

    exchange.meanwhile("book", change)
    await engine.check(account)

    assert exchange.tickets == []
    assert await engine.pending_taps() == []
    assert len(await engine.alerts_of(RunDeclined)) == 1
    assert [run.end for run in await stored_runs(engine, account)] == [RunEnd.STOPPED]


async def test_a_token_without_an_offer_goes_on_waiting_when_others_were_traded(
    sqlite: Database, clock: FakeClock
):
    exchange = an_exchange(clock, btc=60, eth=50)
    exchange.paper_market.others[ETH] = Quote(D("1.9"), D("2.1"))  # 5 % from the middle
    engine = Engine(sqlite, clock, exchange)
    account = await open_basket(engine, execution=ExecutionMode.AUTO)
    before = await engine.account(account)
    since = clock.now()
    await engine.check(account)
    first = await engine.account(account)
    await engine.wait(timedelta(minutes=2))
    await engine.check(account)

    assert {ticket.symbol for ticket in exchange.tickets} == {"BTCUSDT", "MNTLUSDT"}
    assert (before.outside_since, first.outside_since) == (None, since)
    assert (await engine.account(account)).outside_since == since
