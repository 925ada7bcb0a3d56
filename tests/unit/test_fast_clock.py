"""The demo's time: a minute takes a second, and the machine's troubles take none of it."""

import asyncio
from datetime import timedelta

from engine.clock import FastClock, SystemClock


class Machine:
    """*uptime_s* is the machine's clock."""

    def __init__(self) -> None:
        self.uptime_s = 5000.0

    def clock(self) -> FastClock:
        return FastClock(speed=60, uptime_s=lambda: self.uptime_s)


def test_a_second_is_a_minute_of_the_demo_which_begins_now():
    machine = Machine()
    clock = machine.clock()
    began = clock.now()
    for _ in range(10):
        machine.uptime_s += 0.125
        clock.now()

    assert clock.now() - began == timedelta(seconds=75)
    assert clock.steady() == clock.now()
    assert abs(began - SystemClock().now()) < timedelta(minutes=1)


def test_a_stall_or_a_suspend_hardly_passes_in_the_demo():
    machine = Machine()
    clock = machine.clock()
    began = clock.now()
    machine.uptime_s += 3600

    assert clock.now() - began == timedelta(seconds=15)


async def test_a_sleep_ends_when_its_time_has_passed_in_the_demo():
    clock = FastClock(speed=6000)
    began = clock.now()
    await clock.sleep(timedelta(minutes=5))  # 0.05 s of ours
    await clock.sleep(timedelta(minutes=-5))
    async with asyncio.timeout(5):
        await clock.sleep(timedelta(minutes=20))

    assert clock.now() - began >= timedelta(minutes=25)
