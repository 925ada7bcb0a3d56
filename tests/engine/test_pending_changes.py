"""A tap that changes settings: once, only while all is as it was, and written into the trail."""

import asyncio
import secrets
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.accounts.account_service import Change
from engine.accounts.pending_changes import PendingChanges, StaleChange
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Confirmation, Refusal, RefusalReason
from engine.domain.accounts.risk_limits import Limits
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.market.pairs import Symbol
from engine.domain.rebalancing.pending_change import PendingChange
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import FixedUsdt
from engine.errors import OrderUnresolved, OutcomeUnknown
from engine.storage.chat import confirmations
from engine.storage.models.accounts import AuditRow
from engine.storage.serialization import to_json
from tests.engine.harness import CHAT, Engine
from tests.fakes.exchange import FakeExchange

D = Decimal
PERSON = 77


async def offered(engine: Engine, proposal: PendingChange) -> str:
    now = engine.clock.now()
    question = Confirmation(
        id=secrets.token_hex(4),
        chat_id=CHAT,
        user_id=PERSON,
        kind="undo",
        payload=to_json(proposal),
        asked_at=now,
        expires_at=now + timedelta(seconds=60),
    )
    async with engine.database.writing() as session:
        await confirmations.ask(session, question)
    return question.id


async def tapped(engine: Engine, question: str) -> Change | StaleChange | Refusal:
    changes = PendingChanges(database=engine.database, clock=engine.clock)
    return await changes.carry_out(question, chat_id=CHAT, user_id=PERSON, action="undo")


async def audited(engine: Engine) -> list[str]:
    async with engine.database.reading() as session:
        return list(await session.scalars(select(AuditRow.detail).order_by(AuditRow.id)))


def a_target(account: Account, target: int) -> PendingChange:
    return PendingChange(
        wanted=SettingsPatch(target=FixedUsdt(D(target))),
        found=SettingsPatch(target=FixedUsdt(account.settings.fixed_goal.target)),
    )


async def test_of_two_taps_at_once_one_counts(engine_on_both: Engine):
    account = await engine_on_both.open_account()
    question = await offered(engine_on_both, a_target(account, 50))

    async with asyncio.TaskGroup() as tasks:
        taps = [tasks.create_task(tapped(engine_on_both, question)) for _ in range(2)]
    done = [tap.result() for tap in taps]

    assert sum(isinstance(one, Change) for one in done) == 1
    assert [one.why for one in done if isinstance(one, Refusal)] == [RefusalReason.USED]
    assert (await engine_on_both.account(account)).settings.fixed_goal.target == D(50)
    assert await audited(engine_on_both) == ["target 40 USDT -> 50 USDT"]


async def test_of_two_people_at_once_the_second_finds_it_changed(engine_on_both: Engine):
    account = await engine_on_both.open_account()
    questions = [await offered(engine_on_both, a_target(account, to)) for to in (50, 60)]

    async with asyncio.TaskGroup() as tasks:
        taps = [tasks.create_task(tapped(engine_on_both, question)) for question in questions]
    done = [tap.result() for tap in taps]

    assert sum(isinstance(one, Change) for one in done) == 1
    assert sum(isinstance(one, StaleChange) for one in done) == 1
    assert len(await audited(engine_on_both)) == 1


async def test_a_change_wakes_the_account_under_a_new_version(engine: Engine):
    account = await engine.open_account()
    proposal = PendingChange(
        wanted=SettingsPatch(
            target=FixedUsdt(D(50)),
            threshold=Threshold(relative=D("0.1")),
            interval_s=90,
            limits=Limits(order=D(500)),
        ),
        found=SettingsPatch.of(account),
        version=account.version,
    )

    done = await tapped(engine, await offered(engine, proposal))
    after = await engine.account(account)

    assert isinstance(done, Change)
    assert done.after == after
    assert after.version > account.version
    assert after.settings.interval == timedelta(seconds=90)
    assert after.limits == Limits(order=D(500))
    assert (await audited(engine))[0] == (
        "target 40 USDT -> 50 USDT, threshold 5% -> 10%, interval 120 s -> 90 s, "
        "limit order auto -> 500 USDT"
    )


async def test_where_a_version_is_given_any_change_is_one_too_many(engine: Engine):
    account = await engine.open_account()
    proposal = PendingChange(
        wanted=SettingsPatch(target=FixedUsdt(D(50))),
        found=SettingsPatch(),
        version=account.version,
    )
    question = await offered(engine, proposal)
    await engine.change(account, paused=True)

    done = await tapped(engine, question)

    assert isinstance(done, StaleChange)
    assert done.account.settings.paused
    assert done.account.settings.fixed_goal.target == D(40)
    assert await audited(engine) == []


@pytest.mark.parametrize(
    "wanted", [SettingsPatch(symbol=Symbol("ABCUSDT")), SettingsPatch(dry_run=True)]
)
async def test_another_pair_or_kind_of_money_waits_for_an_unclear_order(
    engine: Engine, exchange: FakeExchange, wanted: SettingsPatch
):
    account = await engine.open_account()
    exchange.go_wrong("place", OutcomeUnknown("timeout"), executes=True)
    await engine.check(account)
    question = await offered(engine, PendingChange(wanted=wanted, found=SettingsPatch()))

    with pytest.raises(OrderUnresolved):
        await tapped(engine, question)

    assert await engine.account(account) == account
    await engine.wait(timedelta(seconds=15))
    await engine.check(account)
    assert isinstance(await tapped(engine, question), Change)


async def test_another_pair_calls_a_confirmed_run_off(engine: Engine):
    account = await engine.open_account()
    await engine.tap(account, expected_quote="17.10")
    proposal = PendingChange(wanted=SettingsPatch(symbol=Symbol("ABCUSDT")), found=SettingsPatch())

    await tapped(engine, await offered(engine, proposal))

    assert await engine.pending_taps() == []


async def test_a_target_may_change_while_an_order_is_unclear(
    engine: Engine, exchange: FakeExchange
):
    account = await engine.open_account()
    exchange.go_wrong("place", OutcomeUnknown("timeout"), executes=True)
    await engine.check(account)

    done = await tapped(engine, await offered(engine, a_target(account, 50)))

    assert isinstance(done, Change)
