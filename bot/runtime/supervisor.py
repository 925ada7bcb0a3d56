"""Runs the engine, and Telegram as soon as it answers, until a signal; then stops in order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from telegram.ext import Application

from bot.updates.poll_watchdog import PollsStalled
from bot.updates.polling import until_answered
from engine.clock import Clock
from engine.errors import innermost
from engine.scheduling.dispatcher import Dispatcher

# Hosts kill after 30 s at best, and 10 are promised: the rest is for a slow machine's exit.
_GRACE_S = 6.0
_BEAT_GRACE_S = 1.0
# Due at once, whatever the wall clock shows.
_LONG_AGO = datetime.fromtimestamp(0, UTC)

logger = logging.getLogger(__name__)

App = Application[Any, Any, Any, Any, Any, Any]


class Stopped(Exception):
    """Raised after an ordered stop: all work is finished or parked."""


class Worker(Protocol):
    """A task that runs until it is cancelled, or stopped and done with its current work."""

    async def run(self) -> None: ...

    def stop(self) -> None: ...


class Heartbeat:
    """JobQueue's one job: it repeatedly hands due accounts to the engine's workers.
    It is one long job and not a repeating one: the scheduler's intervals use the wall clock, and
    after that was set back, would have to catch up before the next heartbeat.
    """

    def __init__(self, application: App, dispatcher: Dispatcher, *, every: timedelta) -> None:
        self._application = application
        self._dispatcher = dispatcher
        self._every_s = every.total_seconds()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Run until cancelled. No two heartbeats overlap."""
        queue = self._application.job_queue
        if queue is None:
            raise ValueError("the application was built without a job queue")
        queue.run_once(
            self._beats, _LONG_AGO, name="heartbeat", job_kwargs={"misfire_grace_time": None}
        )
        await queue.start()
        try:
            await asyncio.Event().wait()
        finally:
            self._stopping.set()
            # The current heartbeat may finish: it may be in the middle of a transaction.
            with suppress(TimeoutError):
                async with asyncio.timeout(_BEAT_GRACE_S):
                    await queue.stop(wait=True)

    async def _beats(self, _: object) -> None:
        while not self._stopping.is_set():
            try:
                await self._dispatcher.tick()
            except Exception:
                # The next heartbeat may succeed, and the stall alert reports it if none does.
                logger.exception("heartbeat failed")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):  # by the loop's clock
                    await self._stopping.wait()


async def connect(application: App, clock: Clock) -> None:
    """Connect to Telegram, retrying without limit. Raises TokenRefused."""
    await until_answered(application.initialize, clock, event="Telegram unreachable")


async def run_until_stopped(
    *,
    stop: asyncio.Event,
    engine: Sequence[Callable[[], Coroutine[Any, Any, None]]],
    dispatcher: Dispatcher,
    telegram: Callable[[], Awaitable[None]],
    workers: Sequence[Worker],
    leave: Sequence[Callable[[], Awaitable[None]]] = (),
) -> None:
    """Run everything until *stop* is set; then claim nothing new, finish or park, and return.
    *telegram* runs beside the engine and may end earlier. Work that is not finished within the
    grace time resumes after the next start, from the database; *leave* releases what other
    processes may take over. If *telegram* raises PollsStalled, that is raised after the same stop.
    """
    stalls: list[ExceptionGroup[PollsStalled]] = []

    async def stop_if_stalled() -> None:
        try:
            await telegram()
        except* PollsStalled as group:
            stalls.append(group)
            stop.set()

    try:
        async with asyncio.TaskGroup() as tasks:
            for part in (*engine, stop_if_stalled):
                tasks.create_task(part())
            running = [(worker, tasks.create_task(worker.run())) for worker in workers]
            await stop.wait()
            logger.info("stopping")
            await _finish(dispatcher, running)
            tasks.create_task(_end())
    except* Stopped:
        logger.info("stopped")
    finally:
        for let_go in (dispatcher.release, *leave):
            await let_go()
    if stalls:
        raise innermost(stalls[0])


async def _finish(
    dispatcher: Dispatcher, running: Sequence[tuple[Worker, asyncio.Task[None]]]
) -> None:
    """Claim nothing new; current work gets the grace time, then it is parked. Orders that rest are
    cancelled.
    """
    dispatcher.stop_claiming()
    try:
        async with asyncio.timeout(_GRACE_S):
            for worker, _ in running:
                worker.stop()
            await dispatcher.until_idle()
            await dispatcher.cancel_resting()
            if running:
                await asyncio.wait({task for _, task in running})
    except TimeoutError:
        logger.warning("unfinished work parked")


async def _end() -> None:
    """Only an exception in one of its tasks ends a task group early."""
    raise Stopped
