"""A pause with an end: trading starts again by itself, or stays paused and the user is asked."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.accounts.account_service import AccountService
from engine.accounts.timed_pause import TimedPauses
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import TradingMode
from engine.domain.accounts.timed_pause import TimedPause, next_question
from engine.domain.alerts.pause_alerts import PauseEnded, ResumeAsked
from engine.domain.targets.target import FixedUsdt
from engine.errors import Unavailable
from engine.rebalancing.preview import Previews
from engine.storage.accounts import accounts, timed_pauses
from engine.storage.models.accounts import AuditRow
from tests.engine.harness import CHAT, Engine, nothing_known
from tests.fakes.clock import START
from tests.fakes.exchange import FakeExchange

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def service(engine: Engine) -> AccountService:
    unused: Any = None
    return AccountService(
        database=engine.database,
        clock=engine.clock,
        vault=unused,
        defaults=unused,
        key_check=unused,
        exchange_for=unused,
        open_paper=unused,
        paper_only=False,
    )


def pauses(engine: Engine) -> TimedPauses:
    previews = Previews(
        database=engine.database,
        clock=engine.clock,
        exchange_for=lambda account: engine.exchanges[account.chat_id],
        last_known=nothing_known,
    )
    return TimedPauses(database=engine.database, clock=engine.clock, foresee=previews.foresee)


async def pause(engine: Engine, length: timedelta | None = HOUR) -> None:
    ends_at = engine.clock.now() + length if length else None
    await service(engine).pause(CHAT, user_id=CHAT, ends_at=ends_at)


async def is_paused(engine: Engine, account: Account) -> bool:
    return (await engine.account(account)).settings.paused


async def waiting(engine: Engine, account: Account) -> TimedPause | None:
    async with engine.database.reading() as session:
        return await timed_pauses.get(session, account.id)


async def test_a_pause_ends_by_itself_at_its_time_with_a_message(engine_on_both: Engine):
    engine = engine_on_both
    account = await engine.open_account()
    engine.clock.shift(timedelta(microseconds=1234567))
    await pause(engine)
    engine.clock.shift(HOUR - MINUTE)
    await pauses(engine).round()

    assert await is_paused(engine, account)

    engine.clock.shift(MINUTE)
    # Two processes, at the same time.
    await asyncio.gather(pauses(engine).round(), pauses(engine).round())

    assert not await is_paused(engine, account)
    assert await waiting(engine, account) is None
    [told] = await engine.alerts()
    assert isinstance(told, PauseEnded)
    assert (told.paused, told.expected_quote) == (False, Decimal("17.10"))
    async with engine.database.reading() as session:
        last = (await session.get_one(AuditRow, 2)).detail
    assert last == "paused -> on"


async def test_with_a_big_first_order_it_stays_paused_and_asks_three_times(
    engine_on_both: Engine, exchange: FakeExchange
):
    engine = engine_on_both
    account = await engine.open_account()
    exchange.usdt = Decimal(940)
    await pause(engine)
    asked_after = []
    for minute in range(60, 60 * 24, 10):
        engine.clock.shift(START + minute * MINUTE - engine.clock.now())
        before = len(await engine.alerts())
        await pauses(engine).round()
        if len(await engine.alerts()) > before:
            asked_after.append(minute - 60)

    assert asked_after == [0, 60, 360]
    assert await is_paused(engine, account)
    told = await engine.alerts_of(ResumeAsked)
    assert [(one.expected_quote, one.changed, one.paused) for one in told] == [
        (Decimal(900), False, True)
    ] * 3
    assert [one.again_at is None for one in told] == [False, False, True]


async def test_once_asked_about_it_never_starts_by_itself(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account()
    exchange.usdt = Decimal(940)
    await pause(engine)
    engine.clock.shift(HOUR)
    await pauses(engine).round()
    exchange.usdt = Decimal(40)
    engine.clock.shift(HOUR)
    await pauses(engine).round()

    assert await is_paused(engine, account)


@pytest.mark.parametrize("user", ["pauses", "pauses for longer", "resumes", "connects"])
async def test_what_a_user_does_in_between_ends_it(engine_on_both: Engine, user: str):
    engine = engine_on_both
    account = await engine.open_account()
    await pause(engine)
    match user:
        case "pauses":
            await pause(engine, None)
        case "pauses for longer":
            await pause(engine, 2 * HOUR)
        case "resumes":
            await service(engine).resume(CHAT, user_id=CHAT)
        case _:
            async with engine.database.writing() as session:
                current = await accounts.get(session, account.id)
                await accounts.store_key(
                    session, current, sealed_key="new", key_tail="NEW1", key_print="new"
                )
    engine.clock.shift(HOUR)
    await pauses(engine).round()

    assert await is_paused(engine, account) is (user != "resumes")
    assert await engine.alerts() == []


async def test_a_pause_sent_while_the_end_is_worked_on_wins(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await pause(engine)
    engine.clock.shift(HOUR)

    async def typed() -> None:
        await pause(engine, None)

    exchange.meanwhile("holdings", typed)
    await pauses(engine).round()

    assert await is_paused(engine, account)
    assert await engine.alerts() == []


async def test_after_a_change_during_the_pause_it_asks(engine: Engine):
    account = await engine.open_account()
    await pause(engine)
    await engine.change(account, target=FixedUsdt(Decimal(41)))
    engine.clock.shift(HOUR)
    await pauses(engine).round()

    assert await is_paused(engine, account)
    [asked] = await engine.alerts_of(ResumeAsked)
    assert asked.changed


async def test_an_exchange_that_does_not_answer_is_tried_for_ten_minutes(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await pause(engine)
    engine.clock.shift(HOUR)
    exchange.go_wrong("holdings", Unavailable("away"), times=20)
    for _ in range(9):
        await pauses(engine).round()
        engine.clock.shift(MINUTE)

    assert await engine.alerts() == []

    exchange.forget_accidents("holdings")
    await pauses(engine).round()

    assert not await is_paused(engine, account)


async def test_without_knowing_the_first_order_it_asks(engine: Engine, exchange: FakeExchange):
    account = await engine.open_account()
    await pause(engine)
    exchange.go_wrong("holdings", Unavailable("away"), times=20)
    engine.clock.shift(HOUR + 10 * MINUTE)
    await pauses(engine).round()

    assert await is_paused(engine, account)
    [asked] = await engine.alerts_of(ResumeAsked)
    assert (asked.changed, asked.expected_quote) == (False, None)


async def test_a_chat_that_is_asked_before_each_order_starts_by_itself(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account(autonomy=TradingMode.ASK)
    exchange.usdt = Decimal(940)
    await pause(engine)
    engine.clock.shift(HOUR)
    await pauses(engine).round()

    assert not await is_paused(engine, account)


async def test_in_a_halt_nothing_ends_and_after_it_the_user_is_asked(engine: Engine):
    account = await engine.open_account()
    await pause(engine)
    async with engine.database.writing() as session:
        await accounts.halt_all(session, halted=True)
    engine.clock.shift(HOUR)
    await pauses(engine).round()

    assert await engine.alerts() == []

    async with engine.database.writing() as session:
        await accounts.halt_all(session, halted=False)
    engine.clock.shift(MINUTE)
    await pauses(engine).round()

    assert await is_paused(engine, account)
    assert len(await engine.alerts_of(ResumeAsked)) == 1


def test_the_question_comes_again_after_one_hour_and_after_six():
    first = START
    second = next_question(1, now=first)
    assert second == first + HOUR
    assert next_question(2, now=second) == first + 6 * HOUR
    assert next_question(3, now=first + 6 * HOUR) is None
