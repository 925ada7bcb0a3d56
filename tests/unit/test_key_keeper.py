"""The keys of streams are extended in time, few at a once, the oldest first, and by no other clock."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from engine.domain.orders.order import AccountId
from engine.domain.streams.trust import Doubt
from engine.errors import BadCredentials, EngineError, HostRefused, RateLimited, Unavailable
from engine.exchanges.mexc.listen_keys.keeper import KeptKey, KeyGone, KeyKeeper
from tests import builders
from tests.fakes.clock import FakeClock
from tests.fakes.tasks import running

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


class Put:
    """What was asked of the exchange: when, for whom, urgently or not. *fails* answers for it."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.asked: list[tuple[timedelta, int, bool]] = []
        self.fails: Callable[[KeptKey], Exception | None] = lambda _key: None
        self.ages: list[timedelta] = []
        self.waits = timedelta()  # for its turn at the exchange, where it is not urgent
        self.answers = asyncio.Event()
        self.answers.set()
        self.in_flight = self.most_in_flight = 0
        self._began = clock.steady()

    async def __call__(self, key: KeptKey, urgently: bool) -> None:
        self.asked.append((self._clock.steady() - self._began, key.account.id, urgently))
        self.ages.append(self._clock.steady() - key.extended_at)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self.answers.wait()
            if self.waits and not urgently:
                await self._clock.sleep(self.waits)
        finally:
            self.in_flight -= 1
        if (failure := self.fails(key)) is not None:
            raise failure

    def of(self, number: int) -> list[int]:
        """The minutes in which the account's key was asked about."""
        return [at // MINUTE for at, account, _ in self.asked if account == number]


class World:
    def __init__(self) -> None:
        self.clock = FakeClock(manual=True)
        self.put = Put(self.clock)
        self.doubts: list[tuple[timedelta, int]] = []
        self._began = self.clock.steady()
        self.keeper = KeyKeeper(self.clock, extend=self.put, on_doubt=self._doubt)

    def keep(self, number: int = 1, *, age: timedelta = timedelta()) -> KeptKey:
        key = KeptKey(
            account=builders.account(id=AccountId(number), uuid=f"uuid-{number}"),
            value=f"key{number}",
            key_print="",
            created_at=self.clock.now(),
            extended_at=self.clock.steady() - age,
            kept_at=self.clock.steady(),
        )
        self.keeper.keep(key)
        return key

    async def pass_(self, duration: timedelta, *, step: timedelta = 15 * SECOND) -> None:
        for _ in range(duration // step):
            await self.clock.advance(step)

    def _doubt(self, account_id: AccountId, why: Doubt) -> None:
        assert why is Doubt.KEY
        self.doubts.append((self.clock.steady() - self._began, account_id))


@pytest.fixture
def world() -> World:
    return World()


async def test_a_key_is_extended_every_25_to_30_minutes_and_many_are_spread(world: World):
    for number in range(40):
        world.keep(number)

    async with running(world.keeper.run()):
        await world.pass_(2 * HOUR)

    first = [world.put.of(number)[0] for number in range(40)]
    assert {*first} == {25, 26, 27, 28, 29}
    assert all(len(world.put.of(number)) == 4 for number in range(40))
    assert world.doubts == []
    assert world.keeper.oldest_age() <= 30 * MINUTE


async def test_it_is_tried_again_after_1_2_and_5_minutes_and_goes_first_when_it_is_old(
    world: World,
):
    world.put.fails = lambda _key: Unavailable("away")
    world.keep(age=25 * MINUTE)

    async with running(world.keeper.run()):
        await world.pass_(40 * MINUTE)

    minutes = world.put.of(1)
    assert [b - a for a, b in pairwise(minutes)][:4] == [1, 2, 5, 5]
    assert {urgently for at, _, urgently in world.put.asked if at < 15 * MINUTE} == {False}
    assert {urgently for at, _, urgently in world.put.asked if at > 16 * MINUTE} == {True}
    assert max(minutes) <= 35


async def test_where_checks_use_the_whole_address_every_key_is_younger_than_45_minutes(
    world: World,
):
    world.put.waits = 10 * SECOND
    for number in range(800):
        world.keep(number)

    async with running(world.keeper.run()):
        await world.pass_(2 * HOUR)

    assert 35 * MINUTE < max(world.put.ages) < 45 * MINUTE
    assert world.doubts == []


async def test_at_50_minutes_its_stream_is_in_doubt_once_and_at_60_it_is_over(world: World):
    world.put.fails = lambda _key: BadCredentials(code=10072, message="deleted")
    key = world.keep()

    async with running(world.keeper.run()):
        await world.pass_(50 * MINUTE)
        assert world.doubts == [(50 * MINUTE, 1)]
        assert world.keeper.of(key.account.id) is key
        await world.pass_(30 * MINUTE)

    assert world.doubts == [(50 * MINUTE, 1)]
    assert world.keeper.of(key.account.id) is None


async def test_a_key_that_another_process_left_is_extended_before_it_is_doubted(world: World):
    world.keep(1, age=54 * MINUTE)
    world.put.fails = lambda key: Unavailable("away") if key.account.id == 2 else None
    world.keep(2, age=54 * MINUTE)

    async with running(world.keeper.run()):
        await world.pass_(2 * MINUTE)

    assert world.put.asked[0][2]
    assert world.doubts == [(MINUTE, 2)]


async def test_an_unknown_key_is_in_doubt_at_once_and_not_asked_about_again(world: World):
    world.put.fails = lambda _key: KeyGone()
    world.keep()

    async with running(world.keeper.run()):
        await world.pass_(2 * HOUR)

    assert len(world.put.asked) == 1
    assert [account for _, account in world.doubts] == [1]


@pytest.mark.parametrize("silence", [RateLimited("429", retry_after=60), HostRefused("HTTP 403")])
async def test_in_a_silence_nothing_is_sent_and_then_the_oldest_goes_first(
    world: World, silence: EngineError
):
    until = 8 * MINUTE
    world.put.fails = lambda _key: silence if world.put.asked[-1][0] < until else None
    ages = [29, 44, 38, 31, 40, 35, 30, 41, 33, 36]
    for number, age in enumerate(ages):
        world.keep(number, age=age * MINUTE)

    async with running(world.keeper.run()):
        await world.pass_(until + 10 * SECOND, step=10 * SECOND)
        at_first = len(world.put.asked)
        await world.pass_(3 * MINUTE, step=10 * SECOND)

    after = [account for at, account, _ in world.put.asked if at >= until]
    assert at_first <= 4 * 9
    assert sorted(after[:10], key=lambda number: -ages[number]) == after[:10]
    assert len(after) == 10
    assert [account for _, account in world.doubts] == [1]  # 44 + 6 minutes


async def test_after_a_sleep_no_request_is_made_for_keys_that_have_ended(world: World):
    for number in range(100):
        world.keep(number)

    async with running(world.keeper.run()):
        await world.clock.advance(2 * HOUR)
        await world.pass_(MINUTE)

    assert world.put.asked == []
    assert len({account for _, account in world.doubts}) == 100


@pytest.mark.parametrize("step", [HOUR, -HOUR])
async def test_a_wall_clock_that_is_set_makes_nothing_due(world: World, step: timedelta):
    for number in range(100):
        world.keep(number)

    async with running(world.keeper.run()):
        world.clock.set_by(step)
        await world.pass_(20 * MINUTE)

    assert (world.put.asked, world.doubts) == ([], [])


async def test_few_are_in_flight_and_more_where_they_are_nearly_too_old(world: World):
    world.put.answers.clear()
    for number in range(50):
        world.keep(number, age=31 * MINUTE)

    async with running(world.keeper.run()):
        await world.pass_(5 * MINUTE)
        assert world.put.in_flight == 4
        for number in range(100, 150):
            world.keep(number, age=46 * MINUTE)
        await world.pass_(MINUTE)
        assert world.put.in_flight == 8
        world.put.answers.set()
        await world.pass_(2 * MINUTE)

    assert {account for _, account, _ in world.put.asked} == {*range(50), *range(100, 150)}
    assert world.put.asked[8][1] >= 100  # the oldest first


async def test_a_key_that_is_given_up_or_replaced_is_not_extended(world: World):
    gone, replaced = world.keep(1, age=20 * MINUTE), world.keep(2, age=20 * MINUTE)
    world.keeper.forget(gone.account.id)
    world.keep(2)

    async with running(world.keeper.run()):
        await world.pass_(15 * MINUTE)

    assert world.put.asked == []
    assert world.keeper.of(replaced.account.id) is not replaced


async def test_a_mistake_with_one_key_does_not_end_the_others(world: World):
    world.put.fails = lambda key: ZeroDivisionError() if key.account.id == 1 else None
    world.keep(1)
    world.keep(2)

    async with running(world.keeper.run()):
        await world.pass_(2 * HOUR)

    assert len(world.put.of(2)) == 4
    assert len(world.doubts) == 1
