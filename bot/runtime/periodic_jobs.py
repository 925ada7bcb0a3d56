"""Runs the periodic jobs (digests, key expiry, pruning, status messages) every few seconds."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from telegram.error import TelegramError

from engine.clock import Clock
from engine.errors import EngineError
from engine.storage import availability

_AWAY = (*availability.AWAY, TelegramError, EngineError)

Job = Callable[[], Awaitable[None]]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, kw_only=True)
class PeriodicJobs:
    """Runs *jobs*, given by name, in every process, *every* so often.
    So each job first claims its rows in the database, and does little per run, because the next
    one waits for it.
    """

    clock: Clock
    jobs: Mapping[str, Job]
    every: timedelta = timedelta(seconds=5)

    async def run_once(self) -> None:
        """Run each job once; one that fails is retried in the next run."""
        for name, job in self.jobs.items():
            try:
                await job()
            except _AWAY as e:
                logger.warning("job postponed", extra={"job": name, "problem": type(e).__name__})
            except (ValueError, LookupError):
                # A row that only another version can read must not stop the other jobs.
                logger.exception("job failed", extra={"job": name})

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            await self.run_once()
            await self.clock.sleep(self.every)
