"""What is written for a row that is worked on, and what is not any more when its claim is lost."""

from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from engine.storage.coordination import key_values
from engine.storage.database import Database
from engine.storage.models.queues import OutboxRow
from engine.storage.queues import claims, outbox, queue
from engine.storage.queues.claims import ClaimLost, Work
from engine.storage.queues.queue import Claim
from tests.fakes.clock import START, FakeClock
from tests.fakes.database import statements

HOLD = timedelta(minutes=1)


async def claimed(db: Database, *, at: timedelta = timedelta()) -> Work:
    async with db.writing() as session:
        await outbox.add(session, chat_id=7, kind="note", payload="x", dedupe_key="x", now=START)
        (row,) = await queue.claim(session, OutboxRow, now=START + at, hold=HOLD, most=1)
    return Work(
        table=OutboxRow,
        held=Claim.of(row),
        rank=row.rank,
        is_suspect=False,
        on_aside=lambda: None,
    )


async def note(db: Database) -> str | None:
    async with db.reading() as session:
        return await key_values.get(session, "n")


async def write(db: Database, value: str) -> None:
    async with db.writing() as session:
        await key_values.put(session, "n", value)


async def test_what_is_written_for_a_claim_that_another_one_took_over_is_not_written(
    database: Database,
):
    frozen = await claimed(database)
    with claims.working_on(frozen):
        await write(database, "in time")
        await database.verify_claim()
    newer = await claimed(database, at=2 * HOLD)
    with claims.working_on(newer):
        await write(database, "newer")
    with claims.working_on(frozen):
        with pytest.raises(ClaimLost):
            await write(database, "late")
        with pytest.raises(ClaimLost):
            await database.verify_claim()

    assert await note(database) == "newer"


async def test_a_claim_that_was_just_seen_to_hold_is_not_looked_at_again_for_a_while(
    database: Database, clock: FakeClock
):
    second = timedelta(seconds=1)
    work = await claimed(database)
    with claims.working_on(work):
        with statements(database) as never_seen:
            await database.verify_claim(unless_within=second)
        await write(database, "seen")
        with statements(database) as just_seen:
            await database.verify_claim(unless_within=second)
        await claimed(database, at=2 * HOLD)
        with pytest.raises(ClaimLost):
            await database.verify_claim()
        clock.shift(second)
        with pytest.raises(ClaimLost):
            await database.verify_claim(unless_within=second)

    assert any("outbox" in statement for statement in never_seen)
    assert just_seen == []


async def test_a_row_that_is_done_has_no_claim_any_more(database: Database):
    work = await claimed(database)
    async with database.writing() as session:
        await queue.finish(session, OutboxRow, work.held, now=START)

    with claims.working_on(work), pytest.raises(ClaimLost):
        await write(database, "late")


async def test_without_a_claim_everything_is_written(database: Database):
    await write(database, "free")
    await database.verify_claim()
    await database.step_aside()

    assert (await note(database), claims.present()) == ("free", None)


async def test_nobody_takes_a_row_over_while_something_is_written_for_it(postgres_url, clock):
    """The lock ends with the transaction: there is no moment between the look and the commit."""
    async with (
        Database.open(postgres_url, clock=clock) as db,
        Database.open(postgres_url, clock=clock) as other,
    ):
        work = await claimed(db)
        async with AsyncExitStack() as transaction:
            with claims.working_on(work):
                await transaction.enter_async_context(db.writing())
            taken = await taken_over(other)
        afterwards = await taken_over(other)

    assert (taken, afterwards) == (0, 1)


async def taken_over(db: Database) -> int:
    async with db.writing() as session:
        rows = await queue.claim(session, OutboxRow, now=START + 2 * HOLD, hold=HOLD, most=1)
    return len(rows)
