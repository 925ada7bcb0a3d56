"""Extends the listen keys in use before their hour is over: one heap of what is due, few at a time.

Times are of the steady clock, so that a wall clock that is set makes nothing due.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from zlib import crc32

from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.orders.order import AccountId
from engine.domain.streams.key_times import (
    DOUBTFUL_AFTER,
    URGENT_AFTER,
    VALID_FOR,
    extension_due,
)
from engine.domain.streams.trust import Doubt
from engine.errors import EngineError, HostRefused, RateLimited

logger = logging.getLogger(__name__)

_LOOK_EVERY = timedelta(seconds=1)
# In flight at a time, and so many more where one is nearly too old.
_MOST_AT_ONCE, _MORE_URGENT = 4, 4
# A key that is taken over is extended first, however old it is.
_TRIED_FOR = timedelta(minutes=1)
_REFUSED_FOR = timedelta(minutes=1)
_SIDES = 1000


class KeyGone(Exception):
    """The exchange does not know the key, or the account has another one by now."""


@dataclass(slots=True, eq=False, kw_only=True)
class KeptKey:
    """A key in use. *created_at* names it in the database. *is_waiting*: for its turn to be
    extended, or for the answer. *entry* is its place in the heap that counts. One that another
    process left is in use from *kept_at* on.
    """

    account: Account
    value: str = field(repr=False)
    key_print: str
    created_at: datetime
    extended_at: datetime
    kept_at: datetime
    failures: int = 0
    failed_at: datetime | None = None
    is_doubted: bool = False
    is_waiting: bool = False
    entry: int = 0

    def extension_due(self) -> datetime:
        return extension_due(
            self.extended_at,
            failures=self.failures,
            failed_at=self.failed_at,
            dice=crc32(self.account.uuid.encode()) % _SIDES,
        )

    def doubt_due(self) -> datetime:
        return max(self.extended_at + DOUBTFUL_AFTER, self.kept_at + _TRIED_FOR)


Extend = Callable[[KeptKey, bool], Awaitable[None]]


class KeyKeeper:
    """*extend* asks the exchange, urgently or not; it raises KeyGone, and what a request raises.
    *on_doubt* is told of each stream whose key is about to end, or has ended.
    """

    def __init__(
        self, clock: Clock, *, extend: Extend, on_doubt: Callable[[AccountId, Doubt], None]
    ) -> None:
        self._clock = clock
        self._extend = extend
        self._on_doubt = on_doubt
        self._kept: dict[AccountId, KeptKey] = {}
        self._heap: list[tuple[datetime, int, KeptKey]] = []
        # Those that are due, the oldest first.
        self._ready: list[tuple[datetime, int, KeptKey]] = []
        self._numbers = count()
        self._at_work = 0
        self._not_before: datetime | None = None

    def keep(self, key: KeptKey) -> None:
        """Extend *key* from now on, instead of the account's one before it."""
        self._kept[key.account.id] = key
        self._plan(key)

    def of(self, account_id: AccountId) -> KeptKey | None:
        return self._kept.get(account_id)

    def forget(self, account_id: AccountId) -> None:
        self._kept.pop(account_id, None)

    def oldest_age(self) -> timedelta:
        """Returns how long ago that of the keys in use was extended that is due first."""
        oldest = min((key.extended_at for key in self._kept.values()), default=None)
        return timedelta() if oldest is None else self._clock.steady() - oldest

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as workers:
            while True:
                self._look(workers)
                await self._clock.sleep(_LOOK_EVERY)

    def _look(self, workers: asyncio.TaskGroup) -> None:
        now = self._clock.steady()
        while self._heap and self._heap[0][0] <= now:
            _, entry, key = heappop(self._heap)
            if entry == key.entry and self._is_kept(key):
                self._due(key, now)
        if not self._ready or self._is_silent(now):
            return
        is_urgent = now - self._ready[0][0] >= URGENT_AFTER
        most = min(len(self._ready), _MOST_AT_ONCE + _MORE_URGENT * is_urgent - self._at_work)
        for _ in range(most):
            self._at_work += 1
            workers.create_task(self._work())

    def _due(self, key: KeptKey, now: datetime) -> None:
        ends_at = key.extended_at + VALID_FOR
        if now >= min(ends_at, key.doubt_due()) and not key.is_doubted:
            key.is_doubted = True
            self._doubt(key)
        if now >= ends_at:
            self.forget(key.account.id)  # the next stream has another one
            return
        if not key.is_waiting and key.extension_due() <= now:
            self._make_ready(key)
        self._plan(key)

    def _plan(self, key: KeptKey) -> None:
        """Look at *key* again when the next thing is due."""
        then = [key.extended_at + VALID_FOR]
        if not key.is_doubted:
            then.append(key.doubt_due())
        if not key.is_waiting:
            then.append(key.extension_due())
        key.entry = next(self._numbers)
        heappush(self._heap, (min(then), key.entry, key))

    def _make_ready(self, key: KeptKey) -> None:
        key.is_waiting = True
        heappush(self._ready, (key.extended_at, next(self._numbers), key))

    async def _work(self) -> None:
        try:
            while self._ready and not self._is_silent(self._clock.steady()):
                _, _, key = heappop(self._ready)
                if self._is_kept(key):
                    await self._extend_one(key)
        finally:
            self._at_work -= 1

    async def _extend_one(self, key: KeptKey) -> None:
        age = self._clock.steady() - key.extended_at
        try:
            await self._extend(key, age >= URGENT_AFTER)
        except (RateLimited, HostRefused) as e:
            wait = timedelta(seconds=e.retry_after) if isinstance(e, RateLimited) else _REFUSED_FOR
            self._not_before = self._clock.steady() + wait
            self._make_ready(key)
            return
        except KeyGone:
            if self._is_kept(key):
                self.forget(key.account.id)
                self._doubt(key)
            return
        except EngineError as e:
            self._failed(key, type(e).__name__)
        except Exception:  # one key that fails must not end the others
            logger.exception("listen key failed")
            self._failed(key, "a mistake of ours")
        else:
            key.extended_at, key.failures, key.failed_at = self._clock.steady(), 0, None
            key.is_doubted = False
        key.is_waiting = False
        if self._is_kept(key):
            self._plan(key)

    def _failed(self, key: KeptKey, problem: str) -> None:
        key.failures += 1
        key.failed_at = self._clock.steady()
        about = {"account": key.account.id, "problem": problem, "failures": key.failures}
        logger.warning("listen key not extended", extra=about)

    def _doubt(self, key: KeptKey) -> None:
        logger.warning("listen key in doubt", extra={"account": key.account.id})
        self._on_doubt(key.account.id, Doubt.KEY)

    def _is_kept(self, key: KeptKey) -> bool:
        return self._kept.get(key.account.id) is key

    def _is_silent(self, now: datetime) -> bool:
        return self._not_before is not None and now < self._not_before
