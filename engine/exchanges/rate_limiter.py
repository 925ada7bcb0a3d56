"""The request budget of one address: every account of the process draws on the same one."""

from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, IntEnum, auto

from engine.clock import Clock
from engine.errors import HostRefused, RateLimited
from engine.exchanges.sliding_window import Window

_ADDRESS_WINDOW = timedelta(seconds=10)
_SECOND, _MINUTE = timedelta(seconds=1), timedelta(minutes=1)
# Upper limit of a wait: requests ahead may be cancelled, or a rate limit be hit.
_LOOK_AGAIN = timedelta(seconds=1)
# An order needs its book. What asks for one after all the checks would ask for ever.
_LAST_FOR = timedelta(seconds=1)
_KEEPING_LAST_FOR = timedelta(seconds=10)
# So long events go before checks: there may be events without an end.
_CHECK_LAST_FOR = timedelta(seconds=15)
# Checks are paced: if they spent the whole window in its first second, the next request, perhaps a
# user's, would wait for 9 s. A fifth faster than the average limit of the address.
_PACE_WINDOW, _PACE_PERCENT = timedelta(seconds=2), 24
_HEAVIEST = 25
# What is kept free, so that orders need not wait for the checks before them: parts of the whole.
_KEPT_FROM_CHECKS = 30
_KEPT_FROM_LOOK_UPS = 60


class Priority(IntEnum):
    """Order of requests. Market data is last for a second, then first: an order may need it. What
    keeps a stream is last for ten, then takes its turn among the checks. WOKEN are checks and
    market data that are `hurried`; other checks take their turn among them after 15 seconds.
    """

    ORDER = auto()
    LOOK_UP = auto()
    WOKEN = auto()
    CHECK = auto()
    MARKET = auto()
    KEEPING = auto()


_PACED = frozenset({Priority.CHECK, Priority.MARKET, Priority.KEEPING})
_HURRIED = frozenset({Priority.CHECK, Priority.MARKET})
_is_hurried: ContextVar[bool] = ContextVar("is_hurried", default=False)


@contextmanager
def hurried() -> Iterator[None]:
    """Within the block what a check asks goes before what other accounts' checks ask: something
    happened to its account, or somebody waits.
    """
    token = _is_hurried.set(True)
    try:
        yield
    finally:
        _is_hurried.reset(token)


class RequestKind(Enum):
    """Second limit of a request, beside its weight."""

    PLAIN = auto()
    ORDER = auto()  # by key
    ACCOUNT = auto()  # by key
    LISTING = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """What MEXC allows (2026): *weight* in 10 s and *listings* a minute per address.
    The others are limits per second and key.
    """

    weight: int = 300
    orders: int = 12
    account_reads: int = 2
    listings: int = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """*weight_used* of the last 10 seconds. *waiting* counts the requests that wait by priority.

    *host_refused* is the HTTP status with which this host was refused, while it is blocked.
    """

    weight_used: int
    weight_limit: int
    waiting: Mapping[Priority, int]
    blocked_until: datetime | None
    host_refused: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    """One waiting request. *own* is the limit beside the address's weight that it counts for."""

    weight: int
    priority: Priority
    own: Window | None
    since: datetime

    def rank(self, now: datetime) -> Priority:
        waited = now - self.since
        if self.priority is Priority.MARKET and waited >= _LAST_FOR:
            return Priority.ORDER
        if self.priority is Priority.KEEPING and waited >= _KEEPING_LAST_FOR:
            return Priority.CHECK
        if self.priority is Priority.CHECK and waited >= _CHECK_LAST_FOR:
            return Priority.WOKEN
        return self.priority


@dataclass(slots=True)
class _Keys:
    """The windows of the keys that were used lately."""

    limits: RateLimits
    _windows: dict[tuple[RequestKind, str], Window] = field(default_factory=dict)
    _swept_at: datetime | None = None

    def window(self, kind: RequestKind, key: str, now: datetime, waiters: list[_Waiter]) -> Window:
        self._sweep(now, waiters)
        most = self.limits.orders if kind is RequestKind.ORDER else self.limits.account_reads
        return self._windows.setdefault((kind, key), Window(most, _SECOND))

    def _sweep(self, now: datetime, waiters: list[_Waiter]) -> None:
        if self._swept_at is None or not timedelta() <= now - self._swept_at < _MINUTE:
            wanted = {waiter.own for waiter in waiters}
            kept = {k: w for k, w in self._windows.items() if w.used(now) or w in wanted}
            self._windows = kept
            self._swept_at = now


class RateLimiter:
    """Lets requests leave as fast as the exchange allows, by priority, then first come.
    A key whose own limit is used up does not delay other keys. *for_woken* is the weight that
    checks leave to those that are `hurried`.
    """

    def __init__(
        self, clock: Clock, limits: RateLimits | None = None, *, for_woken: int = 0
    ) -> None:
        self._clock = clock
        self._for_woken = for_woken
        self._limits = limits or RateLimits()
        self._address = Window(self._limits.weight, _ADDRESS_WINDOW)
        pace = max(_HEAVIEST, self._limits.weight * _PACE_PERCENT // 100)
        self._pace = Window(pace, _PACE_WINDOW)
        self._hurried_pace = Window(pace, _PACE_WINDOW)  # they do not wait for the others' pace
        self._listings = Window(self._limits.listings, _MINUTE)
        self._keys = _Keys(self._limits)
        self._waiters: list[_Waiter] = []
        self._blocked_until: datetime | None = None
        self._host_refused: str | None = None

    @asynccontextmanager
    async def acquire(
        self,
        weight: int,
        priority: Priority,
        *,
        kind: RequestKind = RequestKind.PLAIN,
        key: str = "",
    ) -> AsyncGenerator[None]:
        """The request leaves, and is answered, within the block.

        Raises RateLimited, also while it waits, if the exchange wants silence, and HostRefused
        if the silence follows a refusal of this host.
        """
        if priority in _HURRIED and _is_hurried.get():
            priority = Priority.WOKEN
        if weight + self._kept_from(priority) > self._limits.weight:
            raise ValueError(f"a weight of {weight} never fits into {self._limits.weight}")
        self._refuse_while_blocked()
        own = self._own_window(kind, key)
        spent = [(self._address, weight)]
        if own is not None:
            spent.append((own, 1))
        if (pace := self._pace_of(priority)) is not None:
            spent.append((pace, weight))
        await self._wait(_Waiter(weight, priority, own, self._clock.steady()))
        for window, amount in spent:
            window.begin(amount)
        try:
            yield
        finally:
            now = self._clock.steady()
            for window, amount in spent:
                window.end(amount, now)

    def block_until(self, until: datetime, *, host_refused: str | None = None) -> None:
        """No request leaves before *until*; an earlier end than a known one changes nothing.

        *host_refused* is the HTTP status where this host was refused, and not the pace.
        """
        if self._blocked_until is None or until > self._blocked_until:
            self._blocked_until, self._host_refused = until, host_refused

    def usage(self) -> Usage:
        now = self._clock.steady()
        is_blocked = self._blocked_until is not None and self._blocked_until > now
        return Usage(
            weight_used=self._address.used(now),
            weight_limit=self._limits.weight,
            waiting=Counter(waiter.priority for waiter in self._waiters),
            blocked_until=self._blocked_until if is_blocked else None,
            host_refused=self._host_refused if is_blocked else None,
        )

    async def _wait(self, waiter: _Waiter) -> None:
        self._waiters.append(waiter)
        try:
            while pause := self._pause(waiter):
                await self._clock.sleep(min(pause, _LOOK_AGAIN))
                self._refuse_while_blocked()
        finally:
            self._waiters.remove(waiter)

    def _pause(self, waiter: _Waiter) -> timedelta:
        """Returns the shortest time until *waiter* may leave, behind all that go before it."""
        now = self._clock.steady()
        rank = waiter.rank(now)
        pace = self._pace_of(rank)
        own_ahead = weight_ahead = paced_ahead = 0
        for other in self._before(waiter, now):
            if other.own is not None and other.own is waiter.own:
                own_ahead += 1
            if other.own is None or not other.own.room_in(1, now):
                weight_ahead += other.weight
                paced_ahead += other.weight if self._pace_of(other.rank(now)) is pace else 0
        pauses = [self._address.room_in(weight_ahead + waiter.weight + self._kept_from(rank), now)]
        if waiter.own is not None:
            pauses.append(waiter.own.room_in(own_ahead + 1, now))
        if pace is not None:
            pauses.append(pace.room_in(paced_ahead + waiter.weight, now))
        return max(pauses)

    def _before(self, waiter: _Waiter, now: datetime) -> list[_Waiter]:
        rank, place = waiter.rank(now), self._waiters.index(waiter)
        return [
            other
            for position, other in enumerate(self._waiters)
            if (other.rank(now), position) < (rank, place)
        ]

    def _pace_of(self, priority: Priority) -> Window | None:
        if priority is Priority.WOKEN:
            return self._hurried_pace
        return self._pace if priority in _PACED else None

    def _kept_from(self, priority: Priority) -> int:
        match priority:
            case Priority.ORDER:
                return 0
            case Priority.LOOK_UP | Priority.WOKEN:
                return self._limits.weight // _KEPT_FROM_LOOK_UPS
            case Priority.CHECK | Priority.MARKET | Priority.KEEPING:
                kept = self._limits.weight // _KEPT_FROM_CHECKS
                return max(kept, min(self._for_woken, self._limits.weight - _HEAVIEST))

    def _own_window(self, kind: RequestKind, key: str) -> Window | None:
        match kind:
            case RequestKind.PLAIN:
                return None
            case RequestKind.LISTING:
                return self._listings
            case RequestKind.ORDER | RequestKind.ACCOUNT:
                return self._keys.window(kind, key, self._clock.steady(), self._waiters)

    def _refuse_while_blocked(self) -> None:
        if self._blocked_until is None:
            return
        left = self._blocked_until - self._clock.steady()
        if left <= timedelta():
            self._blocked_until = None
            return
        if self._host_refused is not None:
            raise HostRefused(self._host_refused)
        raise RateLimited("the exchange asked for silence", retry_after=left.total_seconds())
