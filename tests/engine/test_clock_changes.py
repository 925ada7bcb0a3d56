"""A wall clock that was set back: nothing waits, and nothing stays good, for longer than it should."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.clock import ClockSteps
from engine.domain.accounts.confirmation import Confirmation, Refusal
from engine.scheduling.clock_changes import ClockChanges
from engine.storage.chat import confirmations
from engine.storage.database import Database
from engine.storage.models.chat import ConfirmationRow
from engine.storage.models.queues import OutboxRow
from engine.storage.queues import outbox, queue
from engine.storage.queues.queue import Claim
from tests.fakes.clock import START, FakeClock

CHAT, PERSON = 7, 8
TWO_HOURS = timedelta(hours=2)
HOLD = timedelta(minutes=1)


async def leave_things_waiting(database: Database, clock: FakeClock) -> None:
    """A message that is tried again in 30 s, and a button that is good for 90 s."""
    now = clock.now()
    async with database.writing() as session:
        await outbox.add(session, chat_id=CHAT, kind="note", payload="", dedupe_key="1", now=now)
        [row] = await queue.claim(session, OutboxRow, now=now, hold=HOLD, most=1)
        until = now + timedelta(seconds=30)
        await queue.postpone(session, OutboxRow, Claim.of(row), until=until, failure="away")
        await confirmations.ask(
            session,
            Confirmation(
                id="button",
                chat_id=CHAT,
                user_id=PERSON,
                kind="run",
                payload="",
                asked_at=now,
                expires_at=now + timedelta(seconds=90),
            ),
        )


async def claimed(database: Database, clock: FakeClock) -> int:
    async with database.writing() as session:
        return len(await queue.claim(session, OutboxRow, now=clock.now(), hold=HOLD, most=9))


async def is_good(database: Database, clock: FakeClock) -> bool:
    async with database.reading() as session:
        found = await confirmations.find(
            session, "button", chat_id=CHAT, user_id=PERSON, now=clock.now()
        )
    return not isinstance(found, Refusal)


@pytest.mark.parametrize("at_a_start", [False, True], ids=["running", "across a restart"])
async def test_what_waits_does_so_for_as_long_as_it_was_meant_to(
    database: Database, clock: FakeClock, at_a_start: bool
):
    await leave_things_waiting(database, clock)
    clock.set_by(-TWO_HOURS)
    waits = ClockChanges(database=database, clock=clock)
    await (waits.begin() if at_a_start else waits.clock_was_set(-TWO_HOURS))
    at_once = await claimed(database, clock), await is_good(database, clock)
    clock.shift(timedelta(seconds=31))
    soon = await claimed(database, clock), await is_good(database, clock)
    clock.shift(timedelta(seconds=60))

    assert at_once == (0, True)
    assert soon == (1, True)
    assert not await is_good(database, clock)


@pytest.mark.parametrize("again", ["a restart", "another process"])
async def test_what_was_brought_forward_once_is_not_once_more(
    database: Database, clock: FakeClock, again: str
):
    """Else nothing written since would last as long as it was meant to."""
    await leave_things_waiting(database, clock)
    clock.set_by(-TWO_HOURS)
    await ClockChanges(database=database, clock=clock).clock_was_set(-TWO_HOURS)
    clock.shift(timedelta(seconds=10))
    waits = ClockChanges(database=database, clock=clock)
    await (waits.begin() if again == "a restart" else waits.clock_was_set(-TWO_HOURS))
    lasts = await is_good(database, clock)
    clock.set_by(-TWO_HOURS)
    await waits.clock_was_set(-TWO_HOURS)
    clock.shift(timedelta(seconds=81))

    assert lasts
    assert not await is_good(database, clock)


@pytest.mark.parametrize("by", [timedelta(), TWO_HOURS])
async def test_a_clock_that_is_right_or_was_set_ahead_changes_nothing(
    sqlite: Database, clock: FakeClock, by: timedelta
):
    await leave_things_waiting(sqlite, clock)
    clock.set_by(by)
    waits = ClockChanges(database=sqlite, clock=clock)
    await waits.begin()
    await waits.clock_was_set(by)
    async with sqlite.reading() as session:
        until = await session.scalar(select(ConfirmationRow.expires_at))

    assert until == START + timedelta(seconds=90)


def test_many_small_steps_are_one_large_one(clock: FakeClock):
    steps = ClockSteps(clock)
    seen = []
    for _ in range(5):
        clock.shift(TWO_HOURS)
        clock.set_by(-timedelta(seconds=25))
        seen.append(steps.look())

    assert seen == [None, None, -timedelta(seconds=75), None, None]
