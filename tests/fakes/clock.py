"""A clock that stands still until a test moves it."""

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class FakeClock:
    """`sleep` returns at once and moves the time on, unless *manual*: then it waits for `advance`."""

    def __init__(self, *, start: datetime = START, manual: bool = False) -> None:
        self._now = start
        self._set_by = timedelta()
        self._manual = manual
        self._sleepers: list[tuple[datetime, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._now + self._set_by

    def steady(self) -> datetime:
        return self._now

    async def sleep(self, duration: timedelta) -> None:
        if duration <= timedelta():
            await asyncio.sleep(0)
            return
        if not self._manual:
            self._now += duration
            await asyncio.sleep(0)
            return
        awake = asyncio.Event()
        self._sleepers.append((self._now + duration, awake))
        await awake.wait()

    def shift(self, duration: timedelta) -> None:
        """Move the time without waking anybody."""
        self._now += duration

    def set_by(self, duration: timedelta) -> None:
        """Somebody sets the wall clock: it is wrong or right now, and no time has passed."""
        self._set_by += duration

    async def advance(self, duration: timedelta) -> None:
        """Move the time, wake whoever waited for it, and let the loop turn."""
        self._now += duration
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self._now]
        for sleeper in due:
            self._sleepers.remove(sleeper)
            sleeper[1].set()
        for _ in range(20):
            await asyncio.sleep(0)
