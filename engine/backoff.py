"""Back-off: how long to wait after a failure, and calls that are repeated until they succeed."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from engine.clock import Clock

_LONGEST_PAUSE = timedelta(seconds=30)  # while a user waits
_MAX_DOUBLINGS = 16

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


def delay(failures: int, *, most: timedelta = _LONGEST_PAUSE) -> timedelta:
    """Returns the wait after so many failures in a row: 1 s, doubled each time."""
    return min(most, timedelta(seconds=2 ** min(max(failures - 1, 0), _MAX_DOUBLINGS)))


async def retry(
    call: Callable[[], Awaitable[T]],
    *,
    on: type[E] | tuple[type[E], ...],
    clock: Clock,
    failed: Callable[[E], None],
    most: timedelta = _LONGEST_PAUSE,
) -> T:
    """Repeat *call* until it succeeds; returns its result.

    Each exception in *on* is passed to *failed*, which may raise, and waited for by `delay`.
    """
    failures = 0
    while True:
        try:
            return await call()
        except on as e:
            failed(e)
        failures += 1
        await clock.sleep(delay(failures, most=most))
