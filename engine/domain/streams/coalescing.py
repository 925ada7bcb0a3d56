"""When a change that a stream told is looked at: after a moment of quiet, and not too often. Pure.

Times are of the steady clock.
"""

from collections import deque
from datetime import datetime, timedelta

QUIET = timedelta(milliseconds=300)
LONGEST = timedelta(seconds=2)
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
MOST_A_MINUTE, MOST_AN_HOUR = 6, 60


class Coalescing:
    """The events of one account. Many within a moment are one check; and no more checks come of
    them than an account may have, whoever trades by hand or another bot: its interval does the rest.
    """

    def __init__(self) -> None:
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._checks: deque[datetime] = deque(maxlen=MOST_AN_HOUR)

    @property
    def is_pending(self) -> bool:
        """True if something happened since the last check."""
        return self._first is not None

    def event(self, now: datetime) -> None:
        """Something changed that a check should see."""
        if self._first is None:
            self._first = now
        self._last = now

    @property
    def since(self) -> datetime | None:
        """When the first event came that no check has seen; None where there is none."""
        return self._first

    def due_at(self) -> datetime | None:
        """Returns when to check; None where nothing happened since the last check."""
        if self._first is None or self._last is None:
            return None
        checks, due = self._checks, [min(self._last + QUIET, self._first + LONGEST)]
        if len(checks) >= MOST_A_MINUTE:
            due.append(checks[-MOST_A_MINUTE] + _MINUTE)
        if len(checks) == MOST_AN_HOUR:
            due.append(checks[0] + _HOUR)
        return max(due)

    def checked(self, now: datetime) -> None:
        """A check of the events so far begins: what comes from now on is for another one."""
        if self._first is not None:
            self._checks.append(now)
        self._first = self._last = None
