"""The budget of one address: who may leave when, and who goes first."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import RateLimited
from engine.exchanges.rate_limiter import Priority, RateLimiter, RateLimits, RequestKind, hurried
from engine.exchanges.sliding_window import Window
from tests.fakes.clock import START, FakeClock

SECOND = timedelta(seconds=1)
ORDER, LOOK_UP, WOKEN, CHECK, MARKET, KEEPING = Priority


@pytest.fixture
def manual() -> FakeClock:
    return FakeClock(manual=True)


async def spend(
    budget: RateLimiter,
    weight: int,
    priority: Priority = CHECK,
    *,
    kind: RequestKind = RequestKind.PLAIN,
    key: str = "",
) -> None:
    async with budget.acquire(weight, priority, kind=kind, key=key):
        pass


class Line:
    """Spends a budget by a clock of its own, and remembers who left when."""

    def __init__(self, budget: RateLimiter, clock: FakeClock) -> None:
        self.budget = budget
        self.left: dict[str, datetime] = {}
        self._clock = clock

    @property
    def order(self) -> list[str]:
        return list(self.left)

    async def go(self, name: str, weight: int, priority: Priority = CHECK, **how: Any) -> None:
        async with self.budget.acquire(weight, priority, **how):
            self.left[name] = self._clock.now()

    @asynccontextmanager
    async def of(self, *waiting: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
        """They come one after another; 50 seconds pass after the block."""
        async with asyncio.TaskGroup() as tasks:
            for one in waiting:
                tasks.create_task(one)
                await self._clock.advance(timedelta())
            yield
            for _ in range(100):
                await self._clock.advance(SECOND / 2)


@pytest.fixture
def line(manual: FakeClock) -> Line:
    """Ten of weight; too little to keep some of it free for anybody."""
    return Line(RateLimiter(manual, RateLimits(weight=10)), manual)


async def test_weight_within_the_budget_is_spent_without_waiting(clock: FakeClock):
    budget = RateLimiter(clock)

    for _ in range(30):
        await spend(budget, 10, ORDER)

    assert clock.now() == START


async def test_what_does_not_fit_waits_until_the_window_has_moved_on(clock: FakeClock):
    budget = RateLimiter(clock)
    await spend(budget, 290, ORDER)
    clock.shift(4 * SECOND)
    await spend(budget, 10, ORDER)

    await spend(budget, 10, ORDER)

    assert clock.now() == START + 10 * SECOND


async def test_what_a_hurried_check_asks_goes_before_what_waits_already_and_after_orders(
    manual: FakeClock,
):
    line = Line(RateLimiter(manual, RateLimits(weight=30)), manual)
    await spend(line.budget, 25)
    manual.shift(9.5 * SECOND)

    async def hurry(name: str, priority: Priority, weight: int = 10) -> None:
        with hurried():
            await line.go(name, weight, priority)

    async with line.of(
        line.go("poll", 25),
        line.go("key", 10, KEEPING),
        hurry("event's book", MARKET),
        hurry("event's order", ORDER, 30),
        hurry("event", CHECK),
    ):
        pass

    assert line.order[0] == "event's order"
    assert {*line.order[1:3]} == {"event's book", "event"}


async def test_events_without_an_end_starve_no_poll_and_polls_no_event(manual: FakeClock):
    budget = RateLimiter(manual, for_woken=25)
    line = Line(budget, manual)

    async def poll(worker: int) -> None:
        for number in range(100):
            await line.go(f"poll {worker} {number}", 10)

    async def storm(worker: int) -> None:
        with hurried():
            for number in range(100):
                await line.go(f"event {worker} {number}", 10)

    async with asyncio.TaskGroup() as tasks:
        busy = [tasks.create_task(work(n)) for n in range(8) for work in (storm, poll)]
        for _ in range(120):
            await manual.advance(SECOND / 2)
        polls = sum(name.startswith("poll") for name in line.left)
        events = len(line.left) - polls
        for task in busy:
            task.cancel()

    assert polls >= 30
    assert events >= 90


async def test_polls_leave_room_for_those_whom_something_happened_to(manual: FakeClock):
    budget = RateLimiter(manual, for_woken=25)
    line = Line(budget, manual)

    async def hurry() -> None:
        with hurried():
            await line.go("event", 10)
            await line.go("book", 3, MARKET)

    async with line.of(*(line.go(f"poll {n}", 10) for n in range(40))):
        for _ in range(18):
            await manual.advance(SECOND / 2)
        polls = len(line.left)
        waited_from = manual.now()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(hurry())

    assert polls == 27
    assert line.left["book"] == waited_from


async def test_what_is_on_its_way_counts_until_ten_seconds_after_its_answer(
    manual: FakeClock, line: Line
):
    answered = asyncio.Event()

    async def slow() -> None:
        async with line.budget.acquire(10, CHECK):
            await answered.wait()

    async with line.of(slow(), line.go("next", 10)):
        for _ in range(15):
            await manual.advance(SECOND)
        answered.set()
        await manual.advance(timedelta())

    assert line.left == {"next": START + 25 * SECOND}


async def test_of_those_who_wait_orders_go_before_look_ups_before_checks(line: Line):
    await spend(line.budget, 10)
    async with line.of(
        line.go("check", 10),
        line.go("look-up", 10, LOOK_UP),
        line.go("order", 10, ORDER),
    ):
        pass

    assert line.order == ["order", "look-up", "check"]


async def test_within_a_class_whoever_came_first_goes_first_however_light_the_next(line: Line):
    await spend(line.budget, 5)
    async with line.of(line.go("heavy", 8), line.go("light", 2), line.go("lighter", 1)):
        pass

    assert line.order == ["heavy", "light", "lighter"]


async def test_market_data_is_last_for_a_second_and_then_first(manual: FakeClock, line: Line):
    await spend(line.budget, 10)
    async with line.of(line.go("book", 3, MARKET), *(line.go(f"{n}", 10) for n in range(3))):
        pass

    assert line.order == ["book", "0", "1", "2"]


async def test_market_data_does_wait_for_checks_that_come_at_the_same_moment(
    manual: FakeClock, line: Line
):
    await spend(line.budget, 10)
    manual.shift(9.5 * SECOND)
    async with line.of(line.go("book", 3, MARKET), line.go("check", 10)):
        pass

    assert line.order == ["check", "book"]


async def test_what_keeps_a_stream_waits_for_later_checks_for_ten_seconds_and_then_takes_its_turn(
    manual: FakeClock, line: Line
):
    await spend(line.budget, 10)
    manual.shift(9.5 * SECOND)
    async with line.of(line.go("key", 1, KEEPING), *(line.go(f"{n}", 10) for n in range(3))):
        pass

    assert line.order == ["0", "key", "1", "2"]


async def test_an_order_finds_room_where_checks_have_used_up_theirs(clock: FakeClock):
    budget = RateLimiter(clock, RateLimits(weight=300))
    for _ in range(29):
        await spend(budget, 10)

    after_the_checks = clock.now()
    await spend(budget, 3, LOOK_UP)
    await spend(budget, 2, ORDER)
    for _ in range(5):
        await spend(budget, 1, ORDER)
    full_without_waiting = clock.now()
    await spend(budget, 1, CHECK)

    assert full_without_waiting == after_the_checks
    assert clock.now() == START + 10 * SECOND


async def test_checks_do_not_spend_everything_in_the_first_moment(clock: FakeClock):
    budget = RateLimiter(clock)
    at_once = 0
    for _ in range(29):
        await spend(budget, 10)
        at_once += clock.now() == START

    assert at_once == 7
    assert clock.now() == START + 8 * SECOND


async def test_a_key_s_limit_outlives_a_long_wait_in_the_line(manual: FakeClock, line: Line):
    async with line.budget.acquire(10, ORDER):
        how: dict[str, Any] = {"kind": RequestKind.ACCOUNT, "key": "anna"}
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(line.go("first", 1, **how))
            await manual.advance(61 * SECOND)
            second = tasks.create_task(line.go("second", 1, **how))
            await manual.advance(timedelta())
            owns = {waiter.own for waiter in line.budget._waiters}
            first.cancel()
            second.cancel()

    assert len(owns) == 1


@pytest.mark.parametrize(("kind", "most"), [(RequestKind.ORDER, 12), (RequestKind.ACCOUNT, 2)])
async def test_a_key_has_a_limit_of_its_own_for_each_second(
    clock: FakeClock, kind: RequestKind, most: int
):
    budget = RateLimiter(clock)
    for _ in range(most):
        await spend(budget, 1, kind=kind, key="anna")
    at_once = clock.now()
    await spend(budget, 1, kind=kind, key="anna")

    assert (at_once, clock.now()) == (START, START + SECOND)


async def test_a_key_that_has_to_wait_holds_up_no_other(line: Line):
    how: dict[str, Any] = {"kind": RequestKind.ACCOUNT}
    async with line.of(
        *(line.go(f"anna {n}", 1, key="anna", **how) for n in range(4)),
        line.go("bert", 1, key="bert", **how),
        line.go("order", 1, ORDER, kind=RequestKind.ORDER, key="anna"),
    ):
        pass

    assert line.order == ["anna 0", "anna 1", "bert", "order", "anna 2", "anna 3"]
    assert line.left["order"] == START
    assert line.left["anna 3"] == START + SECOND


async def test_the_rules_of_pairs_are_asked_for_25_times_a_minute_at_most(clock: FakeClock):
    budget = RateLimiter(clock, RateLimits(weight=1000))
    for _ in range(25):
        await spend(budget, 25, ORDER, kind=RequestKind.LISTING)
    at_once = clock.now()
    await spend(budget, 25, ORDER, kind=RequestKind.LISTING)

    assert (at_once, clock.now()) == (START, START + 60 * SECOND)


async def test_keys_that_are_not_used_any_more_are_forgotten(clock: FakeClock):
    budget = RateLimiter(clock, RateLimits(weight=10**6))
    for number in range(1000):
        await spend(budget, 1, kind=RequestKind.ACCOUNT, key=f"{number}")
    clock.shift(61 * SECOND)
    await spend(budget, 1, kind=RequestKind.ACCOUNT, key="0")

    assert len(budget._keys._windows) == 1


async def test_while_blocked_every_request_is_refused_at_once(clock: FakeClock):
    budget = RateLimiter(clock)
    budget.block_until(START + 60 * SECOND)
    clock.shift(20 * SECOND)

    with pytest.raises(RateLimited) as refused:
        await spend(budget, 1, ORDER)

    assert refused.value.retry_after == 40


async def test_after_the_block_requests_leave_again(clock: FakeClock):
    budget = RateLimiter(clock)
    budget.block_until(START + 60 * SECOND)
    clock.shift(60 * SECOND)

    await spend(budget, 1)

    assert clock.now() == START + 60 * SECOND


async def test_a_shorter_block_does_not_end_a_longer_one(clock: FakeClock):
    budget = RateLimiter(clock)
    budget.block_until(START + 60 * SECOND)
    budget.block_until(START + 5 * SECOND)
    clock.shift(30 * SECOND)

    with pytest.raises(RateLimited):
        await spend(budget, 1)


async def test_who_waits_when_the_block_begins_is_refused_too(manual: FakeClock, line: Line):
    await spend(line.budget, 10)
    with pytest.RaisesGroup(RateLimited, RateLimited):
        async with line.of(line.go("check", 10), line.go("order", 1, ORDER)):
            line.budget.block_until(START + 60 * SECOND)

    assert line.order == []
    assert line.budget.usage().waiting == {}


async def test_a_cancelled_wait_leaves_the_line(manual: FakeClock, line: Line):
    await spend(line.budget, 10)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await spend(line.budget, 10, ORDER)
    manual.shift(10 * SECOND)

    await spend(line.budget, 10)

    assert line.budget.usage().waiting == {}


async def test_a_request_that_fails_has_cost_its_weight(clock: FakeClock):
    budget = RateLimiter(clock)
    with pytest.raises(ZeroDivisionError):
        async with budget.acquire(10, CHECK):
            raise ZeroDivisionError

    assert budget.usage().weight_used == 10


async def test_it_tells_how_it_stands(manual: FakeClock, line: Line):
    budget = line.budget
    calm = budget.usage()
    await spend(budget, 9)
    async with line.of(line.go("check", 4), line.go("order", 2, ORDER), line.go("late", 1)):
        busy = budget.usage()
    budget.block_until(manual.now() + SECOND)
    blocked = budget.usage().blocked_until
    manual.shift(SECOND)

    assert (calm.weight_used, calm.weight_limit, calm.waiting) == (0, 10, {})
    assert (busy.weight_used, busy.waiting) == (9, {CHECK: 2, ORDER: 1})
    assert blocked == manual.now()
    assert budget.usage().blocked_until is None


async def test_a_clock_set_back_does_not_block_the_budget(clock: FakeClock):
    budget = RateLimiter(clock, RateLimits(weight=10))
    await spend(budget, 10)
    clock.shift(-3600 * SECOND)

    await spend(budget, 10)

    assert clock.now() == START - 3600 * SECOND


async def test_a_weight_that_can_never_fit_is_a_mistake(clock: FakeClock):
    with pytest.raises(ValueError, match="never fits"):
        await spend(RateLimiter(clock, RateLimits(weight=300)), 291)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3000), st.integers(0, 4000), st.integers(1, 10)), max_size=60
    ),
    st.data(),
)
def test_whenever_the_exchange_counts_a_request_it_never_counts_too_many(
    requests: list[tuple[int, int, int]], data: st.DataObject
):
    """*requests* are pauses before, ways there and back, and weights."""
    window, now = Window(10, 10 * SECOND), START
    on_their_way: list[tuple[datetime, int]] = []
    counted: list[tuple[datetime, int]] = []

    def until(moment: datetime) -> None:
        for back_at, weight in sorted(r for r in on_their_way if r[0] <= moment):
            on_their_way.remove((back_at, weight))
            window.end(weight, back_at)

    for pause, way, weight in requests:
        now += timedelta(milliseconds=pause)
        until(now)
        while wait := window.room_in(weight, now):
            now += wait
            until(now)
        window.begin(weight)
        arrived = data.draw(st.integers(0, way))
        counted.append((now + timedelta(milliseconds=arrived), weight))
        on_their_way.append((now + timedelta(milliseconds=way), weight))
    busiest = max(
        (sum(w for at, w in counted if t <= at < t + 10 * SECOND) for t, _ in counted), default=0
    )

    assert busiest <= 10
