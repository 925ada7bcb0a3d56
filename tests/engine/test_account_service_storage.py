"""Accounts in the database: one a chat, and every change a new version that its owner hears of."""

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.accounts.account import Account
from engine.domain.market.pairs import Side
from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.run_request import RunRequest
from engine.domain.targets.target import FixedUsdt
from engine.storage.accounts import accounts
from engine.storage.coordination import leases
from engine.storage.database import Database
from engine.storage.trading import run_requests
from tests import builders
from tests.builders import settings
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
        [duty] = await accounts.duties(session, [account_on_both.id])
        assert duty.request == tap("new")
        assert await run_requests.drop(session, account_on_both.id)
        assert not await run_requests.drop(session, account_on_both.id)
