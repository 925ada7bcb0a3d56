"""The life of the process: a heart that beats, a Telegram that may come late, an orderly end."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from datetime import datetime, timedelta, tzinfo
from typing import Any

import pytest
from telegram.request import HTTPXRequest

from bot.observability.logs import configure, recent_lines
from bot.runtime import supervisor
from bot.runtime.startup import build_application
from bot.runtime.supervisor import App, Heartbeat, connect, run_until_stopped
from bot.updates.poll_watchdog import PollsStalled
from bot.updates.polling import TokenRefused
from engine.scheduling.dispatcher import Dispatcher
from tests.fakes.clock import FakeClock
from tests.fakes.http import NO_CERTIFICATES
from tests.fakes.tasks import running
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_faults import DROPPED, server_error
from tests.fakes.telegram_server import TOKEN

EVERY = timedelta(milliseconds=5)


class Ledger(list[str]):
    """What happened, in order; `until` waits for a number of entries."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = asyncio.Event()

    def note(self, what: str) -> None:
        self.append(what)
        self._changed.set()

    async def until(self, what: str, *, times: int = 1) -> None:
        async with asyncio.timeout(30):
            while self.count(what) < times:
                self._changed.clear()
                await self._changed.wait()


class RememberingDispatcher(Dispatcher):
    """*idle* is set when no check is under way."""

    def __init__(self, seen: Ledger) -> None:
        self.seen = seen
        self.idle = asyncio.Event()
        self.idle.set()
        self.hold_beat: asyncio.Event | None = None
        self.break_beat = False

    async def tick(self) -> None:
        self.seen.note("beat")
        if self.break_beat:
            raise ValueError("a bug")
        if self.hold_beat is not None:
            await self.hold_beat.wait()
            self.seen.note("beat over")

    def stop_claiming(self) -> None:
        self.seen.note("stop claiming")

    async def until_idle(self) -> None:
        await self.idle.wait()
        self.seen.note("idle")

    async def cancel_resting(self) -> None:
        self.seen.note("cancel what rests")

    async def release(self) -> None:
        self.seen.note("release")


class RememberingWorker:
    """Runs until it is stopped; *slow* never ends by itself."""

    def __init__(self, name: str, seen: Ledger, *, slow: bool = False) -> None:
        self._name = name
        self._seen = seen
        self._slow = slow
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        self._seen.note(f"{self._name} runs")
        try:
            await self._stopped.wait()
            if self._slow:
                await asyncio.Event().wait()
            self._seen.note(f"{self._name} done")
        except asyncio.CancelledError:
            self._seen.note(f"{self._name} cancelled")
            raise

    def stop(self) -> None:
        self._seen.note(f"{self._name} stop")
        self._stopped.set()


@pytest.fixture
def seen() -> Ledger:
    return Ledger()


@pytest.fixture
def dispatcher(seen: Ledger) -> RememberingDispatcher:
    return RememberingDispatcher(seen)


@pytest.fixture
async def api(clock: FakeClock) -> AsyncGenerator[FakeTelegram]:
    async with FakeTelegram(clock=clock) as api:
        yield api


@pytest.fixture
async def application(api: FakeTelegram) -> AsyncGenerator[App]:
    app = build_application(
        TOKEN, request=HTTPXRequest(httpx_kwargs={"verify": NO_CERTIFICATES}), base_url=api.url
    )
    yield app
    await app.shutdown()
    await app.bot.shutdown()  # which the line above leaves out if it never came online


def forever(name: str, seen: Ledger) -> Callable[[], Coroutine[Any, Any, None]]:
    async def run() -> None:
        seen.note(f"{name} runs")
        await asyncio.Event().wait()

    return run


async def test_the_heart_beats_until_it_is_cancelled(
    application: App, dispatcher: RememberingDispatcher, seen: Ledger
):
    heartbeat = Heartbeat(application, dispatcher, every=EVERY)

    async with running(heartbeat.run()):
        await seen.until("beat", times=3)
    beats = len(seen)
    await _a_few(EVERY)

    assert len(seen) == beats


async def test_beats_never_overlap_and_the_last_is_let_finish(
    application: App, dispatcher: RememberingDispatcher, seen: Ledger
):
    dispatcher.hold_beat = asyncio.Event()
    heartbeat = Heartbeat(application, dispatcher, every=EVERY)

    async with running(heartbeat.run()):
        await seen.until("beat")
        await _a_few(EVERY)
        dispatcher.hold_beat.set()

    assert seen[:2] == ["beat", "beat over"]
    assert seen.count("beat") == seen.count("beat over")


async def test_a_beat_that_does_not_end_is_not_waited_for(
    application: App,
    dispatcher: RememberingDispatcher,
    seen: Ledger,
    monkeypatch: pytest.MonkeyPatch,
):
    configure("INFO", None, [])
    monkeypatch.setattr(supervisor, "_BEAT_GRACE_S", 0.01)
    dispatcher.hold_beat = asyncio.Event()
    heartbeat = Heartbeat(application, dispatcher, every=EVERY)

    async with asyncio.timeout(30), running(heartbeat.run()):
        await seen.until("beat")
    dispatcher.hold_beat.set()

    assert seen == ["beat"]
    assert list(recent_lines(500)) == []


async def test_a_beat_that_breaks_is_not_the_last_one(
    application: App,
    dispatcher: RememberingDispatcher,
    seen: Ledger,
    caplog: pytest.LogCaptureFixture,
):
    dispatcher.break_beat = True
    heartbeat = Heartbeat(application, dispatcher, every=EVERY)

    async with running(heartbeat.run()):
        await seen.until("beat", times=2)

    assert "heartbeat failed" in caplog.text


async def test_without_a_job_queue_there_is_no_heart(
    application: App, dispatcher: RememberingDispatcher
):
    application._job_queue = None
    heartbeat = Heartbeat(application, dispatcher, every=EVERY)

    with (
        pytest.warns(UserWarning, match="No `JobQueue`"),
        pytest.raises(ValueError, match="queue"),
    ):
        await heartbeat.run()


async def test_the_heart_beats_by_no_clock_that_can_be_set(
    application: App,
    dispatcher: RememberingDispatcher,
    seen: Ledger,
    monkeypatch: pytest.MonkeyPatch,
):
    class SetBack(datetime):
        """A wall clock that shows two hours less each time it is looked at."""

        looks = 0

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            cls.looks += 1
            return datetime.now(tz) - cls.looks * timedelta(hours=2)  # noqa: TID251

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", SetBack)
    heartbeat = Heartbeat(application, dispatcher, every=EVERY)

    async with asyncio.timeout(30), running(heartbeat.run()):
        await seen.until("beat", times=3)

    assert SetBack.looks > 0


async def test_a_telegram_that_is_away_is_waited_for(
    api: FakeTelegram, application: App, clock: FakeClock, caplog: pytest.LogCaptureFixture
):
    began = clock.now()
    for fault in (DROPPED, server_error(), DROPPED):
        api.fail("getMe", fault)

    await connect(application, clock)

    assert application.bot.username == "ballast_bot"
    assert clock.now() - began == timedelta(seconds=1 + 2 + 4)
    assert caplog.text.count("Telegram unreachable") == 3


async def test_a_token_that_telegram_does_not_know_is_no_reason_to_wait(
    api: FakeTelegram, application: App, clock: FakeClock
):
    api.token = "987:another"

    with pytest.raises(TokenRefused) as caught:
        await connect(application, clock)

    assert TOKEN not in f"{caught.value!r} {caught.value.__cause__!r}"


async def test_stopping_claims_nothing_new_finishes_and_lets_go_in_that_order(
    dispatcher: RememberingDispatcher, seen: Ledger, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            run_until_stopped(
                stop=stop,
                engine=[forever("engine", seen)],
                dispatcher=dispatcher,
                telegram=forever("telegram", seen),
                workers=[RememberingWorker("updates", seen), RememberingWorker("relay", seen)],
            )
        )
        await seen.until("relay runs")
        stop.set()
        stop.set()  # a second signal changes nothing

    assert seen[4:] == [
        "stop claiming",
        "updates stop",
        "relay stop",
        "idle",
        "cancel what rests",
        "updates done",
        "relay done",
        "release",
    ]
    assert [record.message for record in caplog.records] == ["stopping", "stopped"]


@pytest.mark.parametrize("what", ["a check", "an update"])
async def test_what_does_not_end_in_time_is_parked(
    dispatcher: RememberingDispatcher,
    seen: Ledger,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
):
    monkeypatch.setattr(supervisor, "_GRACE_S", 0.01)
    stop = asyncio.Event()
    stop.set()
    if what == "a check":
        dispatcher.idle.clear()

    await run_until_stopped(
        stop=stop,
        engine=[forever("engine", seen)],
        dispatcher=dispatcher,
        telegram=forever("telegram", seen),
        workers=[RememberingWorker("updates", seen, slow=True)],
    )

    assert seen[-2:] == ["updates cancelled", "release"]
    assert "unfinished work parked" in caplog.text


async def test_telegram_may_end_while_the_rest_goes_on(
    dispatcher: RememberingDispatcher, seen: Ledger
):
    stop = asyncio.Event()

    async def telegram() -> None:
        seen.note("telegram ends")
        stop.set()

    await run_until_stopped(
        stop=stop,
        engine=[forever("engine", seen)],
        dispatcher=dispatcher,
        telegram=telegram,
        workers=[RememberingWorker("updates", seen)],
    )

    assert seen[-1] == "release"


async def test_polls_that_stalled_end_the_process_in_order_and_say_so(
    dispatcher: RememberingDispatcher, seen: Ledger
):
    async def telegram() -> None:
        seen.note("telegram runs")
        raise PollsStalled("Telegram has not answered for 5 min")

    with pytest.raises(PollsStalled):
        await run_until_stopped(
            stop=asyncio.Event(),
            engine=[forever("engine", seen)],
            dispatcher=dispatcher,
            telegram=telegram,
            workers=[RememberingWorker("relay", seen)],
        )

    assert seen[3:] == [
        *("stop claiming", "relay stop", "idle", "cancel what rests", "relay done", "release")
    ]


async def test_whatever_breaks_ends_the_process_and_lets_go_of_the_accounts(
    dispatcher: RememberingDispatcher, seen: Ledger
):
    async def telegram() -> None:
        raise TokenRefused("Telegram answered 401")

    with pytest.raises(ExceptionGroup) as caught:
        await run_until_stopped(
            stop=asyncio.Event(),
            engine=[forever("engine", seen)],
            dispatcher=dispatcher,
            telegram=telegram,
            workers=[RememberingWorker("updates", seen)],
        )

    assert caught.group_contains(TokenRefused)
    assert seen[-1] == "release"


async def _a_few(every: timedelta) -> None:
    """Long enough for some beats."""
    try:
        async with asyncio.timeout(every.total_seconds() * 6):
            await asyncio.Event().wait()
    except TimeoutError:
        return
