"""The last gate before an order leaves, when somebody changes the account at the same moment."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.orders.order import Order, OrderState
from engine.storage.accounts import accounts
from engine.storage.database import Database
from engine.storage.trading import orders
from tests.builders import intent
from tests.engine.harness import Engine
from tests.fakes.clock import START
from tests.fakes.tasks import a_moment

OWNER = "process-1"


@pytest.fixture
async def account(engine_on_both: Engine) -> Account:
    """Owned, running, with an order written down."""
    account = await engine_on_both.open_account()
    async with engine_on_both.database.writing() as session:
        await orders.add(session, intent())
    return account


async def send(
    database: Database,
    session: AsyncSession,
    account: Account,
    wanted: Order | None = None,
    *,
    owner: str = OWNER,
) -> Order | None:
    await orders.hold_account(session, account.id)
    return await orders.start_sending(
        session,
        wanted or intent(),
        now=database.now(),
        owner=owner,
        margin=timedelta(seconds=20),
        account=account,
        sent_at=START,
    )


async def try_to_send(database: Database, account: Account) -> Order | None:
    async with database.writing() as session:
        return await send(database, session, account)


async def pause(database: Database, account: Account) -> bool:
    """As the pause of a person: whether an order had left already."""
    async with database.writing() as session:
        await accounts.change(session, account, paused=True)
        return await accounts.has_unresolved(session, account.id)


async def test_the_gate_opens_once(database: Database, account: Account):
    sending = await try_to_send(database, account)

    assert sending is not None
    assert (sending.state, sending.sent_at) == (OrderState.SENDING, START)
    assert await try_to_send(database, account) is None


async def test_an_order_that_was_never_written_down_does_not_leave(
    database: Database, account: Account
):
    async with database.writing() as session:
        assert await send(database, session, account, intent(run_id="run-2")) is None


async def test_nobody_but_the_owner_sends_whatever_the_fence(database: Database, account: Account):
    async with database.writing() as session:
        assert await send(database, session, account, owner="process-2") is None


async def test_an_order_of_a_paused_account_stays_in_even_if_it_was_planned_so(
    database: Database, account: Account
):
    async with database.writing() as session:
        paused = await accounts.change(session, account, paused=True)

        assert await send(database, session, paused) is None


async def test_an_order_in_the_way_is_noticed_by_the_gate_itself(
    database: Database, account: Account
):
    async with database.writing() as session:
        await orders.add(session, intent(run_id="run-2", state=OrderState.UNKNOWN))

    assert await try_to_send(database, account) is None
    async with database.reading() as session:
        assert await orders.get(session, intent().client_order_id) == intent()


async def test_a_pause_committed_while_the_gate_waits_for_it_keeps_the_order_in(
    database: Database, account: Account
):
    async with asyncio.TaskGroup() as tasks, database.writing() as session:
        await accounts.change(session, account, paused=True)
        gate = tasks.create_task(try_to_send(database, account))
        for _ in range(5):
            await a_moment()

        assert not gate.done()

    assert gate.result() is None


async def test_a_pause_that_comes_behind_the_gate_knows_of_the_order(
    database: Database, account: Account
):
    async with asyncio.TaskGroup() as tasks, database.writing() as session:
        sending = await send(database, session, account)
        pausing = tasks.create_task(pause(database, account))
        for _ in range(5):
            await a_moment()

        assert not pausing.done()

    assert sending is not None
    assert pausing.result() is True


async def test_no_order_leaves_while_a_wish_relies_on_there_being_none(
    database: Database, account: Account
):
    """Another key or another kind of money under an order would look it up in the wrong place."""
    async with asyncio.TaskGroup() as tasks, database.writing() as session:
        assert not await accounts.has_unresolved(session, account.id)

        gate = tasks.create_task(try_to_send(database, account))
        for _ in range(5):
            await a_moment()

        assert not gate.done()

        await accounts.change(session, account, dry_run=True)

    assert gate.result() is None


async def test_a_wish_that_relies_on_no_order_waits_for_the_gate(
    database: Database, account: Account
):
    async def unresolved() -> bool:
        async with database.writing() as session:
            return await accounts.has_unresolved(session, account.id)

    async with asyncio.TaskGroup() as tasks, database.writing() as session:
        await send(database, session, account)
        asking = tasks.create_task(unresolved())
        for _ in range(5):
            await a_moment()

        assert not asking.done()

    assert asking.result() is True


async def test_a_gate_that_is_rolled_back_has_sent_nothing(database: Database, account: Account):
    with pytest.raises(ZeroDivisionError):
        async with database.writing() as session:
            await send(database, session, account)
            raise ZeroDivisionError

    async with database.reading() as session:
        assert await orders.get(session, intent().client_order_id) == intent()
