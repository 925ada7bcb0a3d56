"""A backup goes into an empty database of either kind, whole, sealed and halted, or not at all."""

import io
from datetime import timedelta

import pytest

from engine.clock import Clock
from engine.domain.accounts.account import Account, Halt
from engine.domain.alerts.alerts import Halted, TradeSettled
from engine.domain.orders.order import OrderState
from engine.errors import DecryptionFailed, OutcomeUnknown
from engine.maintenance.backup import NotEmpty, back_up, examine, restore
from engine.maintenance.backup_file import Damaged
from engine.security.vault import Vault
from engine.storage import schema
from engine.storage.accounts import accounts, halt
from engine.storage.column_types import Base
from engine.storage.coordination import key_values, leader_leases, leases
from engine.storage.database import Database
from engine.storage.maintenance import table_dump
from tests.builders import settings
from tests.engine.harness import Engine
from tests.fakes.clock import START, FakeClock
from tests.fakes.exchange import FakeExchange
from tests.storage.snapshots import everything, fill
from tests.unit.test_vault import NEW_KEY, OLD_KEY

VAULT = Vault([NEW_KEY, OLD_KEY])


async def backed_up(database: Database, vault: Vault = VAULT) -> io.BytesIO:
    async with database.writing() as session:
        await key_values.put_first(session, key_values.VAULT_CANARY, VAULT.canary())
    file = io.BytesIO()
    await back_up(database, vault, file, version="1.2.3", now=START)
    file.seek(0)
    return file


async def restored(
    database: Database, file: io.BytesIO, clock: Clock, vault: Vault = VAULT
) -> None:
    about = examine(file, vault)
    file.seek(0)
    await restore(database, vault, file, about=about, clock=clock)


async def only_account(database: Database) -> Account:
    async with database.reading() as session:
        [account] = await accounts.every(session)
    return account


@pytest.fixture
def other_url(request: pytest.FixtureRequest, database_url: str) -> str:
    """Of a database of the other kind than `database`."""
    kind = "postgres_url" if database_url.startswith("sqlite") else "sqlite_url"
    url: str = request.getfixturevalue(kind)
    return url


async def test_a_move_keeps_orders_and_looks_an_unclear_one_up_before_anything_is_traded(
    database: Database, other_url: str, clock: FakeClock, exchange: FakeExchange
):
    async with Database.open(other_url, clock=clock) as old_database:
        old = Engine(old_database, clock, exchange, owner="old")
        account = await old.open_account()
        exchange.go_wrong("place", OutcomeUnknown("ReadTimeout"), executes=True)
        await old.check(account)
        held = await everything(old_database)
        file = await backed_up(old_database)

    await restored(database, file, clock)

    after = await everything(database)
    assert after["orders"] == held["orders"]
    new = Engine(database, clock, exchange, owner="new")
    await new.claim()
    halted = await only_account(database)
    assert halted.halted
    assert not halted.settings.paused
    exchange.usdt += 40
    await new.check(halted)
    await new.wait(timedelta(minutes=2))
    await new.check(halted)
    states = [intent.state for intent in await new.intents()]
    assert states[0] is OrderState.FILLED
    assert set(states[1:]) <= {OrderState.DROPPED}  # the gate lets none leave
    assert sum(exchange.posts.values()) == 1
    assert len(await new.alerts_of(TradeSettled)) == 1
    assert len(await new.alerts_of(Halted)) == 1


async def test_all_is_as_it_was_but_for_the_halt_and_what_a_process_had_in_hand(
    database: Database, other_url: str, clock: FakeClock
):
    async with Database.open(other_url, clock=clock) as old:
        await fill(old)
        async with old.writing() as session:
            await key_values.put(session, key_values.VAULT_CANARY, VAULT.canary())
            await halt.put(session, Halt(at=START, user_id=7))
            await leases.release_all(session)
            await leader_leases.vacate_all(session)
        held = await everything(old)
        del held["processes"]  # nobody of the old host's is alive here
        file = await backed_up(old)
    await fill(database)
    async with database.writing() as session:
        for table in ("accounts", "members"):
            for other in reversed(Base.metadata.sorted_tables):
                if any(key.column.table.name == table for key in other.foreign_keys):
                    await session.execute(other.delete())
            await session.execute(Base.metadata.tables[table].delete())

    await restored(database, file, clock)

    assert await everything(database) == held


async def test_nothing_is_restored_where_somebody_is(database: Database, clock: FakeClock):
    file = await backed_up(database)
    async with database.writing() as session:
        await accounts.get_or_create(session, chat_id=5, settings=settings(), now=START)
    before = await everything(database)

    with pytest.raises(NotEmpty):
        await restored(database, file, clock)

    assert await everything(database) == before


async def test_a_file_that_changes_after_it_was_examined_leaves_nothing_behind(
    database: Database, clock: FakeClock
):
    file = await backed_up(database)
    async with database.writing() as session:
        await table_dump.clear(session)
        await key_values.put(session, "there", "before")
    before = await everything(database)
    about = examine(file, VAULT)
    cut_off = io.BytesIO(file.getvalue()[:-20])

    with pytest.raises(Damaged):
        await restore(database, VAULT, cut_off, about=about, clock=clock)

    assert await everything(database) == before


async def test_a_backup_whose_secrets_need_another_key_is_refused(
    database: Database, clock: FakeClock
):
    async with database.writing() as session:
        await key_values.put(session, key_values.VAULT_CANARY, Vault([OLD_KEY]).canary())
    file = await backed_up(database)

    with pytest.raises(DecryptionFailed):
        await restored(database, file, clock, Vault([NEW_KEY]))

    file.seek(0)
    await restored(database, file, clock)


async def test_a_backup_says_what_it_is_of(database: Database):
    about = examine(await backed_up(database), VAULT)

    assert (about.version, about.schema, about.made_at) == ("1.2.3", schema.newest(), START)


async def test_what_happens_during_a_backup_is_not_in_it(database: Database):
    await fill(database)
    before = await everything(database)
    async with database.reading() as session:
        pages = table_dump.pages(session)
        first = await anext(pages)
        async with database.writing() as other:
            await key_values.put(other, "meanwhile", "")
        rest = [page async for page in pages]

    assert dict((first, *rest)) == before
