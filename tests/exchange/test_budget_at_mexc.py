"""The client within the limits that MEXC enforces: full use, and never a 429."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta

import pytest

from engine.domain.market.pairs import Symbol
from engine.domain.orders.order import ClientOrderId
from engine.errors import HostRefused, RateLimited
from engine.exchanges.mexc.client import MexcClient
from engine.exchanges.mexc.endpoints import ACCOUNT, TIME
from engine.exchanges.mexc.exchange import MexcExchange
from engine.exchanges.mexc.market_data import MexcMarket
from engine.exchanges.rate_limiter import RateLimiter, RateLimits
from engine.security.credentials import Credentials
from tests.fakes.clock import START, FakeClock
from tests.fakes.http import Reply, Request
from tests.fakes.inline import InlineExchange
from tests.fakes.metrics import value_of
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_faults import Fault
from tests.fakes.mexc_limits import MexcLimits

MNTLUSDT = Symbol("MNTLUSDT")
SECOND = timedelta(seconds=1)
MINUTE = 60 * SECOND
ACCOUNTS = 40


class Distance:
    """A MEXC that is as far away as the dice say; *lags* are in milliseconds."""

    def __init__(
        self, clock: FakeClock, lags: tuple[int, int], limits: RateLimits | None = None
    ) -> None:
        self.clock = clock
        self.mexc = FakeMexc(clock)
        self.mexc.limits = MexcLimits(clock)
        self._dice = random.Random(7)  # noqa: S311 - any lags will do
        self._lags = lags
        self.budget = RateLimiter(clock, limits)
        self.client = MexcClient(
            InlineExchange(self._answer, clock=clock, patience=8 * SECOND, hangs_after=None),
            base_url="http://mexc.test",
            clock=clock,
            budget=self.budget,
        )
        self.market = MexcMarket(self.client)

    def account(self, number: int) -> MexcExchange:
        key, secret = f"key-{number}", "secret"
        self.mexc.add_account(key, secret, USDT="57.10", MNTL="100000")
        return MexcExchange(self.client, Credentials(key, secret), self.market)

    async def during(self, duration: timedelta, *doing: Callable[[], Awaitable[None]]) -> None:
        """They go on in virtual time, which moves on when all of them wait."""
        ends_at = self.clock.now() + duration

        async def keep_on(one: Callable[[], Awaitable[None]]) -> None:
            while True:
                await one()

        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(keep_on(one)) for one in doing]
            while self.clock.now() < ends_at:
                await self.clock.advance(timedelta())
                next_at = min((at for at, _ in self.clock._sleepers), default=ends_at)
                await self.clock.advance(
                    max(timedelta(), min(next_at, ends_at) - self.clock.now())
                )
            for task in running:
                task.cancel()

    async def _answer(self, request: Request) -> Reply:
        await self._travel()
        reply = await self.mexc._handle(request)
        await self._travel()
        return reply

    async def _travel(self) -> None:
        await self.clock.sleep(timedelta(milliseconds=self._dice.randint(*self._lags)))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(manual=True)


@pytest.mark.parametrize("lags", [(20, 30), (5, 150)], ids=["50 ms", "jitter"])
async def test_checks_use_the_whole_budget_and_are_never_refused(
    clock: FakeClock, lags: tuple[int, int]
):
    there = Distance(clock, lags)
    accounts = [there.account(n) for n in range(ACCOUNTS)]
    waiting: Iterator[MexcExchange] = iter(())

    async def check() -> None:
        nonlocal waiting
        while (account := next(waiting, None)) is None:
            waiting = iter(accounts)
        await account.holdings()

    await there.during(2 * MINUTE, *[check] * 8)

    limits = there.mexc.limits
    assert limits is not None
    assert limits.refused == {}
    assert there.mexc.requests["GET", ACCOUNT.path] >= 342


async def test_an_order_leaves_at_once_while_checks_wait_for_the_full_budget(clock: FakeClock):
    there = Distance(clock, (20, 30))
    accounts = [there.account(n) for n in range(ACCOUNTS)]
    trader, took = there.account(999), []
    number = 0

    async def check() -> None:
        await accounts[there._dice.randrange(ACCOUNTS)].holdings()

    async def trade() -> None:
        nonlocal number
        number += 1
        await clock.sleep(7 * SECOND)
        began = clock.now()
        await there.client.place_order(
            [*MARKET_BUY, ("newClientOrderId", f"order-{number}")],
            client_order_id=ClientOrderId(f"order-{number}"),
            credentials=trader._credentials,
            sent_at=there.client.time.now(),
        )
        took.append(clock.now() - began)

    await there.during(2 * MINUTE, *[check] * 8, trade)

    assert there.mexc.limits is not None
    assert there.mexc.limits.refused == {}
    assert len(took) >= 15
    assert max(took) <= SECOND / 10


MARKET_BUY = [
    *(("symbol", MNTLUSDT), ("side", "BUY"), ("type", "MARKET"), ("quoteOrderQty", "1.5")),
]


async def test_a_key_that_asks_and_orders_all_the_time_is_never_refused(clock: FakeClock):
    there = Distance(clock, (5, 60))
    account = there.account(1)
    number = 0

    async def look() -> None:
        await account.holdings()

    async def trade() -> None:
        nonlocal number
        number += 1
        await there.client.place_order(
            [*MARKET_BUY, ("newClientOrderId", f"order-{number}")],
            client_order_id=ClientOrderId(f"order-{number}"),
            credentials=account._credentials,
            sent_at=there.client.time.now(),
        )

    await there.during(SECOND, look)
    there.mexc.deposit("key-1", "USDT", 10**6)  # type: ignore[arg-type]
    await there.during(10 * SECOND, look, look, look, *[trade] * 4)

    assert there.mexc.limits is not None
    assert there.mexc.limits.refused == {}
    assert there.mexc.order_posts.total() >= 80


@pytest.mark.parametrize("status", [429, 418, 403])
async def test_when_mexc_wants_silence_nothing_leaves_for_anybody_until_its_time(
    clock: FakeClock, status: int
):
    there = Distance(clock, (20, 30), RateLimits(weight=10**6))
    there.mexc.limits = None
    accounts = [there.account(n) for n in range(8)]
    refused = 0

    async def check() -> None:
        nonlocal refused
        try:
            await accounts[there._dice.randrange(8)].holdings()
        except (RateLimited, HostRefused):
            refused += 1
            await clock.sleep(SECOND)

    await there.during(2 * SECOND, *[check] * 3)
    silence = Reply(status=status, headers={"retry-after": "20"})
    there.mexc.inject(Fault("GET", ACCOUNT.path, reply=silence))
    await there.during(SECOND, *[check] * 3)
    before = there.mexc.requests.total()
    await there.during(18 * SECOND, *[check] * 3)

    assert there.mexc.requests.total() == before
    assert refused > 10
    assert there.budget.usage().blocked_until is not None

    await there.during(3 * SECOND, *[check] * 3)

    assert there.mexc.requests.total() > before


async def test_a_thousand_accounts_on_one_pair_read_its_book_once(clock: FakeClock):
    there = Distance(clock, (20, 30), RateLimits(weight=10**6))
    accounts = [there.account(n) for n in range(1000)]
    there.mexc.limits = None
    books: list[object] = []

    async def read() -> None:
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(a.market.book(MNTLUSDT)) for a in accounts]
            ruled = [tasks.create_task(a.market.rules(MNTLUSDT)) for a in accounts]
        books.extend(task.result() for task in asked + ruled)
        await asyncio.Event().wait()

    await there.during(SECOND / 2, read)

    assert len(books) == 2000
    assert there.mexc.requests == {
        ("GET", TIME.path): 1,
        ("GET", "/api/v3/depth"): 1,
        ("GET", "/api/v3/exchangeInfo"): 1,
    }


async def test_every_request_is_told_of_with_its_outcome_and_its_time(clock: FakeClock):
    there = Distance(clock, (25, 25))
    account = there.account(1)

    async def look() -> None:
        await account.holdings()
        there.mexc.inject(Fault("GET", ACCOUNT.path, reply=Reply(drop=True)))
        with pytest.raises(Exception, match="no answer"):
            await account.holdings()
        await asyncio.Event().wait()

    await there.during(SECOND, look)

    took = SECOND / 20
    traffic, account_read = there.client.traffic, ("GET", ACCOUNT.path)
    assert value_of(traffic.ended, *account_read, "ok") == 1
    assert value_of(traffic.ended, *account_read, "no_answer") == 1
    assert value_of(traffic.took, *account_read, part="_sum") == 2 * took.total_seconds()
    assert clock.now() == START + SECOND
