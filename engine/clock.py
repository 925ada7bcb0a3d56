"""The only place where the engine learns the time or waits for it."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Returns the present in UTC, to show and to store. It may be set."""
        ...

    def steady(self) -> datetime:
        """A moment of a clock that nothing sets back or ahead; only differences mean anything.

        It starts at `now()`. What is waited for or measured within one process goes by it.
        """
        ...

    async def sleep(self, duration: timedelta) -> None:
        """Return after *duration*; at once if it is not positive."""
        ...


class SystemClock:
    """Wall time."""

    def __init__(self) -> None:
        self._started_at = datetime.now(UTC)
        self._started_s = _uptime_s()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def steady(self) -> datetime:
        return self._started_at + timedelta(seconds=_uptime_s() - self._started_s)

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(max(0.0, duration.total_seconds()))


class FastClock:
    """The time of a simulation, *speed* times as fast as the machine's.

    What befalls the machine does not pass in it: a stall or a suspend counts for a quarter of a
    second at most, and a wall clock that is set for nothing. Until it is read it stands still.
    """

    def __init__(self, *, speed: int, uptime_s: Callable[[], float] | None = None) -> None:
        self._speed = speed
        self._uptime_s = uptime_s or _uptime_s
        self._now = datetime.now(UTC)
        self._read_s = self._uptime_s()

    def now(self) -> datetime:
        read_s = self._uptime_s()
        passed_s = min(read_s - self._read_s, _LONGEST_STALL_S)
        self._read_s = read_s
        self._now += timedelta(seconds=passed_s) * self._speed
        return self._now

    def steady(self) -> datetime:
        return self.now()

    async def sleep(self, duration: timedelta) -> None:
        until = self.now() + duration
        while (left_s := (until - self.now()).total_seconds() / self._speed) > 0:  # noqa: ASYNC110 - time is what it waits for
            await asyncio.sleep(min(left_s, _LONGEST_STALL_S / 2))


class ClockSteps:
    """Detects that the wall clock was set, by its distance from the steady clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = clock.now() - clock.steady()

    def look(self) -> timedelta | None:
        """Returns by how much the clock was set since the last call, if more than a minute.
        Set back is negative. After a suspend, in which all clocks stop, it counts as set ahead.
        """
        by = self._clock.now() - self._clock.steady() - self._ahead
        if abs(by) <= _A_MINUTE:
            return None
        self._ahead += by
        return by


def _uptime_s() -> float:
    """Returns the uptime in seconds, with suspended time where the system reports it."""
    source = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(source)


def to_millis(moment: datetime) -> int:
    """Whole milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def from_millis(millis: int) -> datetime:
    return _EPOCH + millis * _MILLISECOND


_LONGEST_STALL_S = 0.25
_A_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
