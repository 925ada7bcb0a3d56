"""Restarts the poller if Telegram answers no poll, and at last stops the process.
Silence is counted in the watchdog's own steps, not by the wall clock: a clock that jumps, a
machine that slept or a loop that was blocked restarts nothing.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta

from bot.updates.polling import UpdatePoller
from engine.clock import Clock

_BEAT = timedelta(seconds=5)
# A healthy poll is answered within 40 s, and failed ones are half a minute apart.
_RESTART_AFTER = timedelta(seconds=90)
_GIVE_UP_AFTER = timedelta(minutes=5)

logger = logging.getLogger(__name__)


class PollsStalled(Exception):
    """Raised if Telegram has not answered for so long that only a new process may help."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PollWatchdog:
    """Runs the poller that *open_poller* returns, with new resources each time, above all a new
    connection pool. What was not confirmed is fetched again and stored once.
    """

    clock: Clock
    open_poller: Callable[[], AbstractAsyncContextManager[UpdatePoller]]

    async def run(self) -> None:
        """Poll until cancelled. Raises TokenRefused (in a group), and PollsStalled."""
        silence = await self._poll(timedelta())
        while silence < _GIVE_UP_AFTER:
            logger.warning("polls restarted", extra={"silent_s": silence.total_seconds()})
            silence = await self._poll(silence)
        minutes = silence // timedelta(minutes=1)
        raise PollsStalled(f"Telegram has not answered for {minutes} min")

    async def _poll(self, silence: timedelta) -> timedelta:
        """Run one poller, begun after *silence*; return how long the silence is now."""
        async with self.open_poller() as intake, asyncio.TaskGroup() as tasks:
            polling = tasks.create_task(intake.run())
            silence = await self._until_silent(intake, silence)
            polling.cancel()
        return silence

    async def _until_silent(self, intake: UpdatePoller, silence: timedelta) -> timedelta:
        answers, tried_for = intake.answers, timedelta()
        while tried_for < _RESTART_AFTER and silence < _GIVE_UP_AFTER:
            await self.clock.sleep(_BEAT)
            silence, tried_for = silence + _BEAT, tried_for + _BEAT
            if intake.answers != answers or intake.told_to_wait:
                answers, silence, tried_for = intake.answers, timedelta(), timedelta()
        return silence
