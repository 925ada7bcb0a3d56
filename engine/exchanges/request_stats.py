"""Statistics of the requests to the exchange: count, duration and result per endpoint."""

from datetime import timedelta
from enum import Enum

from prometheus_client import Counter, Histogram

_A_SECOND = timedelta(seconds=1)
_TOOK_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 5, 8)


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
        self._seen: set[tuple[str, str]] = set()
        self.took = Histogram(
            "ballast_exchange_request_seconds",
            "How long MEXC took to answer, or did not",
            ["method", "path"],
            buckets=_TOOK_S,
            registry=None,
        )
        self.ended = Counter(
            "ballast_exchange_requests",
            "Requests to MEXC by how they ended; 403, 418 and 429 ask for silence",
            ["method", "path", "result"],
            registry=None,
        )

    def note(self, method: str, path: str, *, outcome: str, took: timedelta) -> None:
        """Record a request; *outcome* is the HTTP status, `never_left`, or `no_answer`."""
        if (method, path) not in self._seen:
            self._seen.add((method, path))
            self.took.labels(method, path)
            for possible in RequestOutcome:
                self.ended.labels(method, path, possible.value)
        ending = ending_of(outcome)
        self.ended.labels(method, path, ending.value).inc()
        if ending is not RequestOutcome.NEVER_LEFT:
            self.took.labels(method, path).observe(took / _A_SECOND)


def ending_of(outcome: str) -> RequestOutcome:
    by_class = {"2": RequestOutcome.OK, "5": RequestOutcome.SERVER_ERROR}
    return _NAMED.get(outcome) or by_class.get(outcome[:1], RequestOutcome.REFUSED)
