"""Updates are stored before they are confirmed and handled once, whatever happens in between."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.updates.decode import chat_of
from bot.updates.inbox import (
    Claiming,
    RankAll,
    Sealer,
    SetAside,
    UpdateStore,
    UpdateWorkers,
)
from bot.updates.polling import TokenRefused, UpdatePoller, UpdatesSource
from engine.scheduling.queue_worker import HOLD
from engine.storage.database import Database, InTransaction
from engine.storage.models import queues
from engine.storage.models.queues import InboxRow
from engine.storage.queues import inbox, queue
from engine.storage.queues.inbox import Sealed
from tests.fakes.clock import FakeClock
from tests.fakes.database import gone
from tests.fakes.http import NO_CERTIFICATES
from tests.fakes.tasks import a_moment, running
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_faults import (
    CONFLICT,
    LOST_ANSWER,
    refused,
    server_error,
    too_many_requests,
)
from tests.fakes.telegram_server import TOKEN

ANNA, BERT = 7, 8
BOT = 1234567890
Handle = Callable[[dict[str, Any]], Awaitable[None]]


async def all_normal(_: object, updates: Sequence[dict[str, Any]]) -> Sequence[int]:
    return [queues.NORMAL] * len(updates)


class ToySealer:
    """Encryption that hides nothing but keeps the vault's promise about purposes."""

    def seal_text(self, text: str, *, purpose: str) -> str:
        return base64.b64encode(f"{purpose}|{text}".encode()).decode()

    def open_text(self, token: str, *, purpose: str) -> str:
        bound, _, text = base64.b64decode(token).decode().partition("|")
        if bound != purpose:
            raise ValueError(f"sealed for {bound}")
        return text


class Killed(BaseException):
    """The process ends here; nothing gets to tidy up."""


class KilledWhileSealing(ToySealer):
    def seal_text(self, text: str, *, purpose: str) -> str:
        raise Killed


class Handler:
    """Remembers the texts it was given, and what it was told to do with some of them."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.when: dict[str, Handle] = {}
        self._changed = asyncio.Event()

    async def __call__(self, raw: dict[str, Any]) -> None:
        message = raw.get("message") or raw["edited_message"]
        if message["text"] in self.when:
            await self.when[message["text"]](raw)
        self.texts.append(message["text"])
        self._changed.set()

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.texts) < count:
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
async def db(sqlite_url: str, clock: FakeClock) -> AsyncGenerator[Database]:
    async with Database.open(sqlite_url, clock=clock) as database:
        yield database


@pytest.fixture
async def api(clock: FakeClock) -> AsyncGenerator[FakeTelegram]:
    async with FakeTelegram(clock=clock) as api:
        yield api


@pytest.fixture
async def http() -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=NO_CERTIFICATES) as http:
        yield http


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
def workers(db: Database, clock: FakeClock, handler: Handler) -> UpdateWorkers:
    return some_workers(db, clock, handler)


@pytest.fixture
def intake(
    db: Database,
    clock: FakeClock,
    api: FakeTelegram,
    http: httpx.AsyncClient,
    workers: UpdateWorkers,
) -> UpdatePoller:
    return an_intake(db, clock, api, http, claiming=workers.claiming)


async def nobody(row: InboxRow, raw: dict[str, Any] | None) -> None: ...


def some_workers(
    db: Database, clock: FakeClock, handle: Handle, *, set_aside: SetAside = nobody
) -> UpdateWorkers:
    return UpdateWorkers(
        database=db, clock=clock, sealer=ToySealer(), handle=handle, set_aside=set_aside
    )


def an_intake(
    db: Database,
    clock: FakeClock,
    api: FakeTelegram,
    http: httpx.AsyncClient,
    *,
    sealer: Sealer | None = None,
    claiming: Claiming | None = None,
) -> UpdatePoller:
    return UpdatePoller(
        source=UpdatesSource(http=http, url=f"{api.url}/bot{TOKEN}"),
        store=a_store(db, clock, sealer=sealer, claiming=claiming),
        clock=clock,
    )


@asynccontextmanager
async def claiming_nothing(more: bool) -> AsyncGenerator[InTransaction]:
    async def claim(session: AsyncSession) -> None: ...

    yield claim


def a_store(
    db: Database,
    clock: FakeClock,
    *,
    sealer: Sealer | None = None,
    claiming: Claiming | None = None,
    rank_all: RankAll = all_normal,
) -> UpdateStore:
    return UpdateStore(
        database=db,
        clock=clock,
        sealer=sealer or ToySealer(),
        bot_id=BOT,
        claiming=claiming or claiming_nothing,
        rank_all=rank_all,
    )


@pytest.mark.parametrize("fails", ["the ranks", "the claim"])
async def test_an_update_is_stored_though_it_can_be_neither_ranked_nor_claimed(
    db: Database, clock: FakeClock, fails: str
):
    async def rank_all(_: AsyncSession, updates: Sequence[dict[str, Any]]) -> Sequence[int]:
        if fails == "the ranks":
            raise gone()
        return [queues.FIRST] * len(updates)

    @asynccontextmanager
    async def claiming(more: bool) -> AsyncGenerator[InTransaction]:
        async def claim(session: AsyncSession) -> None:
            raise gone()

        yield claim

    store = a_store(db, clock, claiming=claiming, rank_all=rank_all)
    stored = await store.store([{"update_id": 1, "message": {"chat": {"id": ANNA}}}])
    [row] = await rows(db)

    assert stored == 1
    assert (row.update_id, row.rank, row.claimed_until) == (1, queues.NORMAL, None)


async def rows(db: Database) -> list[InboxRow]:
    async with db.reading() as session:
        return list((await session.scalars(select(InboxRow).order_by(InboxRow.id))).all())


async def polled(api: FakeTelegram, *, times: int) -> None:
    await api.wait_until(lambda: len(api.called("getUpdates")) >= times)


async def stored(db: Database, clock: FakeClock, *updates: tuple[int, int, str]) -> None:
    """Put updates into the inbox as (update id, chat, text)."""
    sealed = [
        Sealed(
            update_id,
            chat_id,
            ToySealer().seal_text(
                json.dumps({"update_id": update_id, "message": {"text": words}}),
                purpose=f"inbox:{BOT}:{update_id}",
            ),
        )
        for update_id, chat_id, words in updates
    ]
    async with db.writing() as session:
        await inbox.store(session, bot_id=BOT, updates=sealed, now=clock.now())


async def settled(db: Database, *, count: int) -> list[InboxRow]:
    async with asyncio.timeout(30):
        while len(done := [row for row in await rows(db) if row.done_at is not None]) < count:
            await a_moment()
    return done


# --- In ---


async def test_an_update_is_handled_and_then_nothing_of_its_text_is_kept(
    api: FakeTelegram, db: Database, intake: UpdatePoller, workers: UpdateWorkers, handler: Handler
):
    async with running(intake.run(), workers.run()):
        api.say(ANNA, "/connect key secret")
        await handler.wait_for(1)
        (row,) = await settled(db, count=1)

    assert handler.texts == ["/connect key secret"]
    assert (row.chat_id, row.payload, row.failure) == (ANNA, "", None)


async def test_an_update_is_in_the_database_before_it_is_confirmed(
    api: FakeTelegram, db: Database, intake: UpdatePoller
):
    update_id = api.say(ANNA, "/pause")
    async with running(intake.run()):
        await polled(api, times=2)
        (row,) = await rows(db)

    assert api.called("getUpdates")[1]["offset"] == str(update_id + 1)
    assert (row.update_id, row.done_at) == (update_id, None)
    assert "/pause" not in row.payload


async def test_an_update_fetched_by_a_process_that_dies_before_storing_it_comes_again(
    api: FakeTelegram,
    db: Database,
    clock: FakeClock,
    http: httpx.AsyncClient,
    intake: UpdatePoller,
):
    update_id = api.say(ANNA, "/pause")
    with suppress(Killed):
        await an_intake(db, clock, api, http, sealer=KilledWhileSealing()).run()

    assert await rows(db) == []
    assert api.unconfirmed == [update_id]

    async with running(intake.run()):
        await polled(api, times=3)

    assert [row.update_id for row in await rows(db)] == [update_id]


async def test_an_update_stored_but_never_confirmed_is_handled_once(
    api: FakeTelegram,
    db: Database,
    clock: FakeClock,
    intake: UpdatePoller,
    workers: UpdateWorkers,
    handler: Handler,
):
    first = api.say(ANNA, "one")
    await stored(db, clock, (first, ANNA, "one"))
    async with running(intake.run(), workers.run()):
        await polled(api, times=2)
        api.say(ANNA, "two")
        await handler.wait_for(2)

    assert handler.texts == ["one", "two"]


async def test_an_answer_that_got_lost_is_asked_for_again(
    api: FakeTelegram, intake: UpdatePoller, workers: UpdateWorkers, handler: Handler
):
    api.fail("getUpdates", LOST_ANSWER, times=2)
    api.say(ANNA, "one")
    async with running(intake.run(), workers.run()):
        await handler.wait_for(1)
        await polled(api, times=4)

    assert handler.texts == ["one"]


async def test_updates_out_of_order_are_each_handled_once(
    api: FakeTelegram, intake: UpdatePoller, workers: UpdateWorkers, handler: Handler
):
    late = {"chat": {"id": ANNA}, "text": "late"}
    early = {"chat": {"id": ANNA}, "text": "early"}
    api.push("message", late, update_id=500)
    api.push("message", early, update_id=400)
    api.push("message", late, update_id=500)
    async with running(intake.run(), workers.run()):
        await polled(api, times=2)
        await handler.wait_for(2)

    assert handler.texts == ["late", "early"]
    assert api.unconfirmed == []


async def test_after_a_quiet_week_telegram_may_start_over_at_a_lower_number(
    api: FakeTelegram,
    db: Database,
    clock: FakeClock,
    http: httpx.AsyncClient,
    workers: UpdateWorkers,
    handler: Handler,
):
    source = UpdatesSource(http=http, url=f"{api.url}/bot{TOKEN}", hold=timedelta())
    store = a_store(db, clock, claiming=workers.claiming)
    intake = UpdatePoller(source=source, store=store, clock=clock)
    api.push("message", {"chat": {"id": ANNA}, "text": "old"}, update_id=900_000)
    async with running(intake.run(), workers.run()):
        await handler.wait_for(1)
        seen = len(api.called("getUpdates"))
        await polled(api, times=seen + 3)
        api.push("message", {"chat": {"id": ANNA}, "text": "new"}, update_id=17)
        await handler.wait_for(2)

    assert handler.texts == ["old", "new"]


@pytest.mark.parametrize(
    "poison",
    [{}, {"update_id": "7"}, {"update_id": True}, {"update_id": 2**70}, {"update_id": None}],
    ids=str,
)
async def test_an_update_without_a_usable_id_does_not_hide_the_next_one(
    api: FakeTelegram,
    intake: UpdatePoller,
    workers: UpdateWorkers,
    handler: Handler,
    poison: dict[str, Any],
):
    api.push_raw(poison)
    api.say(ANNA, "after it")
    async with running(intake.run(), workers.run()):
        await handler.wait_for(1)

    assert handler.texts == ["after it"]


async def test_a_batch_of_nothing_but_poison_is_waited_out(
    api: FakeTelegram,
    intake: UpdatePoller,
    workers: UpdateWorkers,
    handler: Handler,
    clock: FakeClock,
):
    began = clock.now()
    api.push_raw({})
    async with running(intake.run(), workers.run()):
        await polled(api, times=2)
        api.say(ANNA, "after it")
        await handler.wait_for(1)

    assert clock.now() > began
    assert handler.texts == ["after it"]


async def test_a_database_that_fails_leaves_the_update_with_telegram(
    api: FakeTelegram, db: Database, intake: UpdatePoller
):
    update_id = api.say(ANNA, "/pause")
    await lose(db)
    async with running(intake.run()):
        await polled(api, times=2)

        assert api.unconfirmed == [update_id]

        await find(db)
        await api.wait_until(lambda: api.unconfirmed == [])

    assert [row.update_id for row in await rows(db)] == [update_id]


async def test_failed_polls_are_spaced_ever_wider_up_to_half_a_minute(
    api: FakeTelegram, intake: UpdatePoller, clock: FakeClock
):
    began = clock.now()
    api.fail("getUpdates", CONFLICT, times=3)
    api.fail("getUpdates", server_error(), times=4)
    api.fail("getUpdates", too_many_requests(100))
    async with running(intake.run()):
        await polled(api, times=9)

    assert clock.now() - began == timedelta(seconds=1 + 2 + 4 + 8 + 16 + 30 + 30 + 100)


async def test_a_good_poll_ends_the_back_off(
    api: FakeTelegram, intake: UpdatePoller, clock: FakeClock
):
    began = clock.now()
    api.fail("getUpdates", server_error(), times=2)
    async with running(intake.run()):
        await polled(api, times=3)
        api.say(ANNA, "hello")
        await polled(api, times=4)
        api.fail("getUpdates", server_error())
        api.say(ANNA, "hello")
        await polled(api, times=6)

    assert clock.now() - began == timedelta(seconds=4)


async def test_a_refused_token_ends_the_intake(api: FakeTelegram, intake: UpdatePoller):
    api.fail("getUpdates", refused(401, "Unauthorized"))

    with pytest.raises(TokenRefused):
        await intake.run()
    assert intake.answers == 0


@pytest.mark.parametrize(
    ("raw", "chat_id"),
    [
        ({"message": {"chat": {"id": -5}}}, -5),
        ({"edited_message": {"chat": {"id": 5}}}, 5),
        ({"my_chat_member": {"chat": {"id": 6}}}, 6),
        ({"callback_query": {"message": {"chat": {"id": 7}}, "from": {"id": 1}}}, 7),
        ({"callback_query": {"from": {"id": 1}}}, 1),
        ({"message": {"chat": {"id": 2**70}}}, 0),
        ({"message": "odd"}, 0),
        ({}, 0),
    ],
    ids=str,
)
def test_every_update_belongs_in_one_queue(raw: dict[str, Any], chat_id: int):
    assert chat_of(raw) == chat_id


# --- Handled ---


async def test_a_slow_chat_does_not_hold_up_another_and_keeps_its_own_order(
    db: Database, clock: FakeClock, handler: Handler, workers: UpdateWorkers
):
    bert_is_done = asyncio.Event()

    async def wait(_: dict[str, Any]) -> None:
        await bert_is_done.wait()

    handler.when["slow"] = wait
    await stored(db, clock, (1, ANNA, "slow"), (2, ANNA, "after slow"), (3, BERT, "quick"))
    async with running(workers.run()):
        await handler.wait_for(1)
        bert_is_done.set()
        await handler.wait_for(3)

    assert handler.texts == ["quick", "slow", "after slow"]


async def test_no_more_than_sixteen_updates_are_handled_at_a_time(
    db: Database, clock: FakeClock, handler: Handler, workers: UpdateWorkers
):
    begun: list[str] = []
    go_on = asyncio.Event()

    async def wait(raw: dict[str, Any]) -> None:
        begun.append(raw["message"]["text"])
        await go_on.wait()

    texts = [f"{number}" for number in range(20)]
    handler.when = dict.fromkeys(texts, wait)
    await stored(db, clock, *((n, 100 + n, words) for n, words in enumerate(texts)))
    async with running(workers.run()):
        async with asyncio.timeout(30):
            while len(begun) < 16:
                await a_moment()
        await a_moment()
        most = len(begun)
        go_on.set()
        await handler.wait_for(20)

    assert most == 16
    assert sorted(handler.texts) == sorted(texts)


async def test_an_update_whose_handling_fails_is_over_and_the_next_one_goes_on(
    db: Database,
    clock: FakeClock,
    handler: Handler,
    workers: UpdateWorkers,
    caplog: pytest.LogCaptureFixture,
):
    async def fail(_: dict[str, Any]) -> None:
        raise ZeroDivisionError

    handler.when["bad"] = fail
    await stored(db, clock, (1, ANNA, "bad"), (2, ANNA, "good"))
    with caplog.at_level(logging.ERROR):
        async with running(workers.run()):
            await handler.wait_for(1)
            done = await settled(db, count=2)

    assert [(row.failure, row.payload) for row in done] == [("ZeroDivisionError", ""), (None, "")]
    assert "update failed" in caplog.text


async def test_a_row_that_was_swapped_with_another_is_not_handled(
    db: Database, clock: FakeClock, handler: Handler, workers: UpdateWorkers
):
    await stored(db, clock, (1, ANNA, "mine"))
    async with db.writing() as session:
        await session.execute(text("UPDATE inbox SET update_id = 2"))
    async with running(workers.run()):
        (row,) = await settled(db, count=1)

    assert (row.failure, handler.texts) == ("ValueError", [])


async def test_an_update_in_hand_when_the_process_stops_is_handled_by_the_next_one(
    db: Database, clock: FakeClock, handler: Handler, workers: UpdateWorkers
):
    begun = asyncio.Event()

    async def hang(_: dict[str, Any]) -> None:
        begun.set()
        await asyncio.Event().wait()

    handler.when["/pause"] = hang
    await stored(db, clock, (1, ANNA, "/pause"))
    async with running(workers.run()):
        await begun.wait()
    handler.when.clear()
    async with db.writing() as session:
        await queue.release_all(session, InboxRow)
    async with running(some_workers(db, clock, handler).run()):
        await handler.wait_for(1)

    assert handler.texts == ["/pause"]


async def test_the_claim_of_a_dead_process_runs_out(
    db: Database, clock: FakeClock, handler: Handler, workers: UpdateWorkers
):
    await stored(db, clock, (1, ANNA, "/pause"))
    async with db.writing() as session:
        await queue.claim(session, InboxRow, now=clock.now(), hold=HOLD, most=1)
    async with running(workers.run()):
        await a_moment()

        assert handler.texts == []

        clock.shift(HOLD + timedelta(seconds=1))
        workers.nudge()
        await handler.wait_for(1)


async def test_an_update_that_takes_long_is_not_claimed_a_second_time(
    db: Database, clock: FakeClock, handler: Handler, workers: UpdateWorkers
):
    go_on = asyncio.Event()
    begun: list[int] = []

    async def wait(raw: dict[str, Any]) -> None:
        begun.append(raw["update_id"])
        await go_on.wait()

    handler.when["long"] = wait
    await stored(db, clock, (1, ANNA, "long"))
    async with running(workers.run()), asyncio.timeout(30):
        for _ in range(5):
            clock.shift(HOLD + timedelta(seconds=1))
            workers.nudge()
            while (await rows(db))[0].claimed_until != clock.now() + HOLD:
                await a_moment()
        go_on.set()
        await handler.wait_for(1)

    assert begun == [1]


async def test_an_update_that_killed_the_process_three_times_is_quarantined(
    db: Database, clock: FakeClock, handler: Handler, caplog: pytest.LogCaptureFixture
):
    async def die(_: dict[str, Any]) -> None:
        raise Killed

    handler.when["deadly"] = die
    await stored(db, clock, (1, ANNA, "deadly"), (2, ANNA, "harmless"))
    for _ in range(3):
        with pytest.RaisesGroup(Killed):
            await some_workers(db, clock, handler).run()
        async with db.writing() as session:
            await queue.release_all(session, InboxRow)
    with caplog.at_level(logging.ERROR):
        async with running(some_workers(db, clock, handler).run()):
            await handler.wait_for(1)
            done = await settled(db, count=2)

    assert handler.texts == ["harmless"]
    assert [(row.failure, row.payload) for row in done] == [("quarantined", ""), (None, "")]
    assert "quarantined" in caplog.text


async def test_an_update_that_is_in_hand_when_another_one_kills_the_process_is_not_set_aside(
    db: Database, clock: FakeClock, handler: Handler
):
    """Those that saw a death are handled one at a time: so it shows which one kills."""
    set_aside: list[tuple[int, object]] = []

    async def die(_: dict[str, Any]) -> None:
        raise Killed

    async def hang(_: dict[str, Any]) -> None:
        await asyncio.Event().wait()

    async def remember(row: InboxRow, raw: dict[str, Any] | None) -> None:
        set_aside.append((row.chat_id, raw))

    handler.when |= {"innocent": hang, "deadly": die}
    await stored(db, clock, (1, BERT, "innocent"), (2, ANNA, "deadly"))
    with pytest.RaisesGroup(Killed):
        await some_workers(db, clock, handler).run()
    del handler.when["innocent"]
    for _ in range(2):
        async with db.writing() as session:
            await queue.release_all(session, InboxRow)
        with pytest.RaisesGroup(Killed):
            await some_workers(db, clock, handler).run()
    async with db.writing() as session:
        await queue.release_all(session, InboxRow)
    async with running(some_workers(db, clock, handler, set_aside=remember).run()):
        innocent, _ = await settled(db, count=2)

    assert (innocent.failure, innocent.deaths) == (None, 1)
    assert set_aside == [(ANNA, {"update_id": 2, "message": {"text": "deadly"}})]


async def test_many_updates_that_saw_a_death_keep_no_other_waiting(
    db: Database, clock: FakeClock, handler: Handler, workers: UpdateWorkers
):
    async def hang(_: dict[str, Any]) -> None:
        await asyncio.Event().wait()

    handler.when["suspect"] = hang
    await stored(db, clock, *((n, 100 + n, "suspect") for n in range(30)))
    async with db.writing() as session:
        long_ago = clock.now() - timedelta(hours=1)
        await session.execute(update(InboxRow).values(claimed_until=long_ago))
    await stored(db, clock, (50, ANNA, "innocent"))
    async with running(workers.run()):
        await handler.wait_for(1)

    assert handler.texts == ["innocent"]


async def test_stopping_finishes_what_is_in_hand_and_begins_nothing_new(
    db: Database, clock: FakeClock, handler: Handler, workers: UpdateWorkers
):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(_: dict[str, Any]) -> None:
        begun.set()
        await go_on.wait()

    handler.when["first"] = wait
    await stored(db, clock, (1, ANNA, "first"), (2, ANNA, "second"))
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(workers.run())
        await begun.wait()
        workers.stop()
        go_on.set()

    assert handler.texts == ["first"]
    assert [row.done_at is not None for row in await rows(db)] == [True, False]


async def test_without_a_nudge_the_inbox_is_looked_at_by_itself(
    db: Database,
    clock: FakeClock,
    handler: Handler,
    workers: UpdateWorkers,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("engine.scheduling.queue_worker._POLL_S", 0.01)
    async with running(workers.run()):
        await rows(db)
        await stored(db, clock, (1, ANNA, "hello"))
        await handler.wait_for(1)


async def test_a_database_that_fails_while_an_update_is_handled_is_waited_for(
    db: Database, clock: FakeClock, handler: Handler, workers: UpdateWorkers
):
    async def lose_the_table(_: dict[str, Any]) -> None:
        await lose(db)

    handler.when["one"] = lose_the_table
    await stored(db, clock, (1, ANNA, "one"), (2, ANNA, "two"))
    began = clock.now()
    async with running(workers.run()), asyncio.timeout(30):
        await handler.wait_for(1)
        while clock.now() < began + timedelta(minutes=1):
            await a_moment()
        await find(db)
        await handler.wait_for(2)

    assert handler.texts == ["one", "two"]


async def test_a_database_that_fails_when_the_queue_is_read_is_waited_for(
    db: Database, clock: FakeClock, handler: Handler, workers: UpdateWorkers
):
    await stored(db, clock, (1, ANNA, "one"))
    await lose(db)
    began = clock.now()
    async with running(workers.run()), asyncio.timeout(30):
        while clock.now() < began + timedelta(minutes=1):
            await a_moment()
        await find(db)
        await handler.wait_for(1)

    assert handler.texts == ["one"]


async def lose(db: Database) -> None:
    """Make every query of the inbox fail."""
    async with db.writing() as session:
        await session.execute(text("ALTER TABLE inbox RENAME TO gone"))


async def find(db: Database) -> None:
    async with db.writing() as session:
        await session.execute(text("ALTER TABLE gone RENAME TO inbox"))
