"""An account has one listen key at most, of the API key it trades with, whoever stores it."""

from dataclasses import replace
from datetime import timedelta

from engine.domain.accounts.account import Account
from engine.storage.accounts import accounts
from engine.storage.coordination import listen_keys
from engine.storage.coordination.listen_keys import StoredListenKey
from engine.storage.database import Database
from tests.builders import settings
from tests.fakes.clock import START

SECOND = timedelta(seconds=1)


async def connected(database: Database, *, sealed_key: str = "sealed") -> Account:
    async with database.writing() as session:
        account = await accounts.get_or_create(session, chat_id=1, settings=settings(), now=START)
        return await accounts.store_key(
            session, account, sealed_key=sealed_key, key_tail="TAIL", key_print="print"
        )


def a_key(number: int) -> StoredListenKey:
    at = START + number * SECOND
    return StoredListenKey(
        sealed=f"sealed {number}", key_print="print", created_at=at, extended_at=at
    )


async def put(
    database: Database, account: Account, number: int, *, instead_of: StoredListenKey | None = None
) -> StoredListenKey | None:
    async with database.writing() as session:
        return await listen_keys.put(session, account, a_key(number), instead_of=instead_of)


async def stored(database: Database, account: Account) -> StoredListenKey | None:
    async with database.reading() as session:
        return await listen_keys.get(session, account.id)


async def test_of_two_who_store_a_key_the_second_gets_the_first_ones(database: Database):
    account = await connected(database)

    assert await put(database, account, 1) == a_key(1)
    assert await put(database, account, 2) == a_key(1)
    assert await put(database, account, 3, instead_of=a_key(1)) == a_key(3)
    assert await put(database, account, 4, instead_of=a_key(1)) == a_key(3)
    assert await stored(database, account) == a_key(3)


async def test_no_key_is_stored_for_an_api_key_that_was_given_up_meanwhile(database: Database):
    before = await connected(database)
    account = await connected(database, sealed_key="another")
    assert await put(database, before, 1) is None
    async with database.writing() as session:
        on_paper = await accounts.change(session, account, dry_run=True)
    assert await put(database, account, 1) is None
    async with database.writing() as session:
        await accounts.change(session, on_paper, dry_run=False)
        gone = await accounts.forget_key(session, account)

    assert await put(database, account, 1) is None
    assert await stored(database, gone) is None


async def test_only_the_key_that_is_meant_is_extended_or_forgotten(database: Database):
    account = await connected(database)
    await put(database, account, 1)
    later = START + timedelta(minutes=30)

    async with database.writing() as session:
        assert not await listen_keys.extended(
            session, account.id, created_at=a_key(2).created_at, at=later
        )
        assert await listen_keys.extended(
            session, account.id, created_at=a_key(1).created_at, at=later
        )
        await listen_keys.forget(session, account.id, created_at=a_key(2).created_at)
    assert await stored(database, account) == replace(a_key(1), extended_at=later)
    async with database.writing() as session:
        await listen_keys.forget(session, account.id, created_at=a_key(1).created_at)
    assert await stored(database, account) is None
