"""Alerts the owner when checks stall or resume, and when the machine's clock was set.
Sent straight to Telegram from memory, not through the outbox: the database may be what fails.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import InitVar, dataclass
from datetime import datetime, timedelta
from typing import assert_never

from telegram import Bot
from telegram.error import RetryAfter, TelegramError

from bot.interaction.message import Message, MessagePlace
from bot.messaging.flood_control import FloodControl, QuietPeriod
from bot.messaging.sender import MessageSender
from bot.views.alerts.stalls import clock_set_view, stall_over_view, stalled_view
from engine.backoff import delay
from engine.clock import Clock, ClockSteps
from engine.monitoring.stall_detector import EngineProgress, StallDetector, Stalled, StallOver
from engine.storage import availability

_BEAT = timedelta(seconds=5)
# A clock that is set repeatedly is reported once an hour.
_CLOCK_TOLD_EVERY = timedelta(hours=1)
_LONGEST_PAUSE = timedelta(seconds=60)

logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True)
class StallAlerter:
    """Polls *pulse*. An undelivered alert is retried until a newer one replaces it: the end of a
    stall includes all there is to say of it. *owner_chat* may find the database away, and so may
    *on_clock_set*, which gets by how much the clock was set.
    """

    clock: Clock
    bot: InitVar[Bot]
    pulse: Callable[[], EngineProgress]
    owner_chat: Callable[[], Awaitable[int | None]]
    flood: FloodControl
    on_clock_set: Callable[[timedelta], Awaitable[None]] | None = None

    def __post_init__(self, bot: Bot) -> None:
        self._sender = MessageSender(bot, turn=self.flood.check)
        self._clock_told_at: datetime | None = None
        self._news: asyncio.Queue[Message] = asyncio.Queue()

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            tasks.create_task(self._tell())

    async def _watch(self) -> None:
        with suppress(*availability.AWAY):
            await self.owner_chat()  # now, while the database can be read
        vigil, steps = StallDetector(), ClockSteps(self.clock)
        while True:
            await self.clock.sleep(_BEAT)
            if (by := steps.look()) is not None:
                await self._clock_was_set(by)
            match vigil.look(self.pulse(), passed=_BEAT):
                case None:
                    pass
                case Stalled() as stalled:
                    about = {"cause": stalled.cause.value, "late": stalled.late}
                    logger.error("checks stalled", extra=about)
                    self._news.put_nowait(stalled_view(stalled))
                case StallOver() as over:
                    logger.warning(
                        "checks resumed", extra={"lasted_s": over.lasted.total_seconds()}
                    )
                    self._news.put_nowait(stall_over_view(over))
                case other:
                    assert_never(other)

    async def _clock_was_set(self, by: timedelta) -> None:
        logger.warning("clock changed", extra={"by_s": by.total_seconds()})
        now = self.clock.steady()
        if self._clock_told_at is None or now - self._clock_told_at >= _CLOCK_TOLD_EVERY:
            self._clock_told_at = now
            self._news.put_nowait(clock_set_view(by))
        if self.on_clock_set is None:
            return
        try:
            await self.on_clock_set(by)
        except availability.AWAY as e:
            logger.warning("due times not adjusted: %s", type(e).__name__)

    async def _tell(self) -> None:
        while True:
            news = await self._news.get()
            failures = 0
            while (pause := await self._deliver(news)) is not None:
                failures += 1
                await self.clock.sleep(max(pause, delay(failures, most=_LONGEST_PAUSE)))
                while not self._news.empty():
                    news = self._news.get_nowait()

    async def _deliver(self, news: Message) -> timedelta | None:
        """Return None when it is delivered, else how long to wait before the next try."""
        chat_id: int | None = None
        try:
            chat_id = await self.owner_chat()
            if chat_id is None:
                logger.warning("alert dropped: the bot has no owner")
                return None
            await self._sender.send(MessagePlace(chat_id), news)
        except QuietPeriod as e:
            pause, problem = e.pause, "silence wanted"
        except RetryAfter as e:
            pause, problem = self.flood.slowed(chat_id or 0, e), "asked to wait"
        except (TelegramError, *availability.AWAY) as e:
            pause, problem = timedelta(), type(e).__name__
        else:
            return None
        logger.warning("owner not notified", extra={"problem": problem})
        return pause
