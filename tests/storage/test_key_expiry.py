"""Keys are asked about once a day, by one process, and what is learned never meets another key."""

from datetime import datetime, timedelta

from engine.domain.accounts.account import Account
from engine.storage.accounts import accounts, key_expiry
from engine.storage.database import Database
from tests.builders import settings
from tests.fakes.clock import START

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
END = START + 30 * DAY


async def connected(database: Database, chat_id: int, *, at: datetime = START) -> Account:
    async with database.writing() as session:
        account = await accounts.get_or_create(
            session, chat_id=chat_id, settings=settings(), now=START
        )
        return await accounts.store_key(
            session,
            account,
            sealed_key=f"sealed-{chat_id}",
            key_tail="TAIL",
            key_print=str(chat_id),
            expires_at=END,
            checked_at=at,
        )


async def claimed(database: Database, now: datetime, *, most: int = 10) -> list[int]:
    async with database.writing() as session:
        found = await key_expiry.claim(session, asked_before=now - DAY, counts_as=now, most=most)
    return [account.chat_id for account in found]


async def any_due(database: Database, now: datetime) -> bool:
    async with database.reading() as session:
        return await key_expiry.any_due(session, asked_before=now - DAY)


async def test_each_key_is_asked_about_once_a_day_the_longest_unasked_first(database: Database):
    for number in range(3):
        await connected(database, number + 1, at=START + number * HOUR)
    async with database.writing() as session:
        await accounts.get_or_create(session, chat_id=9, settings=settings(), now=START)

    assert not await any_due(database, START + 23 * HOUR)
    assert await any_due(database, START + DAY)
    assert await claimed(database, START + 2 * DAY, most=2) == [1, 2]
    assert await claimed(database, START + 2 * DAY) == [3]
    assert await claimed(database, START + 2 * DAY) == []


async def test_asking_changes_nothing_that_a_plan_was_made_for(database: Database):
    before = await connected(database, 1)

    await claimed(database, START + DAY)
    async with database.writing() as session:
        assert await key_expiry.learn(session, before, expires_at=END + DAY, told=14)
        after = await accounts.get(session, before.id)

    assert after.version == before.version
    assert after.key_expires_at == END + DAY


async def test_what_is_learned_of_a_key_is_not_kept_for_its_successor(database: Database):
    old = await connected(database, 1)
    async with database.writing() as session:
        new = await accounts.store_key(
            session, old, sealed_key="new", key_tail="NEWS", key_print="new", expires_at=END
        )
        assert not await key_expiry.learn(session, old, expires_at=START, told=1)
        assert await key_expiry.told(session, old) is None
        assert (await accounts.get(session, new.id)).key_expires_at == END


async def test_a_forgotten_key_leaves_nothing_of_its_life(database: Database):
    account = await connected(database, 1)
    async with database.writing() as session:
        await key_expiry.learn(session, account, expires_at=START, told=1)
        gone = await accounts.forget_key(session, account)

    assert gone.key_expires_at is None
    assert not await any_due(database, START + 9 * DAY)
    assert await connected(database, 1) is not None
    async with database.reading() as session:
        again = await accounts.get(session, account.id)
        assert await key_expiry.told(session, again) is None


async def test_a_question_without_an_answer_is_asked_again_within_the_hour(database: Database):
    account = await connected(database, 1)
    now = START + DAY
    async with database.writing() as session:
        await key_expiry.claim(session, asked_before=START, counts_as=START + HOUR, most=1)

    assert not await any_due(database, now + HOUR - timedelta(minutes=1))
    assert await any_due(database, now + HOUR)
    async with database.writing() as session:
        await key_expiry.learn(session, account, expires_at=END, told=None, asked_at=now)
    assert not await any_due(database, now + HOUR)
