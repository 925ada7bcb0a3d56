"""A shared account where the database has to hold it together: a removal against what is under way."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.accounts.account_service import AccountService
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import RESUME, Confirmation, Refusal
from engine.domain.accounts.members import Role
from engine.domain.accounts.undeliverable import Undeliverable
from engine.domain.alerts.share_alerts import SharingBegun, SharingEnded
from engine.domain.orders.order import OrderState
from engine.domain.targets.target import FixedUsdt
from engine.errors import AccountShared
from engine.membership.sharing import MOST, LinkRefused, NewLink, Redeemed, Sharing
from engine.storage.accounts import accounts, shares, timed_pauses
from engine.storage.accounts.acting import ShareLost, acting_in
from engine.storage.chat import confirmations, undeliverable
from engine.storage.models.accounts import AuditRow, ShareRow
from engine.storage.statements import update
from engine.storage.trading import orders
from tests.builders import intent, settings
from tests.engine.harness import CHAT, Engine
from tests.fakes.clock import START
from tests.fakes.tasks import a_moment

ANNA, BEN = 2001, 2002
TAP = "tap-1"


def sharing_of(engine: Engine) -> Sharing:
    async def nobody(_: int) -> bool:
        return False

    return Sharing(database=engine.database, clock=engine.clock, is_bot_owner=nobody)


def service_of(engine: Engine) -> AccountService:
    nothing: Any = None
    return AccountService(
        database=engine.database,
        clock=engine.clock,
        vault=nothing,
        defaults=settings(),
        key_check=nothing,
        exchange_for=nothing,
        open_paper=nothing,
        paper_only=False,
    )


async def link(engine: Engine, role: Role = Role.TRADER) -> str:
    made = await sharing_of(engine).make_link(CHAT, user_id=CHAT, role=role)
    assert isinstance(made, NewLink)
    return made.code


async def redeem(engine: Engine, code: str, chat_id: int = ANNA) -> Redeemed | None:
    found = await sharing_of(engine).redeem(code, chat_id=chat_id, user_id=chat_id, name="Anna")
    return found.result if found else None


async def shared(engine: Engine, role: Role = Role.TRADER) -> Account:
    """Anna sees the account, which trades."""
    account = await engine.open_account()
    assert await redeem(engine, await link(engine, role)) is Redeemed.JOINED
    return account


async def asked(engine: Engine, chat_id: int, kind: str) -> None:
    async with engine.database.writing() as session:
        await confirmations.ask(
            session,
            Confirmation(
                id=TAP,
                chat_id=chat_id,
                user_id=chat_id,
                kind=kind,
                payload="",
                asked_at=START,
                expires_at=START + timedelta(days=1),
            ),
        )


async def test_an_order_that_a_removed_trader_asked_for_does_not_pass_the_gate(
    engine_on_both: Engine,
):
    engine = engine_on_both
    account = await shared(engine)
    await asked(engine, ANNA, "rebalance")
    await engine.tap(account, expected_quote="17.10", tap_id=TAP)
    async with engine.database.writing() as session:
        await orders.add(session, intent(run_id=TAP))

    await sharing_of(engine).remove(CHAT, ANNA, user_id=CHAT)

    async with engine.database.writing() as session:
        await orders.hold_account(session, account.id)
        sent = await orders.start_sending(
            session,
            intent(run_id=TAP),
            now=engine.database.now(),
            owner="process-1",
            margin=timedelta(seconds=20),
            account=account,
            sent_at=START,
        )
    assert sent is None
    assert await engine.pending_taps() == []
    assert [one.owner for one in await engine.alerts_of(SharingEnded)] == [""]


async def test_what_a_chat_did_not_hear_of_anothers_account_is_nothing_to_its_own(engine: Engine):
    await shared(engine)
    silent = Undeliverable(chat_id=ANNA, since=START, last_at=START, problem="blocked", gone=True)
    async with engine.database.writing() as session:
        await undeliverable.put(session, silent)

    await sharing_of(engine).leave(ANNA, user_id=ANNA)

    async with engine.database.reading() as session:
        assert await undeliverable.get(session, ANNA) is None


async def test_what_somebody_else_asked_for_stays_when_a_trader_is_removed(
    engine_on_both: Engine,
):
    engine = engine_on_both
    account = await shared(engine)
    await asked(engine, CHAT, "rebalance")
    await engine.tap(account, expected_quote="17.10", tap_id=TAP)

    await sharing_of(engine).remove(CHAT, ANNA, user_id=CHAT)
    await engine.until_quiet(account)

    assert [order.state for order in await engine.intents()] == [OrderState.FILLED]


async def test_a_removal_waits_for_a_change_under_way_and_comes_before_the_next(
    engine_on_both: Engine,
):
    engine = engine_on_both
    account = await shared(engine)
    async with engine.database.reading() as session:
        share = await shares.of_chat(session, ANNA)

    is_held = asyncio.Event()

    async def remove() -> None:
        await is_held.wait()
        await sharing_of(engine).remove(CHAT, ANNA, user_id=CHAT)

    async with asyncio.TaskGroup() as tasks:
        removal = tasks.create_task(remove())
        with acting_in(ANNA, share):
            async with engine.database.writing() as session:
                is_held.set()
                for _ in range(5):
                    await a_moment()
                is_done = removal.done()
                await accounts.change(session, account, target=FixedUsdt(Decimal(41)))
    with acting_in(ANNA, share), pytest.raises(ShareLost):
        await service_of(engine).change(account, user_id=ANNA, target=FixedUsdt(Decimal(42)))

    assert not is_done
    assert (await engine.account(account)).settings.fixed_goal.target == Decimal(41)


async def test_another_role_is_another_share_for_what_is_under_way(engine: Engine):
    account = await shared(engine)
    async with engine.database.reading() as session:
        share = await shares.of_chat(session, ANNA)
    async with engine.database.writing() as session:
        await session.execute(update(ShareRow).values(role=Role.VIEWER))

    with acting_in(ANNA, share), pytest.raises(ShareLost):
        await service_of(engine).resume(ANNA, user_id=ANNA)

    assert (await engine.account(account)).version == account.version


async def test_a_plan_of_ones_own_account_is_not_offered_once_another_one_is_seen(engine: Engine):
    """The chat's own account may be at the same version: its plan would be traded for real."""
    await shared(engine)

    with acting_in(ANNA, None), pytest.raises(ShareLost):
        await asked(engine, ANNA, "rebalance")


async def test_of_two_who_open_a_link_at_once_one_is_in(engine_on_both: Engine):
    engine = engine_on_both
    await engine.open_account()
    code = await link(engine)

    results = await asyncio.gather(redeem(engine, code, ANNA), redeem(engine, code, BEN))

    assert set(results) == {Redeemed.JOINED, Redeemed.USED}
    assert len(await sharing_of(engine).seen_by(CHAT)) == 1
    assert len(await engine.alerts_of(SharingBegun)) == 1


async def test_a_new_link_changes_the_role_and_the_same_again_nothing(engine: Engine):
    account = await shared(engine, Role.TRADER)
    await engine.tap(account, expected_quote="17.10", tap_id=TAP)

    demoted = await redeem(engine, await link(engine, Role.VIEWER))
    again = await redeem(engine, await link(engine, Role.VIEWER))

    assert (demoted, again) == (Redeemed.JOINED, Redeemed.ALREADY)
    assert [share.role for share in await sharing_of(engine).seen_by(CHAT)] == [Role.VIEWER]
    assert (await engine.account(account)).version > account.version


async def test_a_chat_with_a_key_is_refused_and_one_that_sees_another_takes_no_key(
    engine: Engine,
):
    await engine.open_account(BEN)
    await shared(engine)

    assert await redeem(engine, await link(engine), BEN) is Redeemed.OWN_KEY
    with pytest.raises(AccountShared):
        await service_of(engine).connect(ANNA, user_id=ANNA, api_key="k", api_secret="s")
    async with engine.database.reading() as session:
        assert await accounts.of_chat(session, ANNA) is None


async def test_a_pause_of_the_chats_own_account_does_not_end_while_it_sees_another(engine: Engine):
    await engine.open_account()
    own = await engine.open_account(ANNA, key=False, dry_run=True)
    ends_at = START + timedelta(hours=1)
    await service_of(engine).pause(ANNA, user_id=ANNA, ends_at=ends_at)

    await redeem(engine, await link(engine))

    async with engine.database.reading() as session:
        assert await timed_pauses.get(session, own.id) is None
    assert (await engine.account(own)).settings.paused


async def test_a_pause_closes_the_question_of_a_start_in_every_chat(engine: Engine):
    account = await shared(engine)
    await engine.change(account, paused=True)
    await asked(engine, ANNA, RESUME)

    await service_of(engine).pause(CHAT, user_id=CHAT)

    async with engine.database.reading() as session:
        found = await confirmations.find(
            session, TAP, chat_id=ANNA, user_id=ANNA, now=engine.clock.now()
        )
        assert set(await accounts.chats_with(session, ANNA)) == {CHAT, ANNA}
    assert isinstance(found, Refusal)


async def test_what_a_trader_changes_stands_in_the_owners_audit(engine: Engine):
    await shared(engine)
    await service_of(engine).pause(ANNA, user_id=ANNA)

    async with engine.database.reading() as session:
        rows = (await session.execute(AuditRow.__table__.select())).all()
    assert [(row.chat_id, row.user_id, row.action) for row in rows] == [
        (CHAT, CHAT, "share"),
        (CHAT, ANNA, "share_join"),
        (CHAT, ANNA, "trading"),
    ]


async def test_an_account_is_shown_in_eight_chats_at_most(engine: Engine):
    await engine.open_account()
    for number in range(MOST):
        code = await link(engine)
        if number % 2:
            await redeem(engine, code, ANNA + number)

    assert await sharing_of(engine).make_link(CHAT, user_id=CHAT, role=Role.VIEWER) is (
        LinkRefused.TOO_MANY
    )
