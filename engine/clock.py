"""The only place where the engine learns the time or waits for it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present, aware and in UTC."""
        ...

    async def sleep(self, duration: timedelta) -> None:
        """Return after *duration*; at once if it is not positive."""
        ...


class SystemClock:
    """Wall time, optionally running *speed* times as fast (the demo lives a minute in a second)."""

    def __init__(self, *, speed: int = 1) -> None:
        self._speed = speed
        self._started_at = datetime.now(UTC)

    def now(self) -> datetime:
        elapsed = datetime.now(UTC) - self._started_at
        return self._started_at + elapsed * self._speed

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(max(0.0, duration.total_seconds() / self._speed))


def to_millis(moment: datetime) -> int:
    """Whole milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_millis(millis: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=millis)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
