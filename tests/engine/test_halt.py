"""A halt: every account at once, for good, until the owner lifts it."""

import asyncio
import secrets
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.accounts.halt import Halts
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Confirmation, Refusal, RefusalReason
from engine.domain.alerts.alerts import Halted, HaltLifted, RunDeclined, TradeSettled
from engine.domain.orders.order import OrderState
from engine.errors import OutcomeUnknown
from engine.scheduling.dispatcher import is_idle_duty
from engine.storage.accounts import accounts
from engine.storage.chat import confirmations
from engine.storage.coordination import leases
from engine.storage.database import Database
from engine.storage.models.accounts import AuditRow
from engine.storage.models.queues import OutboxRow
from engine.storage.serialization import to_json
from tests.builders import settings
from tests.engine.harness import CHAT, Engine
from tests.fakes.clock import START
from tests.fakes.exchange import FakeExchange
from tests.fakes.tasks import a_moment

D = Decimal
OTHER_CHAT, OWNER = 2002, 77


def halts_of(engine: Engine) -> Halts:
    return Halts(database=engine.database, clock=engine.clock)


async def halt(engine: Engine, *, chat_id: int = CHAT):
    return await halts_of(engine).halt(chat_id=chat_id, user_id=OWNER)


async def ask(engine: Engine, *, chat_id: int = CHAT) -> str:
    """The question whether the halt in force should be lifted."""
    waiting, now = await halts_of(engine).waiting(), engine.clock.now()
    question = Confirmation(
        id=secrets.token_hex(4),
        chat_id=chat_id,
        user_id=OWNER,
        kind="lift_halt",
        payload=to_json(waiting.halt) if waiting else "",
        asked_at=now,
        expires_at=now + timedelta(seconds=90),
    )
    async with engine.database.writing() as session:
        await confirmations.ask(session, question)
    return question.id


async def lift(engine: Engine, *, chat_id: int = CHAT, question: str = "") -> bool | Refusal:
    question = question or await ask(engine, chat_id=chat_id)
    return await halts_of(engine).lift(question, chat_id=chat_id, user_id=OWNER)


async def two_accounts(engine: Engine) -> tuple[Account, Account]:
    """One that runs, and another chat's that is paused."""
    engine.exchanges[OTHER_CHAT] = engine.exchanges[CHAT]
    return await engine.open_account(), await engine.open_account(OTHER_CHAT, paused=True)


async def told_to(engine: Engine, chat_id: int) -> list[str]:
    """The kinds of what waits for a chat."""
    async with engine.database.reading() as session:
        query = select(OutboxRow.kind).where(OutboxRow.chat_id == chat_id).order_by(OutboxRow.id)
        return list(await session.scalars(query))


async def audited(engine: Engine) -> list[str]:
    async with engine.database.reading() as session:
        return list(await session.scalars(select(AuditRow.action).order_by(AuditRow.id)))


async def test_a_halt_stops_every_account_and_leaves_its_settings_as_they_are(
    engine_on_both: Engine,
):
    running, paused = await two_accounts(engine_on_both)

    standstill = await halt(engine_on_both)

    assert (standstill.changed, standstill.under_way) == (True, ())
    assert (standstill.halt.user_id, standstill.halt.at) == (OWNER, START)
    for before in (running, paused):
        after = await engine_on_both.account(before)
        assert (after.halted, after.stopped) == (True, True)
        assert after.settings == before.settings
        assert after.version == before.version + 1
        assert is_idle_duty(await engine_on_both.duty(before))


async def test_the_other_chats_are_told_and_the_one_that_asked_has_its_answer(
    engine_on_both: Engine,
):
    await two_accounts(engine_on_both)

    await halt(engine_on_both)
    await lift(engine_on_both)

    assert await told_to(engine_on_both, CHAT) == []
    assert await told_to(engine_on_both, OTHER_CHAT) == ["halted", "halt_lifted"]
    assert await engine_on_both.alerts() == [
        Halted(dry_run=False),
        HaltLifted(dry_run=False, paused=True),
    ]


async def test_halting_and_lifting_twice_is_once(engine_on_both: Engine):
    running, _ = await two_accounts(engine_on_both)
    first = await halt(engine_on_both)
    halted = await engine_on_both.account(running)
    engine_on_both.clock.shift(timedelta(minutes=5))

    again = await halt(engine_on_both)
    unchanged = await engine_on_both.account(running)
    lifted = [await lift(engine_on_both), await lift(engine_on_both)]

    assert (again.changed, again.halt) == (False, first.halt)
    assert unchanged == halted
    assert lifted == [True, False]
    assert await told_to(engine_on_both, OTHER_CHAT) == ["halted", "halt_lifted"]
    assert await audited(engine_on_both) == ["halt", "lift the halt"]


async def test_a_tap_to_lift_counts_once_and_for_the_halt_it_was_about(engine_on_both: Engine):
    await two_accounts(engine_on_both)
    await halt(engine_on_both)
    first, second = await ask(engine_on_both), await ask(engine_on_both)
    lifted = await lift(engine_on_both, question=first)
    engine_on_both.clock.shift(timedelta(seconds=1))
    await halt(engine_on_both)

    again = await lift(engine_on_both, question=first)
    for_another = await lift(engine_on_both, question=second)

    assert lifted is True
    assert isinstance(again, Refusal)
    assert again.why is RefusalReason.USED
    assert for_another is False
    assert await halts_of(engine_on_both).waiting() is not None


async def test_what_a_halt_holds_up_is_counted(engine: Engine):
    await two_accounts(engine)

    assert await halts_of(engine).waiting() is None

    await halt(engine)
    waiting = await halts_of(engine).waiting()

    assert waiting is not None
    assert (waiting.accounts, waiting.trading, waiting.live) == (2, 1, 1)


async def test_each_of_two_halts_is_told(engine: Engine):
    await two_accounts(engine)
    for _ in range(2):
        await halt(engine)
        await lift(engine)

    assert await told_to(engine, OTHER_CHAT) == ["halted", "halt_lifted"] * 2


async def test_what_was_paused_stays_paused_and_what_ran_runs_again(
    engine_on_both: Engine, exchange: FakeExchange
):
    running, paused = await two_accounts(engine_on_both)
    await halt(engine_on_both)
    await lift(engine_on_both)

    after = await engine_on_both.account(running)
    await engine_on_both.check(after)

    assert not after.stopped
    assert (await engine_on_both.account(paused)).settings.paused
    assert len(exchange.tickets) == 1
    async with engine_on_both.database.reading() as session:
        calls = await leases.pending_events(
            session, owner=engine_on_both.owner, now=engine_on_both.database.now()
        )
    assert set(calls.woken) == {running.id, paused.id}


async def test_an_order_planned_before_the_halt_does_not_leave(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()

    async def the_owner_halts() -> None:
        await halt(engine)

    exchange.meanwhile("book", the_owner_halts)
    checked = await engine.check(account)

    assert checked.again_in == timedelta(seconds=1)
    assert [order.state for order in await engine.intents()] == [OrderState.DROPPED]
    assert not exchange.tickets


async def test_an_order_that_had_left_is_named_and_still_booked(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    exchange.go_wrong("place", OutcomeUnknown("timeout"), executes=True)
    await engine.check(account)

    standstill = await halt(engine, chat_id=OTHER_CHAT)
    await engine.wait(timedelta(seconds=15))
    waits = is_idle_duty(await engine.duty(account))
    await engine.check(account)

    [left] = standstill.under_way
    assert left.expected_quote == D("17.10")
    assert await engine.alerts_of(Halted) == [Halted(dry_run=False, expected_quote=D("17.10"))]
    assert not waits
    assert len(await engine.alerts_of(TradeSettled)) == 1
    assert is_idle_duty(await engine.duty(account))
    assert (await halt(engine)).under_way == ()


async def test_a_tap_that_waits_is_called_off_by_a_halt(engine_on_both: Engine):
    account = await engine_on_both.open_account()
    await engine_on_both.tap(account, expected_quote="17.10")

    await halt(engine_on_both)

    assert await engine_on_both.pending_taps() == []


async def test_a_tap_that_slips_in_behind_the_halt_is_answered_and_trades_nothing(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    await halt(engine)
    await engine.tap(account, expected_quote="17.10")

    await engine.check(account)

    assert len(await engine.alerts_of(RunDeclined)) == 1
    assert not exchange.tickets
    assert is_idle_duty(await engine.duty(account))


async def test_an_account_made_in_a_halt_is_halted_and_freed_with_the_others(
    engine_on_both: Engine,
):
    await halt(engine_on_both)
    account = await engine_on_both.open_account()

    assert account.halted

    await lift(engine_on_both)

    assert not (await engine_on_both.account(account)).halted


async def test_an_account_that_is_made_while_a_halt_begins_is_not_overlooked(
    database: Database, engine_on_both: Engine
):
    async with asyncio.TaskGroup() as tasks, database.writing() as session:
        await accounts.get_or_create(session, chat_id=CHAT, settings=settings(), now=START)
        halting = tasks.create_task(halt(engine_on_both, chat_id=OTHER_CHAT))
        for _ in range(5):
            await a_moment()

        assert not halting.done()

    assert halting.result().changed
    assert (await engine_on_both.only_account()).halted


@pytest.mark.parametrize("times", [2, 4])
async def test_halts_at_the_same_moment_are_one_halt(engine_on_both: Engine, times: int):
    await two_accounts(engine_on_both)

    async with asyncio.TaskGroup() as tasks:
        halting = [tasks.create_task(halt(engine_on_both)) for _ in range(times)]

    assert sorted(task.result().changed for task in halting) == [False] * (times - 1) + [True]
    assert await told_to(engine_on_both, OTHER_CHAT) == ["halted"]
    assert await audited(engine_on_both) == ["halt"]


async def test_a_halt_outlives_the_process(
    database: Database, engine_on_both: Engine, exchange: FakeExchange
):
    await engine_on_both.open_account()
    await halt(engine_on_both)
    await engine_on_both.lease_runs_out()
    next_life = Engine(database, engine_on_both.clock, exchange, owner="next-life")
    await next_life.claim()
    account = await next_life.only_account()

    assert account.halted
    assert is_idle_duty(await next_life.duty(account))
    assert (await halt(next_life)).changed is False
