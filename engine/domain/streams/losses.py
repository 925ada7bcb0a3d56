"""When streams were lost together, and how fast their accounts are read again after it. Pure.

Times are of the steady clock.
"""

from collections import deque
from datetime import datetime, timedelta

TOGETHER = timedelta(seconds=10)
_FEWEST = 2
# Two thirds of what one address may read: the checks of others go on beside it.
_READ_EVERY = timedelta(milliseconds=500)
_READ_AT_ONCE = 20


class Losses:
    """Counts the streams of one process that were lost."""

    def __init__(self) -> None:
        self._times: deque[datetime] = deque()
        self.is_incident = False

    def lost(self, now: datetime, *, standing: int) -> bool:
        """Take one loss, after which so many are *standing*. Returns True once if with it half of
        them were lost together; what follows before there is calm belongs to it.
        """
        self.look(now)
        self._times.append(now)
        count = len(self._times)
        begins = not self.is_incident and count >= _FEWEST and count >= standing
        self.is_incident = self.is_incident or begins
        return begins

    def look(self, now: datetime) -> None:
        """Forget what is over."""
        while self._times and now - self._times[0] > TOGETHER:
            self._times.popleft()
        self.is_incident = self.is_incident and bool(self._times)

    @property
    def count(self) -> int:
        """How many were lost together."""
        return len(self._times)


class ReadingAgain:
    """Gives each account that is in doubt a moment to be read: a few at once, many one by one."""

    def __init__(self) -> None:
        self._next: datetime | None = None

    def moment(self, now: datetime) -> datetime:
        burst = _READ_EVERY * (_READ_AT_ONCE - 1)
        slot = max(self._next or now - burst, now - burst)
        self._next = slot + _READ_EVERY
        return max(slot, now)
