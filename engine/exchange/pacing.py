"""The request budget of one address: every account of the process draws on the same one."""

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.clock import Clock
from engine.errors import RateLimited

_MOMENT = timedelta(milliseconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """*weight_used* of the window that ends now."""

    weight_used: int
    weight_limit: int


class WeightBudget:
    """At most *limit* weight in any *window*; whoever comes when it is used up waits in turn."""

    def __init__(
        self, clock: Clock, *, limit: int = 300, window: timedelta = timedelta(seconds=10)
    ) -> None:
        self._clock = clock
        self._limit = limit
        self._window = window
        self._spent: deque[tuple[datetime, int]] = deque()
        self._used = 0
        self._cooling_until: datetime | None = None
        self._urgent_waiting = 0
        # asyncio's locks are fair: within its class, who came first goes first.
        self._ordinary_line = asyncio.Lock()
        self._urgent_line = asyncio.Lock()

    async def spend(self, weight: int, *, urgent: bool = False) -> None:
        """Return once a request of *weight* may leave. Orders and look-ups are *urgent*.

        Raises RateLimited at once while the exchange wants silence.
        """
        if weight > self._limit:
            raise ValueError(f"a weight of {weight} never fits into {self._limit}")
        self._refuse_while_cooling()
        if not urgent:
            async with self._ordinary_line:
                await self._take(weight, urgent=False)
            return
        self._urgent_waiting += 1
        try:
            async with self._urgent_line:
                await self._take(weight, urgent=True)
        finally:
            self._urgent_waiting -= 1

    def cool_down(self, until: datetime) -> None:
        """No request leaves before *until*; an earlier end than a known one changes nothing."""
        if self._cooling_until is None or until > self._cooling_until:
            self._cooling_until = until

    def usage(self) -> Usage:
        self._forget_expired()
        return Usage(weight_used=self._used, weight_limit=self._limit)

    async def _take(self, weight: int, *, urgent: bool) -> None:
        while True:
            self._refuse_while_cooling()
            self._forget_expired()
            may_go = urgent or not self._urgent_waiting
            if may_go and self._used + weight <= self._limit:
                self._spent.append((self._clock.now(), weight))
                self._used += weight
                return
            await self._clock.sleep(self._until_more_room())

    def _refuse_while_cooling(self) -> None:
        if self._cooling_until is None:
            return
        left = self._cooling_until - self._clock.now()
        if left <= timedelta():
            self._cooling_until = None
            return
        raise RateLimited("the exchange asked for silence", retry_after=left.total_seconds())

    def _forget_expired(self) -> None:
        now = self._clock.now()
        # An entry from the future means the clock was set back: it would block us for that long.
        while self._spent and not now - self._window < self._spent[0][0] <= now:
            self._used -= self._spent.popleft()[1]

    def _until_more_room(self) -> timedelta:
        if not self._spent:  # only an urgent one is ahead of us
            return _MOMENT
        return max(_MOMENT, self._spent[0][0] + self._window - self._clock.now())
