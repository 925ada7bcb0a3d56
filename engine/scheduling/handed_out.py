"""The accounts that are handed out to the pool and whose check has not begun.

Those whom something happened to, or whose user waits, have workers of their own: the others may all
wait for their turn at the exchange.
"""

import asyncio
from collections.abc import Iterator
from itertools import count

from engine.domain.rebalancing.check_input import CheckInput
from engine.scheduling.account_queue import Line

Duty = tuple[CheckInput, int]
"""What a check needs, and the fence under which that was read."""


class HandedOut:
    def __init__(self) -> None:
        self._polled: asyncio.Queue[Duty] = asyncio.Queue()
        self._ahead: asyncio.PriorityQueue[tuple[Line, int, Duty]] = asyncio.PriorityQueue()
        self._numbers = count()

    @property
    def polled(self) -> int:
        """How many wait whose interval is over."""
        return self._polled.qsize()

    @property
    def ahead(self) -> int:
        """How many wait in the lines before them."""
        return self._ahead.qsize()

    def put(self, line: Line, duty: CheckInput, fence: int) -> None:
        if line is Line.POLLED:
            self._polled.put_nowait((duty, fence))
        else:
            self._ahead.put_nowait((line, next(self._numbers), (duty, fence)))

    async def next_polled(self) -> Duty:
        return await self._polled.get()

    async def next_ahead(self) -> Duty:
        """By line, then in the order of the hand-outs."""
        return (await self._ahead.get())[2]

    def take_all(self) -> Iterator[Duty]:
        """Remove and return those whose check has not begun."""
        while not self._polled.empty():
            yield self._polled.get_nowait()
        while not self._ahead.empty():
            yield self._ahead.get_nowait()[2]
