"""What a check believes of a balance: a rise at first sight, a fall at the second, and no odd row of
USDT or of the pair's token at all.
"""

import logging
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.low_balance import LowBalanceThreshold
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.deposit_alerts import BalanceChanged
from engine.domain.market.pairs import Side
from engine.domain.orders.order import Trigger
from engine.domain.rebalancing.check_result import (
    AwaitingSettlement,
    CheckFailed,
    NoTrade,
    OrderPlaced,
)
from engine.domain.rebalancing.planner import InsideBand
from engine.exchanges.mexc.exchange import MexcExchange
from engine.rebalancing.preview import Previews
from engine.storage.accounts import low_balance
from engine.storage.database import Database
from tests.builders import MNTL
from tests.engine.harness import CHAT, Engine, nothing_known
from tests.fakes.clock import FakeClock
from tests.fakes.exchange import FakeExchange
from tests.fakes.http import Reply
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_faults import Fault, json_reply

BALANCES = "/api/v3/account"
MINUTE = timedelta(minutes=1)


def answers_once(exchange: FakeExchange, *, usdt: str | int, mntl: str | int = 100_000) -> None:
    """The next reading says this, and the one after it the truth again."""
    truth = exchange.usdt, exchange.mntl

    async def odd() -> None:
        exchange.usdt, exchange.mntl = Decimal(usdt), Decimal(mntl)

    async def true_again() -> None:
        exchange.usdt, exchange.mntl = truth

    exchange.meanwhile("holdings", odd)
    exchange.meanwhile("holdings", true_again)


@pytest.fixture
def exchange(clock: FakeClock) -> FakeExchange:
    return FakeExchange(clock, usdt=40, mntl=100_000)


async def test_one_answer_without_usdt_is_no_reason_to_sell_and_both_are_remembered(
    engine: Engine, exchange: FakeExchange, clock: FakeClock
):
    account = await engine.open_account()
    await engine.check(account)
    answers_once(exchange, usdt=0)
    before = clock.now()

    checked = await engine.check(account)

    assert (clock.now() - before, exchange.calls["holdings"]) == (timedelta(seconds=3), 3)
    assert checked.look.verdict == NoTrade(InsideBand())
    assert checked.look.first is not None
    assert checked.look.seen is not None
    assert [checked.look.first.held, checked.look.seen.held] == [0, 40]
    assert exchange.tickets == []
    assert await engine.alerts() == []


async def test_the_check_after_an_odd_answer_is_a_quiet_one_again(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await engine.check(account)
    answers_once(exchange, usdt=0, mntl=0)
    await engine.check(account)

    checked = await engine.check(account)

    assert exchange.calls["holdings"] == 4
    assert checked.look.first is None


async def test_usdt_that_is_really_gone_is_sold_for_in_the_same_check_and_told(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await engine.check(account)
    exchange.usdt = Decimal(20)

    checked = await engine.check(account)

    assert isinstance(checked.look.verdict, OrderPlaced)
    assert checked.look.first is not None
    assert checked.look.first.held == 20
    assert [ticket.side for ticket in exchange.tickets] == [Side.SELL]
    [told] = await engine.alerts_of(BalanceChanged)
    assert [moved.change for moved in told.moved] == [-20]


async def test_a_rise_is_traded_at_first_sight(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account()
    await engine.check(account)
    exchange.usdt = Decimal(60)

    checked = await engine.check(account)

    assert exchange.calls["holdings"] == 3  # the third is the one after the fill
    assert checked.look.first is None
    assert [ticket.side for ticket in exchange.tickets] == [Side.BUY]


async def test_a_tap_a_card_and_a_low_mark_wait_for_the_second_sight_too(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account(autonomy=TradingMode.ASK)
    await engine.check(account)
    async with engine.database.writing() as session:
        await low_balance.put(
            session, account.id, LowBalanceThreshold(MNTL, below=Decimal(50_000))
        )
    answers_once(exchange, usdt=0, mntl=0)
    await engine.check(account)
    answers_once(exchange, usdt=0)
    await engine.tap(account, side=Side.SELL, expected_quote=40)
    tapped = await engine.check(account)

    assert tapped.look.trigger is Trigger.PERSON
    assert exchange.tickets == []
    assert await engine.told() == ["RunDeclined"]


async def test_a_token_that_one_answer_lacks_has_not_left(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account()
    await engine.check(account)
    answers_once(exchange, usdt=40, mntl=0)
    await engine.check(account)

    assert await engine.alerts() == []


async def test_answers_that_call_for_opposite_trades_are_bad_data(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await engine.check(account)
    exchange.usdt = Decimal(100)
    answers_once(exchange, usdt=0)

    checked = await engine.check(account)

    assert checked.look.verdict == CheckFailed(
        IncidentKind.BAD_DATA, "MEXC said 0 USDT, and 100 USDT a moment later"
    )
    assert exchange.tickets == []


async def test_a_low_balance_that_cannot_be_traded_is_read_once_a_check(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    exchange.usdt, exchange.mntl = Decimal(20), Decimal(1)
    await engine.check(account)
    await engine.check(account)

    assert exchange.calls["holdings"] == 3


async def test_a_second_reading_of_before_the_last_sale_is_not_sold_for_again(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    exchange.usdt = Decimal(20)
    await engine.check(account)
    assert len(exchange.tickets) == 1
    await engine.wait(MINUTE)
    # The first says that all is gone, the second is a copy from before the sale.
    exchange.meanwhile("holdings", lambda: _set(exchange, 0))
    exchange.meanwhile("holdings", lambda: _set(exchange, 20))

    checked = await engine.check(account)

    assert isinstance(checked.look.verdict, AwaitingSettlement)
    assert len(exchange.tickets) == 1


async def _set(exchange: FakeExchange, usdt: int) -> None:
    exchange.usdt = Decimal(usdt)


async def test_tokens_that_leave_right_after_they_were_bought_hold_up_nothing(
    engine: Engine, exchange: FakeExchange
):
    exchange.usdt = Decimal(60)
    account = await engine.open_account()
    await engine.check(account)
    exchange.mntl = Decimal(0)
    await engine.wait(timedelta(seconds=5))
    soon = await engine.check(account)
    await engine.wait(MINUTE)
    await engine.check(account)
    exchange.usdt += 30
    await engine.check(account)

    assert not isinstance(soon.look.verdict, AwaitingSettlement)
    told = await engine.alerts_of(BalanceChanged)
    assert [moved.asset for moved in told[0].moved] == ["MNTL"]
    assert [ticket.side for ticket in exchange.tickets] == [Side.BUY, Side.BUY]


async def test_a_token_that_is_booked_before_the_usdt_is_not_sold_twice_for_dust(
    engine: Engine, exchange: FakeExchange
):
    exchange.usdt = Decimal(20)
    account = await engine.open_account()
    truth: list[Decimal] = []

    async def usdt_is_late() -> None:
        truth.append(exchange.usdt)
        exchange.usdt = Decimal("20.02")

    for _ in range(2):
        exchange.meanwhile("holdings", _nothing)
    for _ in range(4):
        exchange.meanwhile("holdings", usdt_is_late)
    await engine.check(account)
    late = await engine.check(account)
    exchange.usdt = truth[0]
    await engine.wait(MINUTE)
    settled = await engine.check(account)

    assert isinstance(late.look.verdict, AwaitingSettlement)
    assert settled.look.verdict == NoTrade(InsideBand())
    assert len(exchange.tickets) == 1


async def _nothing() -> None:
    pass


async def test_a_plan_that_a_person_asks_for_is_not_made_from_one_odd_answer(
    engine: Engine, exchange: FakeExchange
):
    previews = Previews(
        database=engine.database,
        clock=engine.clock,
        exchange_for=lambda _: exchange,
        last_known=nothing_known,
    )
    account = await engine.open_account()
    await engine.check(account)
    answers_once(exchange, usdt=0, mntl=0)
    preview = await previews.preview(account)

    assert preview.seen.held == 40
    exchange.usdt = Decimal(0)  # it is really gone

    assert (await previews.preview(account)).seen.held == 0


PLAIN = [
    {"asset": "USDT", "free": "57.10", "locked": "0"},
    {"asset": "MNTL", "free": "100000", "locked": "0"},
]


def says(mexc: FakeMexc, *rows: dict[str, str], times: int = 1) -> None:
    mexc.inject(Fault("GET", BALANCES, reply=json_reply({"balances": rows}), times=times))


@pytest.fixture
def for_real(sqlite: Database, clock: FakeClock, at_mexc: MexcExchange) -> Engine:
    return Engine(sqlite, clock, {CHAT: at_mexc})


async def test_an_odd_row_of_another_asset_is_logged_once_and_left_out(
    for_real: Engine, mexc: FakeMexc, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.WARNING, "engine.rebalancing.balance_readings")
    account = await for_real.open_account(target="57.10")
    odd = {"asset": "OLDCOIN", "free": "1", "locked": "-0.0003"}
    says(mexc, *PLAIN, odd, times=3)
    looks = [(await for_real.check(account)).look for _ in range(3)]

    assert [look.verdict for look in looks] == [NoTrade(InsideBand())] * 3
    assert [record.message for record in caplog.records] == ["balance unreadable"]


async def test_usdt_that_is_listed_twice_stops_the_trade_and_is_named(
    for_real: Engine, mexc: FakeMexc
):
    account = await for_real.open_account()
    says(mexc, *PLAIN, {"asset": "USDT", "free": "0", "locked": "0"})

    checked = await for_real.check(account)

    assert checked.look.verdict == CheckFailed(
        IncidentKind.BAD_DATA, "MEXC lists USDT twice (57.1 and 0)"
    )
    assert mexc.order_posts == {}


@pytest.mark.parametrize(
    "answer",
    [
        b'{"code":"700002","msg":"Signature not valid","balances":[]}',
        b'{"balances":[],"balances":[{"asset":"USDT","free":"0","locked":"0"}]}',
        b'{"balances":null}',
        b"[]",
        b'{"balances":[{"asset":"usdt","free":"57.10","locked":"0"}]}',
        b'{"balances":[{"asset":"USDT ","free":"57.10","locked":"0"}]}',
        b'{"msg":"Internal error","balances":[]}',
    ],
    ids=["code", "doubled", "null", "a list", "small letters", "a blank", "a message"],
)
async def test_an_answer_that_is_no_account_makes_no_order_however_often_it_comes(
    for_real: Engine, mexc: FakeMexc, answer: bytes
):
    account = await for_real.open_account()
    mexc.inject(Fault("GET", BALANCES, reply=Reply(body=answer), times=None))
    for _ in range(2):
        checked = await for_real.check(account)

        assert isinstance(checked.look.verdict, CheckFailed)
    assert mexc.order_posts == {}
