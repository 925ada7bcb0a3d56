"""What another version has stored: it stops neither a check, nor a halt, nor another account."""

from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import update

from engine.domain.accounts.account import Account, Halt
from engine.domain.accounts.incidents import Incident, IncidentKind
from engine.domain.orders.order import AccountId
from engine.storage.accounts import accounts, check_inputs, halt, incidents
from engine.storage.coordination import key_values
from engine.storage.database import Database
from engine.storage.models.accounts import IncidentRow
from engine.storage.models.trading import CheckResultRow
from engine.storage.trading import check_results
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
        session.add(
            CheckResultRow(account_id=account.id, at=START, payload='{"verdict": "hindsight"}')
        )

    async with db.reading() as session:
        assert await check_results.get(session, account.id) is None


async def test_a_trouble_of_an_unknown_kind_is_a_trouble(db: Database):
    account = await an_account(db)
    async with db.writing() as session:
        trouble = Incident(
            kind=IncidentKind.CLOCK,
            detail="x",
            since=START,
            last_at=START,
            told_kinds=frozenset({IncidentKind.CLOCK}),
        )
        await incidents.put(session, account.id, trouble)
        await session.execute(update(IncidentRow).values(kind="flood", told_kinds="clock,flood"))

    async with db.reading() as session:
        [duty] = await check_inputs.duties(session, [AccountId(account.id)])

    assert duty.trouble is not None
    assert duty.trouble.kind is IncidentKind.INTERNAL
    assert duty.trouble.told_kinds == {IncidentKind.CLOCK}


async def test_a_halt_that_cannot_be_read_is_a_halt(db: Database):
    async with db.writing() as session:
        await key_values.put(session, key_values.HALT, '{"by": "a newer one"}')

    async with db.writing() as session:
        assert isinstance(await halt.settled(session), Halt)
        assert isinstance(await halt.in_force(session), Halt)
