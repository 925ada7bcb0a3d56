"""What has to be done now and then, whoever is asked: every few seconds each job gets a turn."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from telegram.error import TelegramError

from engine.clock import Clock
from engine.errors import EngineError
from engine.storage import availability

_EVERY = timedelta(seconds=5)
_AWAY = (*availability.AWAY, TelegramError, EngineError)

Job = Callable[[], Awaitable[None]]

logger = logging.getLogger(__name__)


class PeriodicJobs:
    """*jobs* by their name. Every process makes its rounds, so a job first takes in hand, in the
    database, what it works on; and it does little at a time, for the next one waits for it.
    """

    def __init__(self, *, clock: Clock, jobs: Mapping[str, Job]) -> None:
        self._clock = clock
        self._jobs = jobs

    async def once(self) -> None:
        """A job that cannot do its work now is tried again in the next round."""
        for name, job in self._jobs.items():
            try:
                await job()
            except _AWAY as e:
                logger.warning("round cut short", extra={"job": name, "problem": type(e).__name__})
            except (ValueError, LookupError):
                # A row that only another version can read: the other jobs must not wait for it.
                logger.exception("round broke", extra={"job": name})

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.once()
            await self._clock.sleep(_EVERY)
