"""Silence that Telegram asked for: kept by everything that would send."""

from datetime import timedelta

import pytest
from telegram.error import RetryAfter

from bot.messaging.flood_control import FloodControl, QuietPeriod
from tests.fakes.clock import FakeClock

ANNA, BERT, CARL = 7, 8, 9
SECOND = timedelta(seconds=1)


async def test_a_chat_is_left_alone_for_as_long_as_telegram_said_and_no_other_with_it():
    clock = FakeClock()
    flood = FloodControl(clock)

    assert flood.slowed(ANNA, RetryAfter(30)) == 30 * SECOND

    clock.shift(29 * SECOND)
    with pytest.raises(QuietPeriod) as quiet:
        await flood.check(ANNA)
    assert quiet.value.pause == SECOND
    await flood.check(BERT)
    clock.shift(SECOND)
    await flood.check(ANNA)


async def test_two_slowed_chats_mean_that_all_wait():
    clock = FakeClock()
    flood = FloodControl(clock)
    flood.slowed(ANNA, RetryAfter(30))
    flood.slowed(BERT, RetryAfter(10))

    with pytest.raises(QuietPeriod) as quiet:
        await flood.check(CARL)

    assert quiet.value.pause == 10 * SECOND


async def test_silence_that_is_kept_is_not_made_longer():
    clock = FakeClock()
    flood = FloodControl(clock)
    flood.slowed(ANNA, RetryAfter(30))
    clock.shift(20 * SECOND)
    with pytest.raises(QuietPeriod) as quiet:
        await flood.check(ANNA)
    flood.slowed(ANNA, quiet.value)
    clock.shift(10 * SECOND)

    await flood.check(ANNA)


def test_a_chat_is_congested_until_nothing_waits_for_it():
    flood = FloodControl(FakeClock())
    flood.slowed(ANNA, RetryAfter(30))

    assert flood.is_congested(ANNA)
    flood.relieved(ANNA)
    assert not flood.is_congested(ANNA)
