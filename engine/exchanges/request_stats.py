"""Statistics of the requests to the exchange: count, duration and result per endpoint."""

from collections import Counter
from datetime import timedelta
from enum import Enum

from engine.monitoring.counters import Histogram, in_millis

_TOOK_MS = (10, 25, 50, 100, 200, 400, 800, 1500, 3000, 5000, 8000)

# Method and path.
Address = tuple[str, str]


class RequestOutcome(Enum):
    """Result of a request; rate limits by their status."""

    OK = "ok"
    REFUSED = "refused"
    WAF = "403"
    BANNED = "418"
    TOO_MANY = "429"
    SERVER_ERROR = "server_error"
    NEVER_LEFT = "never_left"
    NO_ANSWER = "no_answer"


_NAMED = {ending.value: ending for ending in RequestOutcome}


class RequestStats:
    """Request statistics by endpoint. *took* has all that left, answered or not.
    *ended* has every result of an endpoint from its first request on: Prometheus sees no increase
    in a series that appears with a value.
    """

    def __init__(self) -> None:
        self.took: dict[Address, Histogram] = {}
        self.ended: Counter[tuple[Address, RequestOutcome]] = Counter()

    def note(self, method: str, path: str, *, outcome: str, took: timedelta) -> None:
        """Record a request; *outcome* is the HTTP status, `never_left`, or `no_answer`."""
        address, ending = (method, path), ending_of(outcome)
        if address not in self.took:
            self.took[address] = in_millis(*_TOOK_MS)
            self.ended.update({(address, possible): 0 for possible in RequestOutcome})
        self.ended[address, ending] += 1
        if ending is not RequestOutcome.NEVER_LEFT:
            self.took[address].add(took)


def ending_of(outcome: str) -> RequestOutcome:
    by_class = {"2": RequestOutcome.OK, "5": RequestOutcome.SERVER_ERROR}
    return _NAMED.get(outcome) or by_class.get(outcome[:1], RequestOutcome.REFUSED)
