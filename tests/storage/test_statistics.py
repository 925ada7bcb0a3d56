"""The census counts what an operator watches, the same on both databases."""

from datetime import timedelta

from sqlalchemy import update

from engine.domain.orders.order import AccountId, OrderState
from engine.storage.accounts import accounts
from engine.storage.database import Database
from engine.storage.maintenance import statistics
from engine.storage.maintenance.statistics import QueueBacklog
from engine.storage.models.queues import OutboxRow
from engine.storage.queues import inbox, outbox, queue
from engine.storage.queues.inbox import Sealed
from engine.storage.trading import orders
from tests.builders import intent, settings
from tests.fakes.clock import START

MINUTE = timedelta(minutes=1)
ANNA, BERT = AccountId(1), AccountId(2)


async def test_an_empty_database_has_nothing_to_count(database: Database):
    async with database.reading() as session:
        taken = await statistics.take(session, now=START)

    assert (taken.orders, taken.unresolved, taken.oldest_unresolved) == ({}, 0, None)
    assert taken.outbox == taken.inbox == QueueBacklog(waiting=0, put_off=0, oldest=None)


async def test_orders_are_counted_by_money_and_state(database: Database):
    async with database.writing() as session:
        for chat_id in (ANNA, BERT):
            await accounts.get_or_create(session, chat_id=chat_id, settings=settings(), now=START)
        for run, (account_id, state, dry_run) in enumerate(
            [
                (ANNA, OrderState.FILLED, False),
                (ANNA, OrderState.FILLED, False),
                (ANNA, OrderState.FILLED, True),
                (ANNA, OrderState.UNKNOWN, False),
                (BERT, OrderState.NEEDS_HUMAN, False),
            ]
        ):
            changes = {"account_id": account_id, "state": state, "dry_run": dry_run}
            await orders.add(
                session, intent(run_id=f"{run}", created_at=START + run * MINUTE, **changes)
            )
    async with database.reading() as session:
        taken = await statistics.take(session, now=START)

    assert taken.orders == {
        (False, OrderState.FILLED): 2,
        (True, OrderState.FILLED): 1,
        (False, OrderState.UNKNOWN): 1,
        (False, OrderState.NEEDS_HUMAN): 1,
    }
    assert taken.unresolved == 2
    assert taken.oldest_unresolved == START + 3 * MINUTE


async def test_what_waits_is_told_from_what_is_done_and_what_is_put_off(database: Database):
    async with database.writing() as session:
        for minute, (chat_id, text) in enumerate([(1, "done"), (2, "gone"), (3, "a"), (3, "b")]):
            at = START + minute * MINUTE
            await outbox.add(
                session, chat_id=chat_id, kind="note", payload=text, dedupe_key=text, now=at
            )
        await session.execute(
            update(OutboxRow).where(OutboxRow.chat_id == 1).values(done_at=START)
        )
        await session.execute(
            update(OutboxRow).where(OutboxRow.chat_id == 2).values(not_before=START + 60 * MINUTE)
        )
        await inbox.store(session, bot_id=1, updates=[Sealed(1, 1, "x")], now=START)
    async with database.reading() as session:
        taken = await statistics.take(session, now=START + 5 * MINUTE)
        waiting = await queue.waiting(session, OutboxRow)

    assert taken.outbox == QueueBacklog(waiting=2, put_off=1, oldest=START + 2 * MINUTE)
    assert taken.outbox.waiting + taken.outbox.put_off == waiting
    assert taken.inbox == QueueBacklog(waiting=1, put_off=0, oldest=START)
