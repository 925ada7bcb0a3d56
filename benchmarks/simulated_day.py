"""A day of many accounts with streams on one address: `python -m benchmarks.simulated_day ACCOUNTS`.

What decides is the program's own: the budget, the keeper of keys, the fleet, what streams told, the
intervals, the queue. The exchange enforces its limits, and tells of four changes a day and account,
of which half lead to an order.
Prints as JSON what came of it.
"""

import asyncio
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from benchmarks.mexc import ADDRESS_LIMIT, ADDRESS_WINDOW_S, ORDERS_PER_S, READS_PER_S
from benchmarks.reports import quantile
from benchmarks.simulated_exchange import (
    BASE,
    DAY_S,
    TARGET,
    Purse,
    SimulatedClock,
    SimulatedExchange,
    SimulatedLoop,
    change_all,
    moment,
)
from bot.config.settings import ProcessSettings
from engine.domain.accounts.account import Account
from engine.domain.market.balances import Balance, Holdings
from engine.domain.market.pairs import USDT
from engine.domain.orders.order import AccountId, ClientOrderId
from engine.domain.rebalancing.schedule import next_check
from engine.domain.streams.live_account import ReadVerdict
from engine.exchanges.interface import AccountFeed
from engine.exchanges.mexc.listen_keys.keeper import KeptKey, KeyKeeper
from engine.exchanges.rate_limiter import Priority, RateLimiter, RequestKind, hurried
from engine.scheduling.account_queue import AccountQueue, Line
from engine.scheduling.alarm import Alarm
from engine.streaming.fleet import Fleet
from engine.streaming.live_accounts import LiveAccounts
from tests.fakes.streams import FakeStream

_AFTERWARDS_S = 2 * 3600.0
_POOL, _FENCE = 8, 1
_BEAT = timedelta(milliseconds=500)
# The weight of an event's check up to its order, and of the balances after it: as the program's.
_FOR_WOKEN = 25


class _Stream(FakeStream):
    async def beat(self) -> timedelta:
        return timedelta(hours=1)  # pings cost the address nothing


class _Engine:
    """Satisfies AccountStreams; and checks as the dispatcher and its checker do, without a database."""

    is_remote = True

    def __init__(
        self,
        exchange: SimulatedExchange,
        clock: SimulatedClock,
        accounts: Mapping[AccountId, Account],
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
        self.after_events: list[float] = []
        self.after_silence: list[float] = []
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
                self._exchange.extended_at[account.id] = moment()
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
            await self._order(account, TARGET - usdt)
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
            purse, left_at = self._exchange.purses[account.id], moment()
            async with self._exchange.asked_for(
                "GET account", 10, account.id, a_second=READS_PER_S
            ):
                if purse.changed_at is not None:
                    waits = self.after_events if purse.is_told else self.after_silence
                    waits.append(left_at - purse.changed_at)
                    purse.changed_at = None
                both = {USDT: Balance(purse.usdt), BASE: Balance(purse.base)}
            return Holdings(both, read_at=self._clock.now())


async def simulated(accounts: int) -> dict[str, float]:
    clock = SimulatedClock()
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
    exchange = SimulatedExchange(clock, Random(1), {who: Purse() for who in known})  # noqa: S311 - dice
    memory_mb, cpu_s = _memory_mb(), time.process_time()
    engine = _Engine(exchange, clock, known)
    running = asyncio.create_task(engine.run())
    await change_all(exchange)
    await asyncio.sleep(max(DAY_S - moment(), 0))
    weight = exchange.asked["weight"]
    await asyncio.sleep(_AFTERWARDS_S)
    unseen = sum(purse.changed_at is not None for purse in exchange.purses.values())
    now = moment()
    found = {
        "used": weight / (DAY_S / ADDRESS_WINDOW_S * ADDRESS_LIMIT),
        "refused": exchange.refused,
        "missed": engine.live.missed,
        "unseen": unseen,
        "oldest_min": max(exchange.oldest_s, *(now - at for at in exchange.extended_at.values()))
        / 60,
        "after events": len(engine.after_events),
        "wait_p50_s": quantile(engine.after_events, 0.5),
        "wait_p99_s": quantile(engine.after_events, 0.99),
        "wait_most_s": max(engine.after_events),
        "after silence": len(engine.after_silence),
        "silence_most_s": max(engine.after_silence, default=0),
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
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        print(json.dumps(runner.run(simulated(int(sys.argv[1])))))
