"""The weight budget of one address."""

import asyncio
from datetime import timedelta

import pytest

from engine.errors import RateLimited
from engine.exchange.pacing import WeightBudget
from tests.fakes.clock import START, FakeClock

SECOND = timedelta(seconds=1)


@pytest.fixture
def manual() -> FakeClock:
    return FakeClock(manual=True)


async def test_weight_within_the_budget_is_spent_without_waiting(clock: FakeClock):
    budget = WeightBudget(clock, limit=300)

    for _ in range(30):
        await budget.spend(10)

    assert clock.now() == START


async def test_what_does_not_fit_waits_until_the_window_has_moved_on(clock: FakeClock):
    budget = WeightBudget(clock, limit=300)
    await budget.spend(290)
    clock.shift(4 * SECOND)
    await budget.spend(10)

    await budget.spend(10)

    assert clock.now() == START + 10 * SECOND


async def test_no_window_of_ten_seconds_ever_holds_more_than_the_limit(clock: FakeClock):
    budget = WeightBudget(clock, limit=30)
    spent_at = []
    for _ in range(20):
        await budget.spend(7)
        spent_at.append(clock.now())
        clock.shift(SECOND)

    busiest = max(sum(7 for at in spent_at if t <= at < t + 10 * SECOND) for t in spent_at)

    assert busiest <= 30


async def test_an_urgent_request_goes_before_those_that_wait(manual: FakeClock):
    budget = WeightBudget(manual, limit=10)
    order = []

    async def spend(name: str, *, urgent: bool) -> None:
        await budget.spend(10, urgent=urgent)
        order.append(name)

    await budget.spend(10)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(spend("check", urgent=False))
        tasks.create_task(spend("other check", urgent=False))
        await manual.advance(SECOND)
        tasks.create_task(spend("order", urgent=True))
        for _ in range(60):
            await manual.advance(SECOND)

    assert order == ["order", "check", "other check"]


async def test_an_ordinary_request_lets_an_urgent_one_pass_even_if_it_would_fit(manual: FakeClock):
    budget = WeightBudget(manual, limit=10)
    done = []

    async def spend(name: str, weight: int, *, urgent: bool) -> None:
        await budget.spend(weight, urgent=urgent)
        done.append(name)

    await budget.spend(5)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(spend("order", 8, urgent=True))
        await manual.advance(timedelta())
        tasks.create_task(spend("check", 2, urgent=False))
        await manual.advance(SECOND)

        assert done == []

        for _ in range(30):
            await manual.advance(SECOND)

    assert done == ["order", "check"]


async def test_an_idle_budget_still_makes_room_for_the_urgent_first(clock: FakeClock):
    budget = WeightBudget(clock, limit=10)
    budget._urgent_waiting = 1  # one that has not come to its turn yet

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(budget.spend(1))
        for _ in range(5):
            await clock.advance(SECOND)

        assert not waiting.done()

        budget._urgent_waiting = 0

    assert waiting.done()


async def test_while_cooling_every_request_is_refused_at_once(clock: FakeClock):
    budget = WeightBudget(clock)
    budget.cool_down(START + 60 * SECOND)
    clock.shift(20 * SECOND)

    with pytest.raises(RateLimited) as refused:
        await budget.spend(1, urgent=True)

    assert refused.value.retry_after == 40


async def test_after_cooling_requests_leave_again(clock: FakeClock):
    budget = WeightBudget(clock)
    budget.cool_down(START + 60 * SECOND)
    clock.shift(60 * SECOND)

    await budget.spend(1)

    assert clock.now() == START + 60 * SECOND


async def test_a_shorter_cool_down_does_not_end_a_longer_one(clock: FakeClock):
    budget = WeightBudget(clock)
    budget.cool_down(START + 60 * SECOND)
    budget.cool_down(START + 5 * SECOND)
    clock.shift(30 * SECOND)

    with pytest.raises(RateLimited):
        await budget.spend(1)


async def test_who_waits_when_the_cool_down_begins_is_refused_too(manual: FakeClock):
    budget = WeightBudget(manual, limit=10)
    await budget.spend(10)

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(_refused(budget))
        await manual.advance(SECOND)
        budget.cool_down(START + 60 * SECOND)
        await manual.advance(10 * SECOND)

    assert waiting.result()


async def test_a_cancelled_wait_leaves_the_line(manual: FakeClock):
    budget = WeightBudget(manual, limit=10)
    await budget.spend(10)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await budget.spend(10, urgent=True)
    manual.shift(10 * SECOND)

    await budget.spend(10)

    assert budget._urgent_waiting == 0


async def test_a_clock_set_back_does_not_block_the_budget(clock: FakeClock):
    budget = WeightBudget(clock, limit=10)
    await budget.spend(10)
    clock.shift(-3600 * SECOND)

    await budget.spend(10)

    assert clock.now() == START - 3600 * SECOND


async def test_a_weight_that_can_never_fit_is_a_mistake(clock: FakeClock):
    with pytest.raises(ValueError, match="never fits"):
        await WeightBudget(clock, limit=10).spend(11)


async def _refused(budget: WeightBudget) -> bool:
    try:
        await budget.spend(1)
    except RateLimited:
        return True
    return False
