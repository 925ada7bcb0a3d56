"""An alarm clock for one waiter, with one timer however many moments are set."""

import asyncio
from datetime import datetime

from engine.clock import Clock


class Alarm:
    """Goes off at the earliest moment that was set, by the clock's `steady()`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at: datetime | None = None
        self._earlier = asyncio.Event()

    def set(self, at: datetime) -> None:
        """Go off at *at*, unless it goes off earlier."""
        if self._at is None or at < self._at:
            self._at = at
            self._earlier.set()

    async def wait(self) -> None:
        """Return when the alarm goes off; then it is not set any more."""
        while self._at is None or self._at > self._clock.steady():
            self._earlier.clear()
            if self._at is None:
                await self._earlier.wait()
                continue
            left = self._at - self._clock.steady()
            async with asyncio.TaskGroup() as tasks:
                asleep = tasks.create_task(self._clock.sleep(left))
                asleep.add_done_callback(lambda _: self._earlier.set())
                await self._earlier.wait()
                asleep.cancel()
        self._at = None
