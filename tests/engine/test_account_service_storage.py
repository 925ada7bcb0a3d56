"""Accounts in the database: one a chat, and every change a new version that its owner hears of."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import Incident, IncidentKind
from engine.domain.accounts.low_balance import LowBalanceThreshold
from engine.domain.market.pairs import USDT, Side
from engine.domain.orders.order import AccountId, OrderState
from engine.domain.rebalancing.check_input import CheckInput
from engine.domain.rebalancing.run_request import RunRequest
from engine.domain.targets.target import FixedUsdt
from engine.storage.accounts import accounts, check_inputs, incidents, low_balance
from engine.storage.coordination import leases
from engine.storage.database import Database
from engine.storage.trading import orders, run_requests
from tests import builders
from tests.builders import intent, settings
from tests.fakes.clock import START

NOBODY = builders.account(id=AccountId(404))


async def _opened(database: Database) -> Account:
    async with database.writing() as session:
        return await accounts.get_or_create(session, chat_id=1001, settings=settings(), now=START)


@pytest.fixture
async def account(sqlite: Database) -> Account:
    return await _opened(sqlite)


@pytest.fixture
async def account_on_both(database: Database) -> Account:
    return await _opened(database)


async def with_key(database: Database, account: Account, key_print: str = "print") -> Account:
    async with database.writing() as session:
        return await accounts.store_key(
            session, account, sealed_key="sealed", key_tail="BWC5", key_print=key_print
        )


async def test_a_chat_has_one_account_whatever_the_defaults_become(
    sqlite: Database, account: Account
):
    async with sqlite.writing() as session:
        again = await accounts.get_or_create(
            session, chat_id=1001, settings=settings(target=999), now=START
        )
        other = await accounts.get_or_create(session, chat_id=1002, settings=settings(), now=START)

        assert await accounts.of_chat(session, 1003) is None

    assert again == account
    assert (other.id, other.uuid) != (account.id, account.uuid)


async def test_a_change_writes_only_what_it_changes(database: Database, account_on_both: Account):
    """*account* may be old: two wishes that know nothing of each other both come true."""
    async with database.writing() as session:
        await accounts.change(session, account_on_both, target=FixedUsdt(Decimal(60)))
        after = await accounts.change(session, account_on_both, paused=True)

    assert (after.settings.fixed_goal.target, after.settings.paused) == (Decimal(60), True)
    assert after.version == account_on_both.version + 2


async def test_a_wish_that_changes_nothing_is_no_new_version(sqlite: Database, account: Account):
    async with sqlite.writing() as session:
        assert (
            await accounts.change(session, account, target=FixedUsdt(Decimal("40.0"))) is account
        )


async def test_a_change_wakes_the_owner(sqlite: Database, account: Account):
    async with sqlite.writing() as session:
        await leases.claim(session, owner="a", now=sqlite.now(), ttl=timedelta(seconds=90), most=9)
        await accounts.change(session, account, target=FixedUsdt(Decimal(60)))

    async with sqlite.reading() as session:
        assert (await leases.pending_events(session, owner="a", now=sqlite.now())).woken == [
            account.id
        ]


async def test_a_new_key_pauses_and_so_does_losing_it(sqlite: Database, account: Account):
    connected = await with_key(sqlite, account)

    assert connected.settings.paused
    assert (connected.sealed_key, connected.key_tail, connected.can_trade) == (
        "sealed",
        "BWC5",
        True,
    )

    async with sqlite.writing() as session:
        forgotten = await accounts.forget_key(session, connected)

    assert forgotten.settings.paused
    assert (forgotten.sealed_key, forgotten.can_trade) == (None, False)


async def test_one_key_serves_one_chat(sqlite: Database, account: Account):
    await with_key(sqlite, account)
    async with sqlite.writing() as session:
        other = await accounts.get_or_create(session, chat_id=1002, settings=settings(), now=START)

        assert await accounts.is_key_elsewhere(session, other, key_print="print")
        assert not await accounts.is_key_elsewhere(session, other, key_print="another")
        assert not await accounts.is_key_elsewhere(session, account, key_print="print")


async def test_an_account_can_move_to_another_chat(sqlite: Database, account: Account):
    async with sqlite.writing() as session:
        await accounts.move(session, account, chat_id=-100, sealed_key="resealed")

    async with sqlite.reading() as session:
        moved = await accounts.of_chat(session, -100)
        assert moved is not None
        assert (moved.id, moved.sealed_key) == (account.id, "resealed")
        assert await accounts.of_chat(session, 1001) is None


async def test_an_account_that_is_gone_cannot_be_changed(sqlite: Database):
    async with sqlite.writing() as session:
        with pytest.raises(LookupError):
            await accounts.change(session, NOBODY, paused=True)


async def test_a_newer_tap_replaces_an_older_one_and_is_dropped_by_name(
    database: Database, account_on_both: Account
):
    def tap(name: str) -> RunRequest:
        return RunRequest(name, Side.BUY, Decimal("17.10"), START)

    async with database.writing() as session:
        await run_requests.put(session, account_on_both.id, tap("old"))
        await run_requests.put(session, account_on_both.id, tap("new"))

        assert not await run_requests.drop(session, account_on_both.id, confirmation_id="old")
        [duty] = await check_inputs.duties(session, [account_on_both.id])
        assert duty.request == tap("new")
        assert await run_requests.drop(session, account_on_both.id)
        assert not await run_requests.drop(session, account_on_both.id)


async def test_each_check_gets_what_its_own_account_has(
    database: Database, account_on_both: Account
):
    trouble = Incident(IncidentKind.BAD_DATA, "odd", START, START)
    mark, tap = (
        LowBalanceThreshold(USDT, Decimal(5)),
        RunRequest("tap", Side.BUY, Decimal("17.10"), START),
    )
    async with database.writing() as session:
        low, asks, idle = [
            await accounts.get_or_create(session, chat_id=chat, settings=settings(), now=START)
            for chat in (1002, 1003, 1004)
        ]
        fill = intent(account_id=account_on_both.id, state=OrderState.FILLED)
        unclear = intent(account_id=asks.id, run_id="run-2", state=OrderState.UNKNOWN)
        await orders.add(session, fill)
        await orders.add(session, unclear)
        await low_balance.put(session, low.id, mark)
        await incidents.put(session, low.id, trouble)
        await run_requests.put(session, asks.id, tap)
        everyone = [account_on_both, low, asks, idle]
        duties = await check_inputs.duties(session, [one.id for one in everyone])

    by_account = {duty.account.id: duty for duty in duties}
    assert [by_account[one.id] for one in everyone] == [
        CheckInput(account=account_on_both, last_fill=fill),
        CheckInput(account=low, trouble=trouble, marks=(mark,)),
        CheckInput(account=asks, unresolved=unclear, request=tap),
        CheckInput(account=idle),
    ]


async def test_an_order_that_ends_while_a_check_s_input_is_read_is_its_last_fill(
    database: Database, account_on_both: Account, monkeypatch: pytest.MonkeyPatch
):
    unclear = intent(account_id=account_on_both.id, state=OrderState.UNKNOWN)
    unresolved_of = orders.unresolved_of

    async def after_it_ended(session: AsyncSession, ids: Sequence[AccountId]) -> Any:
        await orders.move(session, unclear, OrderState.FILLED)
        return await unresolved_of(session, ids)

    monkeypatch.setattr(orders, "unresolved_of", after_it_ended)
    async with database.writing() as session:
        await orders.add(session, unclear)
        [duty] = await check_inputs.duties(session, [account_on_both.id])

    assert duty.unresolved is None
    assert duty.last_fill is not None
    assert duty.last_fill.client_order_id == unclear.client_order_id
