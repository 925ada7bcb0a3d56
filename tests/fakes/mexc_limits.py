"""MEXC's limits as it enforces them: by address and by key, with a ban for whoever does not listen."""

from collections import Counter, defaultdict, deque
from datetime import datetime, timedelta

from engine.clock import Clock
from tests.fakes.http import Reply, Request
from tests.fakes.mexc_faults import refusal

# As MEXC states them in 2026; what the program believes stands elsewhere.
WEIGHTS = {
    ("GET", "/api/v3/exchangeInfo"): 25,
    ("GET", "/api/v3/depth"): 3,
    ("GET", "/api/v3/ticker/price"): 10,
    ("GET", "/api/v3/ticker/bookTicker"): 10,
    ("GET", "/api/v3/account"): 10,
    ("GET", "/api/v3/order"): 2,
    ("GET", "/api/v3/allOrders"): 10,
    ("GET", "/api/v3/myTrades"): 10,
}
_SECOND, _TEN, _MINUTE = (timedelta(seconds=n) for n in (1, 10, 60))
_SILENCE_S, _BAN_S = 10, 120


class MexcLimits:
    """*refused* counts the answers 429 and 418; *served* is when each request was let in, and its
    weight.
    """

    def __init__(self, clock: Clock, *, weight: int = 300) -> None:
        self._clock = clock
        self._weight = weight
        self._seen: defaultdict[tuple[str, str], deque[tuple[datetime, int]]] = defaultdict(deque)
        self._silent_until: datetime | None = None
        self.refused: Counter[int] = Counter()
        self.served: list[tuple[datetime, int]] = []

    def judge(self, request: Request) -> Reply | None:
        """None where the request may pass."""
        now = self._clock.steady()
        if self._silent_until is not None and now < self._silent_until:
            return self._refuse(418, _BAN_S, now)
        key = request.headers.get("x-mexc-apikey", "")
        weight = WEIGHTS.get((request.method, request.path), 1)
        counts = [(("address", ""), weight, self._weight, _TEN)]
        if key:
            counts.append((("uid", key), weight, 500, _TEN))
        match (request.method, request.path):
            case ("GET", "/api/v3/account"):
                counts.append((("account", key), 1, 2, _SECOND))
            case ("POST" | "DELETE", "/api/v3/order"):
                counts.append((("orders", key), 1, 12, _SECOND))
            case ("GET", "/api/v3/exchangeInfo"):
                counts.append((("listings", ""), 1, 25, _MINUTE))
            case _:
                pass
        for name, amount, most, length in counts:
            seen = self._seen[name]
            while seen and seen[0][0] <= now - length:
                seen.popleft()
            if sum(n for _, n in seen) + amount > most:
                return self._refuse(429, _SILENCE_S, now)
        for name, amount, _, _ in counts:
            self._seen[name].append((now, amount))
        self.served.append((now, weight))
        return None

    def _refuse(self, status: int, seconds: int, now: datetime) -> Reply:
        self.refused[status] += 1
        self._silent_until = now + timedelta(seconds=seconds)
        return refusal(status, status=status, headers={"retry-after": str(seconds)})
