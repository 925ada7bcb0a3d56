"""A day of many accounts with streams on one address: `python -m benchmarks.simulated_day ACCOUNTS`.

What decides is the program's own: the budget, the keeper of keys, the fleet, what streams told, the
intervals, the queue. The exchange enforces its limits, and tells of four changes a day and account,
of which half lead to an order. Time is the loop's: it goes on as soon as nobody has anything to do.
Prints as JSON what came of it.
"""

import asyncio
import json
import resource
import selectors
import sys
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

from benchmarks.mexc import ADDRESS_LIMIT, ADDRESS_WINDOW_S, ORDERS_PER_S, READS_PER_S, Window
from benchmarks.reports import quantile
from bot.config.settings import ProcessSettings
from engine.domain.accounts.account import Account
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.pairs import USDT, Asset
from engine.domain.orders.order import AccountId, ClientOrderId
from engine.domain.rebalancing.schedule import next_check
from engine.domain.streams.events import BalanceEvent, Cause
from engine.domain.streams.live_account import ReadVerdict
from engine.exchanges.interface import AccountFeed
from engine.exchanges.mexc.listen_keys.keeper import KeptKey, KeyKeeper
from engine.exchanges.rate_limiter import Priority, RateLimiter, RequestKind, hurried
from engine.scheduling.account_queue import AccountQueue, Line
from engine.scheduling.alarm import Alarm
from engine.streaming.fleet import Fleet
from engine.streaming.live_accounts import LiveAccounts
from tests.fakes.streams import FakeStream

_DAY_S, _AFTERWARDS_S = 86_400.0, 2 * 3600.0
_CHANGES, _POOL, _ROUND_TRIP_S = 4, 8, 0.15
_BEAT = timedelta(milliseconds=500)
# The weight of an event's check up to its order, and of the balances after it: as the program's.
_FOR_WOKEN = 25
_FENCE = 1
_START = datetime(2026, 1, 1, tzinfo=UTC)
_TARGET, _DEPOSIT, _SMALL = Decimal(40), Decimal(20), Decimal("0.5")


class _NoWaiting(selectors.DefaultSelector):
    """Of a loop that has no files to wait for: waiting moves its time on."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody waits for ever")
        self.now += max(timeout, 0.0)
        return []


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._time = _NoWaiting()
        super().__init__(self._time)

    def time(self) -> float:
        return self._time.now


class _Clock:
    def now(self) -> datetime:
        return _START + timedelta(seconds=asyncio.get_running_loop().time())

    def steady(self) -> datetime:
        return self.now()

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(duration.total_seconds())


class _Stream(FakeStream):
    async def beat(self) -> timedelta:
        return timedelta(hours=1)  # pings cost the address nothing


@dataclass(slots=True)
class _Purse:
    usdt: Decimal = _TARGET
    base: Decimal = Decimal(100_000)
    feed: AccountFeed | None = None
    changed_at: float | None = None  # and not looked at since
    is_told: bool = False


@dataclass
class _Exchange:
    """Counts a request when it arrives, somewhere between its sending and its answer."""

    clock: _Clock
    random: Random
    purses: dict[AccountId, _Purse]
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
        now = _now()
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
        now = _now()
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
        self._tell(purse, Asset("MNTL"), purse.base, base, Cause.TRADE)

    def _tell(
        self, purse: _Purse, asset: Asset, free: Decimal, change: Decimal, cause: Cause
    ) -> None:
        if purse.feed is None:
            return
        made_ms, zero = int(_now() * 1000), Decimal(0)
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


class _Engine:
    """Satisfies AccountStreams; and checks as the dispatcher and its checker do, without a database."""

    is_remote = True

    def __init__(
        self, exchange: _Exchange, clock: _Clock, accounts: Mapping[AccountId, Account]
    ) -> None:
        self._exchange, self._clock, self._accounts = exchange, clock, accounts
        self.budget = RateLimiter(clock, for_woken=_FOR_WOKEN)
        self.live = LiveAccounts(clock)
        self.fleet = Fleet(
            clock=clock, live=self.live, streams_for=lambda _: self, most=len(accounts)
        )
        self._keeper = KeyKeeper(clock, extend=self._extend, on_doubt=self.live.doubt)
        self._queue = AccountQueue(error_backoff=timedelta(minutes=1))
        self._queue.take(dict.fromkeys(accounts, _FENCE), now=clock.steady())
        self._alarm = Alarm(clock)
        self._polled: asyncio.Queue[AccountId] = asyncio.Queue()
        self._ahead: asyncio.Queue[AccountId] = asyncio.Queue()
        self.live.on_due = self._wake
        self.live.on_reread = lambda who, at: self._wake(who, at, Line.POLLED)
        self.told: list[float] = []
        self.untold: list[float] = []
        self.checks: Counter[str] = Counter()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for work in (self._beats(), self._alarms(), self.fleet.run(), self._keeper.run()):
                tasks.create_task(work)
            for _ in range(_POOL):
                tasks.create_task(self._work())
                tasks.create_task(self._work_ahead())

    # Of the streams.

    async def open(self, account: Account, *, feed: AccountFeed, renew: bool) -> _Stream:
        kept = self._keeper.of(account.id)
        if kept is None or renew:
            async with (
                self.budget.acquire(1, Priority.KEEPING),
                self._exchange.asked_for("POST", 1, account.id),
            ):
                self._exchange.extended_at[account.id] = _now()
            now = self._clock.steady()
            self._keeper.keep(
                KeptKey(
                    account=account,
                    value="key",
                    key_print="key",
                    created_at=now,
                    extended_at=now,
                    kept_at=now,
                )
            )
        self._exchange.purses[account.id].feed = feed
        return _Stream(account, feed, acknowledges=True)

    async def close(self, account_id: AccountId) -> None:
        self._keeper.forget(account_id)

    async def _extend(self, key: KeptKey, urgently: bool) -> None:
        priority = Priority.LOOK_UP if urgently else Priority.KEEPING
        async with (
            self.budget.acquire(1, priority),
            self._exchange.asked_for("PUT", 1, key.account.id),
        ):
            self._exchange.extended(key.account.id)

    # Of the checks.

    def _wake(self, account_id: AccountId, at: datetime, line: Line = Line.WOKEN) -> None:
        due_at = self._queue.wake(account_id, max(at, self._clock.steady()), line=line)
        if due_at is not None and line is Line.WOKEN:
            self._alarm.set(due_at)

    async def _beats(self) -> None:
        while True:
            self._hand_out(2 * _POOL - self._polled.qsize())
            await self._clock.sleep(_BEAT)

    async def _alarms(self) -> None:
        while True:
            await self._alarm.wait()
            self._hand_out(0)

    def _hand_out(self, most: int) -> None:
        now = self._clock.steady()
        due = self._queue.pop_due(now=now, most=most, ahead=2 * _POOL - self._ahead.qsize())
        if (later := self._queue.next_woken()) is not None and later > now:
            self._alarm.set(later)
        for account_id, queued in due.items():
            queued.busy = True
            (self._polled if queued.line is Line.POLLED else self._ahead).put_nowait(account_id)

    async def _work(self) -> None:
        while True:
            await self._check_one(await self._polled.get(), "polled")

    async def _work_ahead(self) -> None:
        while True:
            with hurried():
                await self._check_one(await self._ahead.get(), "woken")

    async def _check_one(self, account_id: AccountId, why: str) -> None:
        self.checks[why] += 1
        account = self._accounts[account_id]
        again_in = await self._check(account)
        queued = self._queue.held(account_id, fence=_FENCE)
        if queued is None:
            raise LookupError(account_id)
        self.fleet.wanted(account, fence=_FENCE)
        now, interval = self._clock.steady(), account.settings.interval
        interval = self.live.interval(account_id, interval)
        queued.busy, woken_at, queued.woken_at = False, queued.woken_at, None
        due_at = next_check(
            due_at=queued.due_at or now, now=now, interval=interval, failed_for=again_in
        )
        self._queue.schedule(account_id, due_at)
        if woken_at is not None:
            self._wake(account_id, woken_at)

    async def _check(self, account: Account) -> timedelta | None:
        """Returns when to look again, where that is not after its interval."""
        self.live.checking(account)
        begun = self._clock.steady()
        holdings = await self._read(account)
        verdict = self.live.read(account.id, holdings, begun=begun)
        if verdict is not ReadVerdict.AGREES:
            self.checks[verdict.value] += 1
        if verdict is ReadVerdict.BEHIND:
            return timedelta(seconds=1)
        usdt, again_in = holdings.of(USDT).free, None
        if not account.settings.fixed_goal.band.holds(usdt):
            await self._order(account, _TARGET - usdt)
            again_in = account.settings.interval
        self.live.checked(account.id)
        return again_in

    async def _order(self, account: Account, usdt: Decimal) -> None:
        self.checks["ordered"] += 1
        order_id = ClientOrderId(f"order-{self.checks['ordered']}")
        exchange, whose = self._exchange, account.id
        async with (
            self.budget.acquire(3, Priority.MARKET),
            exchange.asked_for("GET depth", 3, whose),
        ):
            pass
        self.live.ordered(whose, order_id)
        async with (
            self.budget.acquire(1, Priority.ORDER, kind=RequestKind.ORDER, key=account.uuid),
            exchange.asked_for("POST order", 1, whose, a_second=ORDERS_PER_S),
        ):
            exchange.order(whose, usdt)
        async with (
            self.budget.acquire(2, Priority.LOOK_UP),
            exchange.asked_for("GET order", 2, whose),
        ):
            pass
        begun = self._clock.steady()
        after = await self._read(account, Priority.LOOK_UP)
        self.live.settled(whose, order_id, after=after, begun=begun)

    async def _read(self, account: Account, priority: Priority = Priority.CHECK) -> Holdings:
        async with self.budget.acquire(10, priority, kind=RequestKind.ACCOUNT, key=account.uuid):
            purse, left_at = self._exchange.purses[account.id], _now()
            async with self._exchange.asked_for(
                "GET account", 10, account.id, a_second=READS_PER_S
            ):
                if purse.changed_at is not None:
                    waits = self.told if purse.is_told else self.untold
                    waits.append(left_at - purse.changed_at)
                    purse.changed_at = None
                both = {USDT: Balance(purse.usdt), Asset("MNTL"): Balance(purse.base)}
            return Holdings(both, read_at=self._clock.now())


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _changes(exchange: _Exchange) -> None:
    """Four a day and account: two that are traded back, and two that are too small for it."""
    whose = [account_id for account_id in exchange.purses for _ in range(_CHANGES)]
    exchange.random.shuffle(whose)
    amounts = {who: deque([_DEPOSIT, _SMALL, -_DEPOSIT, -_SMALL]) for who in exchange.purses}
    for account_id, after_s in zip(whose, _gaps(exchange.random, len(whose)), strict=True):
        await asyncio.sleep(after_s)
        amount = amounts[account_id].popleft()
        purse = exchange.purses[account_id]
        if purse.changed_at is None:
            purse.changed_at, purse.is_told = _now(), purse.feed is not None
        exchange.change(account_id, amount, Cause.DEPOSIT)


def _gaps(random: Random, count: int) -> Iterator[float]:
    """Between moments of a day."""
    moments = sorted(random.uniform(0, _DAY_S) for _ in range(count))
    return (later - earlier for earlier, later in pairwise([0.0, *moments]))


async def simulated(accounts: int) -> dict[str, float]:
    clock = _Clock()
    settings = ProcessSettings.from_env({}).default_settings
    known = {
        AccountId(number): Account(
            id=AccountId(number),
            uuid=f"account-{number}",
            chat_id=number,
            version=1,
            settings=settings,
            sealed_key=f"key-{number}",
            key_tail="ABCD",
        )
        for number in range(1, accounts + 1)
    }
    exchange = _Exchange(clock, Random(1), {who: _Purse() for who in known})  # noqa: S311 - dice
    memory_mb, cpu_s = _memory_mb(), time.process_time()
    engine = _Engine(exchange, clock, known)
    running = asyncio.create_task(engine.run())
    await _changes(exchange)
    await asyncio.sleep(max(_DAY_S - _now(), 0))
    weight = exchange.asked["weight"]
    await asyncio.sleep(_AFTERWARDS_S)
    unseen = sum(purse.changed_at is not None for purse in exchange.purses.values())
    now = _now()
    found = {
        "used": weight / (_DAY_S / ADDRESS_WINDOW_S * ADDRESS_LIMIT),
        "refused": exchange.refused,
        "missed": engine.live.missed,
        "unseen": unseen,
        "oldest_min": max(exchange.oldest_s, *(now - at for at in exchange.extended_at.values()))
        / 60,
        "told": len(engine.told),
        "wait_p50_s": quantile(engine.told, 0.5),
        "wait_p99_s": quantile(engine.told, 0.99),
        "wait_most_s": max(engine.told),
        "untold": len(engine.untold),
        "untold_most_s": max(engine.untold, default=0),
        "standing": engine.fleet.standing,
        "mb": _memory_mb() - memory_mb,
        "cpu_s": time.process_time() - cpu_s,
        **{f"checks {why}": count for why, count in engine.checks.items()},
        **exchange.asked,
    }
    running.cancel()
    return found


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=_Loop) as runner:
        print(json.dumps(runner.run(simulated(int(sys.argv[1])))))
