"""What another version has stored: it stops neither a check, nor a halt, nor another account."""

from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import update

from engine.domain.accounts import Account, Halt
from engine.domain.orders import AccountId
from engine.domain.troubles import Trouble, TroubleKind
from engine.storage import accounts, halts, looks, notes, troubles
from engine.storage.database import Database
from engine.storage.models import LookRow, TroubleRow
from tests import builders
from tests.fakes.clock import START, FakeClock


@pytest.fixture
async def db(sqlite_url: str, clock: FakeClock) -> AsyncGenerator[Database]:
    async with Database.open(sqlite_url, clock=clock) as database:
        yield database


async def an_account(db: Database) -> Account:
    async with db.writing() as session:
        return await accounts.get_or_create(
            session, chat_id=7, settings=builders.settings(), now=START
        )


async def test_a_look_that_cannot_be_read_is_none(db: Database):
    account = await an_account(db)
    async with db.writing() as session:
        session.add(LookRow(account_id=account.id, at=START, payload='{"verdict": "hindsight"}'))

    async with db.reading() as session:
        assert await looks.get(session, account.id) is None


async def test_a_trouble_of_an_unknown_kind_is_a_trouble(db: Database):
    account = await an_account(db)
    async with db.writing() as session:
        trouble = Trouble(
            kind=TroubleKind.CLOCK,
            detail="x",
            since=START,
            last_at=START,
            told_kinds=frozenset({TroubleKind.CLOCK}),
        )
        await troubles.put(session, account.id, trouble)
        await session.execute(update(TroubleRow).values(kind="flood", told_kinds="clock,flood"))

    async with db.reading() as session:
        [duty] = await accounts.duties(session, [AccountId(account.id)])

    assert duty.trouble is not None
    assert duty.trouble.kind is TroubleKind.INTERNAL
    assert duty.trouble.told_kinds == {TroubleKind.CLOCK}


async def test_a_halt_that_cannot_be_read_is_a_halt(db: Database):
    async with db.writing() as session:
        await notes.put(session, notes.HALT, '{"by": "a newer one"}')

    async with db.writing() as session:
        assert isinstance(await halts.settled(session), Halt)
        assert isinstance(await halts.in_force(session), Halt)
