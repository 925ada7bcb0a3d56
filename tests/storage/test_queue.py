"""The two queues' tables: what is stored once, who gets which row, and what is given back."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Insert, select, text

from engine.domain.alerts.alerts import OrderUnclear
from engine.domain.market.pairs import Side, Symbol
from engine.notifications.publish import publish
from engine.storage.database import Database
from engine.storage.models import queues
from engine.storage.models.queues import InboxRow, OutboxRow
from engine.storage.queues import inbox, outbox, queue
from engine.storage.queues.inbox import Sealed
from engine.storage.queues.queue import Claim
from engine.storage.serialization import alert_from_json
from tests.fakes.clock import START

ANNA, BERT, CARL = 7, 8, 9
BOT = 1234567890
HOLD = timedelta(minutes=1)


@pytest.fixture
def db(database: Database) -> Database:
    return database


async def add(db: Database, chat_id: int, payload: str, *, rank: int = queues.NORMAL) -> bool:
    async with db.writing() as session:
        return await outbox.add(
            session,
            chat_id=chat_id,
            kind="note",
            payload=payload,
            dedupe_key=payload,
            now=START,
            rank=rank,
        )


async def claim(db: Database, *, at: timedelta = timedelta(), most: int = 10) -> list[OutboxRow]:
    async with db.writing() as session:
        return list(await queue.claim(session, OutboxRow, now=START + at, hold=HOLD, most=most))


async def payloads(db: Database, *, at: timedelta = timedelta(), most: int = 10) -> list[str]:
    return [row.payload for row in await claim(db, at=at, most=most)]


async def test_how_a_row_is_added_is_compiled_for_the_first_one_only(
    db: Database, monkeypatch: pytest.MonkeyPatch
):
    await add(db, ANNA, "first")
    compiled: list[str] = []
    compile_really = Insert._compiler

    def note(statement: Insert, *args: Any, **kwargs: Any) -> Any:
        compiled.append(statement.table.description)
        return compile_really(statement, *args, **kwargs)

    monkeypatch.setattr(Insert, "_compiler", note)

    assert await add(db, ANNA, "second")
    assert compiled == []


async def test_the_oldest_row_of_each_chat_is_claimed_and_nothing_overtakes_it(db: Database):
    for chat_id, payload in ((ANNA, "a1"), (ANNA, "a2"), (BERT, "b1")):
        await add(db, chat_id, payload)

    first, second = await payloads(db), await payloads(db)

    assert (first, second) == (["a1", "b1"], [])


async def test_no_more_rows_are_claimed_than_asked_for(db: Database):
    await add(db, ANNA, "a1")
    await add(db, BERT, "b1")

    assert await payloads(db, most=0) == []
    assert await payloads(db, most=1) == ["a1"]


async def test_of_two_processes_that_store_and_claim_at_once_one_gets_the_chat(db: Database):
    async def stored_and_claimed(update_id: int, *, other: asyncio.Task[int] | None = None) -> int:
        async with db.writing() as session:
            updates = [Sealed(update_id, ANNA, "sealed")]
            await inbox.store(session, bot_id=BOT, updates=updates, now=START)
            claimed = await queue.claim(session, InboxRow, now=START, hold=HOLD, most=10)
            if other is not None:
                await asyncio.wait({other}, timeout=0.1)  # the other one may try meanwhile
        return len(claimed)

    async with asyncio.TaskGroup() as tasks:
        second = tasks.create_task(stored_and_claimed(2))
        first = tasks.create_task(stored_and_claimed(1, other=second))

    assert first.result() + second.result() == 1


async def test_a_finished_row_makes_way_for_the_next_one(db: Database):
    await add(db, ANNA, "a1")
    await add(db, ANNA, "a2")
    (row,) = await claim(db)
    async with db.writing() as session:
        await queue.finish(session, OutboxRow, Claim.of(row), now=START, message_id=5)

    assert await payloads(db) == ["a2"]


async def test_a_postponed_row_keeps_its_place_until_its_time(db: Database):
    await add(db, ANNA, "a1")
    await add(db, ANNA, "a2")
    (row,) = await claim(db)
    async with db.writing() as session:
        await queue.postpone(
            session, OutboxRow, Claim.of(row), until=START + timedelta(seconds=9), failure="busy"
        )

    assert await payloads(db, at=timedelta(seconds=8)) == []
    assert await payloads(db, at=timedelta(seconds=9)) == ["a1"]


async def test_a_claim_runs_out_unless_it_is_renewed(db: Database):
    await add(db, ANNA, "a1")
    await add(db, BERT, "b1")
    anna, _ = await claim(db)
    async with db.writing() as session:
        await queue.renew(session, OutboxRow, {Claim.of(anna)}, until=START + 3 * HOLD)

    assert await payloads(db, at=2 * HOLD) == ["b1"]


async def test_a_row_that_was_given_back_is_not_claimed_again_by_renewing(db: Database):
    await add(db, ANNA, "a1")
    (row,) = await claim(db)
    async with db.writing() as session:
        await queue.postpone(session, OutboxRow, Claim.of(row), until=START, failure=None)
        await queue.renew(session, OutboxRow, {Claim.of(row)}, until=START + HOLD)

    assert await payloads(db) == ["a1"]


async def test_a_start_of_the_only_process_frees_what_its_former_life_had_claimed(db: Database):
    await add(db, ANNA, "a1")
    await claim(db)
    async with db.writing() as session:
        await queue.release_all(session, OutboxRow)

    (row,) = await claim(db)

    assert row.attempts == 2


async def test_what_a_dead_process_had_in_hand_has_no_outcome_whatever_an_earlier_try_had(
    db: Database,
):
    await add(db, ANNA, "a1")
    (row,) = await claim(db)
    async with db.writing() as session:
        await queue.postpone(session, OutboxRow, Claim.of(row), until=START, failure="blocked")
    (given_back,) = await claim(db)
    (lapsed,) = await claim(db, at=2 * HOLD)
    async with db.writing() as session:
        await queue.postpone(session, OutboxRow, Claim.of(row), until=START, failure="blocked")
    await claim(db, at=2 * HOLD)
    async with db.writing() as session:
        await queue.release_all(session, OutboxRow)
    (released,) = await claim(db, at=2 * HOLD)

    assert (given_back.failure, lapsed.failure, released.failure) == ("blocked", None, None)


async def test_a_row_that_another_process_finished_is_not_postponed(db: Database):
    await add(db, ANNA, "a1")
    (row,) = await claim(db)
    async with db.writing() as session:
        await queue.finish(session, OutboxRow, Claim.of(row), now=START)
        await queue.postpone(session, OutboxRow, Claim.of(row), until=START, failure="slowed down")
    async with db.reading() as session:
        after = await session.get_one(OutboxRow, row.id)

    assert (after.done_at, after.failure) == (START, None)


async def test_a_lower_rank_is_handed_out_first_in_its_chat_and_over_all_chats(db: Database):
    for chat_id, payload, rank in (
        (ANNA, "a1", queues.LAST),
        (BERT, "b1", queues.NORMAL),
        (ANNA, "a2", queues.NORMAL),
        (CARL, "c1", queues.FIRST),
        (ANNA, "a3", queues.NORMAL),
    ):
        await add(db, chat_id, payload, rank=rank)

    assert await payloads(db, most=2) == ["c1", "b1"]
    (first,) = await claim(db)
    async with db.writing() as session:
        await queue.finish(session, OutboxRow, Claim.of(first), now=START)
    (second,) = await claim(db)

    assert (first.payload, second.payload) == ("a2", "a3")


async def test_only_the_first_rank_is_handed_out_beside_a_row_in_work(db: Database):
    await add(db, ANNA, "slow", rank=queues.LAST)
    await claim(db)
    await add(db, ANNA, "sooner", rank=queues.NORMAL)
    await add(db, ANNA, "first", rank=queues.FIRST)
    await add(db, ANNA, "also first", rank=queues.FIRST)

    assert [await payloads(db), await payloads(db)] == [["first"], []]


async def test_a_row_that_stepped_aside_keeps_its_chat_waiting_no_longer(db: Database):
    await add(db, ANNA, "slow")
    await add(db, ANNA, "next")
    (slow,) = await claim(db)
    async with db.writing() as session:
        stepped = await queue.step_aside(session, OutboxRow, Claim.of(slow))
        missed = await queue.step_aside(session, OutboxRow, Claim(slow.id, fence=7))

    assert (stepped, missed) == (True, False)
    assert [await payloads(db), await payloads(db)] == [["next"], []]


async def test_only_ranks_up_to_the_lowest_wanted_are_handed_out(db: Database):
    await add(db, ANNA, "a1", rank=queues.FIRST)
    await add(db, BERT, "b1", rank=queues.LAST)
    async with db.writing() as session:
        rows = await queue.claim(
            session, OutboxRow, now=START, hold=HOLD, most=10, lowest=queues.NORMAL
        )

    assert [row.payload for row in rows] == ["a1"]


async def test_a_claim_that_another_one_took_over_changes_nothing_any_more(db: Database):
    await add(db, ANNA, "a1")
    (row,) = await claim(db)
    frozen = Claim.of(row)
    (taken_over,) = await claim(db, at=2 * HOLD)
    async with db.writing() as session:
        await queue.renew(session, OutboxRow, {frozen}, until=START + 9 * HOLD)
        finished = await queue.finish(session, OutboxRow, frozen, now=START)
        postponed = await queue.postpone(
            session, OutboxRow, frozen, until=START + 9 * HOLD, failure="late"
        )
        held = [
            await queue.is_held(session, OutboxRow, one) for one in (frozen, Claim.of(taken_over))
        ]
    async with db.reading() as session:
        after = await session.get_one(OutboxRow, row.id)

    assert (finished, postponed, held) == (False, False, [False, True])
    assert (after.done_at, after.failure) == (None, None)
    assert after.claimed_until == START + 3 * HOLD


async def test_of_outcomes_that_are_stored_together_only_those_of_lost_claims_are_left_out(
    db: Database,
):
    for chat_id in (ANNA, BERT, CARL):
        await add(db, chat_id, f"of {chat_id}")
    anna, bert, carl = map(Claim.of, await claim(db))
    await claim(db, at=2 * HOLD, most=1)  # another process has Anna's by now
    outcomes = [
        (anna, queue.done(now=START, message_id=51)),
        (carl, queue.postponed(until=START + HOLD, failure="busy")),
        (bert, queue.done(now=START, message_id=52)),
    ]
    async with db.writing() as session:
        lost = await queue.give_back(session, OutboxRow, outcomes)
    async with db.reading() as session:
        rows = (await session.scalars(select(OutboxRow).order_by(OutboxRow.id))).all()

    assert lost == {anna}
    assert [row.message_id for row in rows] == [None, 52, None]
    assert [row.failure for row in rows] == [None, None, "busy"]
    assert [row.claimed_until is None for row in rows] == [False, True, True]


async def test_a_chat_that_is_left_out_has_only_its_urgent_row_claimed(db: Database):
    await add(db, ANNA, "a1")
    await add(db, BERT, "b1")
    await add(db, BERT, "urgent", rank=queues.FIRST)
    async with db.writing() as session:
        rows = await queue.claim(
            session, OutboxRow, now=START, hold=HOLD, most=10, without=[ANNA, BERT]
        )

    assert [row.payload for row in rows] == ["urgent"]


async def test_a_claim_that_ran_out_is_counted_as_a_death_and_a_postponed_one_is_not(
    db: Database,
):
    await add(db, ANNA, "a1")
    for _ in range(3):
        (row,) = await claim(db)
        async with db.writing() as session:
            await queue.postpone(
                session, OutboxRow, Claim.of(row), until=START, failure="database"
            )
    await claim(db)
    (row,) = await claim(db, at=2 * HOLD)

    assert (row.attempts, row.deaths) == (5, 1)


async def test_rows_that_a_version_without_ranks_writes_are_in_the_middle(db: Database):
    async with db.writing() as session:
        await session.execute(
            text(
                "INSERT INTO outbox (chat_id, payload, created_at, not_before, attempts, kind,"
                " dedupe_key) VALUES (8, 'old', 0, 0, 0, 'note', 'old')"
            )
        )
    await add(db, ANNA, "last", rank=queues.LAST)
    await add(db, CARL, "first", rank=queues.FIRST)

    assert await payloads(db) == ["first", "old", "last"]


async def test_a_repeated_dedupe_key_changes_nothing(db: Database):
    added = await add(db, ANNA, "fact")
    repeated = await add(db, BERT, "fact")

    assert (added, repeated) == (True, False)
    assert [row.chat_id for row in await claim(db)] == [ANNA]


async def test_an_alert_is_stored_as_its_facts(db: Database):
    alert = OrderUnclear(
        dry_run=False, symbol=Symbol("MNTLUSDT"), side=Side.BUY, expected_quote=Decimal("17.10")
    )
    async with db.writing() as session:
        await publish(session, ANNA, alert, key="k", now=START)

    (row,) = await claim(db)

    assert (row.kind, alert_from_json(row.kind, row.payload)) == ("order_unclear", alert)


async def test_what_waits_for_a_migrated_group_goes_to_its_new_id(db: Database):
    await add(db, ANNA, "done")
    (done,) = await claim(db)
    async with db.writing() as session:
        await queue.finish(session, OutboxRow, Claim.of(done), now=START)
    await add(db, ANNA, "waits")
    await add(db, BERT, "other")
    async with db.writing() as session:
        await outbox.move_chat(session, old=ANNA, new=CARL)
        waiting = [await queue.waiting(session, OutboxRow, chat_id=c) for c in (ANNA, BERT, CARL)]
        everything = await queue.waiting(session, OutboxRow)
        chats = await session.scalars(select(OutboxRow.chat_id).order_by(OutboxRow.id))

    assert (waiting, everything, list(chats)) == ([0, 1, 1], 2, [ANNA, CARL, BERT])


async def test_an_update_is_stored_once_per_bot(db: Database):
    async with db.writing() as session:
        first = await inbox.store(
            session, bot_id=BOT, updates=[Sealed(5, ANNA, "x"), Sealed(6, BERT, "y")], now=START
        )
        again = await inbox.store(
            session, bot_id=BOT, updates=[Sealed(6, BERT, "y"), Sealed(7, ANNA, "z")], now=START
        )
        other = await inbox.store(
            session, bot_id=BOT + 1, updates=[Sealed(5, ANNA, "x")], now=START
        )
        stored = (await session.scalars(select(InboxRow).order_by(InboxRow.id))).all()

    assert (first, again, other) == (2, 1, 1)
    assert [row.payload for row in stored] == ["x", "y", "z", "x"]


async def test_nothing_to_store_is_no_error(db: Database):
    async with db.writing() as session:
        stored = await inbox.store(session, bot_id=BOT, updates=[], now=START)

    assert stored == 0


async def test_a_hundred_updates_are_stored_at_once(db: Database):
    batch = [Sealed(number, number, "x") for number in range(100)]
    async with db.writing() as session:
        stored = await inbox.store(session, bot_id=BOT, updates=batch, now=START)

    assert stored == 100
