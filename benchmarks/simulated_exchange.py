"""An exchange in a time of its own, which enforces its limits and tells what changes.

Time is the loop's: it goes on as soon as nobody has anything to do.
"""

import asyncio
import selectors
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

from benchmarks.mexc import ADDRESS_LIMIT, ADDRESS_WINDOW_S, Window
from engine.domain.market.pairs import USDT, Asset
from engine.domain.orders.order import AccountId
from engine.domain.streams.events import BalanceEvent, Cause
from engine.exchanges.interface import AccountFeed

BASE, TARGET, DAY_S = Asset("MNTL"), Decimal(40), 86_400.0
_CHANGES, _ROUND_TRIP_S = 4, 0.15
_START = datetime(2026, 1, 1, tzinfo=UTC)
_DEPOSIT, _SMALL = Decimal(20), Decimal("0.5")


class _NoWaiting(selectors.DefaultSelector):
    """Of a loop that has no files to wait for: waiting moves its time on."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody waits for ever")
        self.now += max(timeout, 0.0)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._time = _NoWaiting()
        super().__init__(self._time)

    def time(self) -> float:
        return self._time.now


class SimulatedClock:
    def now(self) -> datetime:
        return _START + timedelta(seconds=asyncio.get_running_loop().time())

    def steady(self) -> datetime:
        return self.now()

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(duration.total_seconds())


@dataclass(slots=True)
class Purse:
    usdt: Decimal = TARGET
    base: Decimal = Decimal(100_000)
    feed: AccountFeed | None = None
    changed_at: float | None = None  # and not looked at since
    is_told: bool = False


@dataclass
class SimulatedExchange:
    """Counts a request when it arrives, somewhere between its sending and its answer."""

    clock: SimulatedClock
    random: Random
    purses: dict[AccountId, Purse]
    refused: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    extended_at: dict[AccountId, float] = field(default_factory=dict)
    oldest_s: float = 0.0

    def __post_init__(self) -> None:
        self._address = Window(ADDRESS_LIMIT, ADDRESS_WINDOW_S)
        self._by_key: dict[tuple[str, AccountId], Window] = {}

    @asynccontextmanager
    async def asked_for(
        self, what: str, weight: int, account_id: AccountId, *, a_second: int | None = None
    ) -> AsyncGenerator[None]:
        """Within the block the exchange has it before it; then its answer is on its way."""
        on_its_way = self.random.random() * _ROUND_TRIP_S
        await asyncio.sleep(on_its_way)
        now = moment()
        windows = [(self._address, weight)]
        if a_second is not None:
            own = self._by_key.setdefault((what, account_id), Window(a_second, 1.0))
            windows.append((own, 1))
        self.refused += sum(not window.takes(amount, now=now) for window, amount in windows)
        self.asked[what] += 1
        self.asked["weight"] += weight
        yield
        await asyncio.sleep(_ROUND_TRIP_S - on_its_way)

    def extended(self, account_id: AccountId) -> None:
        now = moment()
        self.oldest_s = max(self.oldest_s, now - self.extended_at.get(account_id, now))
        self.extended_at[account_id] = now

    def change(self, account_id: AccountId, usdt: Decimal, cause: Cause) -> None:
        purse = self.purses[account_id]
        purse.usdt += usdt
        self._tell(purse, USDT, purse.usdt, usdt, cause)

    def order(self, account_id: AccountId, usdt: Decimal) -> None:
        """USDT for the base, or the other way round, at 0.002."""
        self.change(account_id, usdt, Cause.TRADE)
        purse, base = self.purses[account_id], -usdt / Decimal("0.002")
        purse.base += base
        self._tell(purse, BASE, purse.base, base, Cause.TRADE)

    def _tell(
        self, purse: Purse, asset: Asset, free: Decimal, change: Decimal, cause: Cause
    ) -> None:
        if purse.feed is None:
            return
        made_ms, zero = int(moment() * 1000), Decimal(0)
        event = BalanceEvent(
            asset=asset,
            free=free,
            locked=zero,
            before=(free - change, zero),
            cause=cause,
            order=(made_ms, made_ms),
            at=self.clock.steady(),
        )
        purse.feed.event(event)


def moment() -> float:
    return asyncio.get_running_loop().time()


async def change_all(exchange: SimulatedExchange) -> None:
    """Four a day and account: two that are traded back, and two that are too small for it."""
    whose = [account_id for account_id in exchange.purses for _ in range(_CHANGES)]
    exchange.random.shuffle(whose)
    amounts = {who: deque([_DEPOSIT, _SMALL, -_DEPOSIT, -_SMALL]) for who in exchange.purses}
    for account_id, after_s in zip(whose, _gaps(exchange.random, len(whose)), strict=True):
        await asyncio.sleep(after_s)
        amount = amounts[account_id].popleft()
        purse = exchange.purses[account_id]
        if purse.changed_at is None:
            purse.changed_at, purse.is_told = moment(), purse.feed is not None
        exchange.change(account_id, amount, Cause.DEPOSIT)


def _gaps(random: Random, count: int) -> Iterator[float]:
    """Between moments of a day."""
    moments = sorted(random.uniform(0, DAY_S) for _ in range(count))
    return (later - earlier for earlier, later in pairwise([0.0, *moments]))
