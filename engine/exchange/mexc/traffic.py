"""What was asked of the exchange: how often, how long it took, and how it ended.

Requests are told apart by their endpoint, of which there is a handful; never by what they ask for.
"""

from collections import Counter
from collections.abc import Awaitable
from enum import Enum

import httpx

from engine.clock import Clock
from engine.domain.tally import Spread, in_millis
from engine.exchange.mexc.transport import NEVER_LEFT, Answer

_TOOK_MS = (10, 25, 50, 100, 200, 400, 800, 1500, 3000, 5000, 8000)

Address = tuple[str, str]


class Ending(Enum):
    """How a request ended; a status of its own where MEXC wants silence."""

    OK = "ok"
    REFUSED = "refused"
    WAF = "403"
    BANNED = "418"
    TOO_MANY = "429"
    SERVER_ERROR = "server_error"
    NEVER_LEFT = "never_left"
    NO_ANSWER = "no_answer"


_SILENCE = {403: Ending.WAF, 418: Ending.BANNED, 429: Ending.TOO_MANY}


class Traffic:
    """By method and path. *took* has all that left, answered or not; *ended* has every ending of an
    endpoint from its first request on, for what comes first would not be seen as a change.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.took: dict[Address, Spread] = {}
        self.ended: Counter[tuple[Address, Ending]] = Counter()

    async def counted(self, method: str, path: str, sending: Awaitable[Answer]) -> Answer:
        """The answer of *sending*, or what it raises."""
        address, left_at, ending = (method, path), self._clock.now(), Ending.NO_ANSWER
        if address not in self.took:
            self.took[address] = in_millis(*_TOOK_MS)
            self.ended.update({(address, possible): 0 for possible in Ending})
        try:
            answer = await sending
            ending = ending_of(answer.status)
        except NEVER_LEFT:
            ending = Ending.NEVER_LEFT
            raise
        finally:
            self.ended[address, ending] += 1
            if ending is not Ending.NEVER_LEFT:
                self.took[address].add(self._clock.now() - left_at)
        return answer


def ending_of(status: int) -> Ending:
    if httpx.codes.is_success(status):
        return Ending.OK
    if httpx.codes.is_server_error(status):
        return Ending.SERVER_ERROR
    return _SILENCE.get(status, Ending.REFUSED)
