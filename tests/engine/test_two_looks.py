"""What two checks in a row must find outside, over a real database: written down, kept, confirmed."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from engine.domain.accounts.account import Account
from engine.domain.rebalancing.check_result import NoTrade, OrderPlaced
from engine.domain.rebalancing.planner import InsideBand
from engine.domain.targets.outside import Beyond
from engine.domain.targets.pacing import Pacing, SecondLook
from engine.domain.targets.timing import Schedule, When
from engine.storage.database import Database
from tests.engine.harness import Engine
from tests.engine.portfolios import BTC, ETH, an_exchange, open_basket
from tests.engine.test_checker import WRITES
from tests.fakes.clock import START, FakeClock
from tests.fakes.database import statements

D = Decimal
MINUTE = timedelta(minutes=1)


async def verdict(engine: Engine, account: Account) -> Any:
    return (await engine.check(account)).look.verdict


async def test_what_is_outside_is_traded_by_the_second_check_a_restart_between_them(
    database: Database, clock: FakeClock
):
    exchange = an_exchange(clock, btc=60)
    engine = Engine(database, clock, exchange)
    account = await open_basket(engine, twice=True)

    first = await engine.check(account)
    assert isinstance(first.look.verdict, NoTrade)
    assert isinstance(first.look.verdict.reason, SecondLook)
    assert first.again_in is None
    sighted = (await engine.account(account)).sighted
    assert sighted is not None
    assert sighted.outside[BTC] is Beyond.HIGH
    assert exchange.tickets == []
    assert await engine.told() == []

    await engine.wait(MINUTE)
    again = Engine(database, clock, exchange)
    again.fences = engine.fences
    assert isinstance(await verdict(again, account), OrderPlaced)
    await again.until_quiet(account)
    assert (await engine.account(account)).sighted is None
    with statements(database) as seen:
        assert await verdict(again, account) == NoTrade(InsideBand())
    assert not [one for one in seen if one.startswith(WRITES)]


async def test_what_was_outside_for_one_check_is_never_traded(sqlite: Database, clock: FakeClock):
    exchange = an_exchange(clock)
    engine = Engine(sqlite, clock, exchange)
    account = await open_basket(engine, twice=True)
    for quantity in (60, 30, 60, 30):
        exchange.others[BTC] = D(quantity)
        await engine.check(account)
        await engine.wait(MINUTE)
    exchange.others |= {BTC: D(30), ETH: D(160)}
    await engine.check(account)
    assert exchange.tickets == []


async def test_another_setting_begins_anew_and_a_tap_or_an_amount_does_not_wait(
    sqlite: Database, clock: FakeClock
):
    exchange = an_exchange(clock, btc=60)
    engine = Engine(sqlite, clock, exchange)
    account = await open_basket(engine, twice=True)
    await engine.check(account)
    account = await engine.change(account, interval=MINUTE)
    await engine.wait(MINUTE)
    assert isinstance((await verdict(engine, account)).reason, SecondLook)
    account = await engine.change(account, twice=False)
    assert isinstance(await verdict(engine, account), OrderPlaced)


async def test_a_set_time_waits_for_the_second_look_and_one_that_trades_always_does_not(
    sqlite: Database, clock: FakeClock
):
    exchange = an_exchange(clock, btc=60)
    engine = Engine(sqlite, clock, exchange)
    half_past = Schedule((START.hour * 60 + START.minute + 30,))
    pacing = Pacing(schedule=half_past, when=When.BOTH)
    account = await open_basket(engine, twice=True, pacing=pacing)
    await engine.check(account)
    await engine.wait(30 * MINUTE)
    first = await engine.check(account)
    assert isinstance(first.look.verdict, NoTrade)
    assert isinstance(first.look.verdict.reason, SecondLook)
    assert first.again_in == MINUTE
    assert (await engine.account(account)).slot_at == START
    await engine.wait(MINUTE)
    assert isinstance(await verdict(engine, account), OrderPlaced)
    assert (await engine.account(account)).slot_at == START + 30 * MINUTE
    await engine.until_quiet(account)

    exchange.others[BTC] *= 2
    always = replace(pacing, when=When.EITHER)
    account = await engine.change(account, pacing=always)
    await engine.check(account)
    await engine.wait(24 * 60 * MINUTE - MINUTE)
    assert isinstance(await verdict(engine, account), OrderPlaced)
