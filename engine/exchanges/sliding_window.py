"""Sliding-window counter, as the exchange counts requests."""

from collections import deque
from datetime import datetime, timedelta

# Timers are not exact: a wait that is too short is tried again.
_MOMENT = timedelta(milliseconds=5)


class Window:
    """At most *most* in any *length*.

    The exchange counts a request at some moment between its sending and its answer. So it is
    counted here from its sending until *length* after its answer: however long each takes, the
    exchange never sees more than *most*.
    """

    def __init__(self, most: int, length: timedelta) -> None:
        self.most = most
        self._length = length
        self._under_way = 0
        self._over: deque[tuple[datetime, int]] = deque()
        self._used = 0

    def used(self, now: datetime) -> int:
        # An entry from the future means the clock was set back: it would block us for that long.
        while self._over and not now - self._length < self._over[0][0] <= now:
            self._used -= self._over.popleft()[1]
        return self._used + self._under_way

    def begin(self, amount: int) -> None:
        self._under_way += amount

    def end(self, amount: int, now: datetime) -> None:
        self._under_way -= amount
        self._over.append((now, amount))
        self._used += amount

    def room_in(self, amount: int, now: datetime) -> timedelta:
        """Returns the shortest time until *amount* fits; zero if it does now."""
        missing = self.used(now) + amount - self.most
        if missing <= 0:
            return timedelta()
        for over_at, freed in self._over:
            missing -= freed
            if missing <= 0:
                return max(_MOMENT, over_at + self._length - now)
        return self._length  # what is under way has yet to be answered
