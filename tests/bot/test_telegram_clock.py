"""Telegram's clock: heard from its answers, else from an update that a waiting poll brought."""

from datetime import timedelta

import httpx
import pytest

from bot.updates.telegram_clock import TelegramClock
from tests.fakes.clock import START, FakeClock

HOUR = timedelta(hours=1)
DATE = "Sun, 22 Nov 2026 12:00:00 GMT"  # START


def message(*, date: object) -> dict[str, object]:
    return {"update_id": 1, "message": {"date": date}}


async def hear(time: TelegramClock, headers: dict[str, str], *, status: int = 200) -> None:
    for hook in time.hooks["response"]:
        await hook(httpx.Response(status, headers=headers))


async def test_every_answer_tells_the_time_and_the_host_may_be_set_as_it_likes():
    clock = FakeClock(start=START + 2 * HOUR)
    time = TelegramClock(clock)
    before = time.now()
    await hear(time, {"date": DATE})
    clock.shift(HOUR)
    clock.set_by(-5 * HOUR)

    assert before == START + 2 * HOUR
    assert time.now() == START + HOUR


@pytest.mark.parametrize("headers", [{}, {"date": ""}, {"date": "soon"}])
async def test_an_answer_without_a_date_tells_nothing(clock: FakeClock, headers: dict[str, str]):
    time = TelegramClock(clock)
    await hear(time, headers)
    await hear(time, {"date": "Sun, 22 Nov 2020 12:00:00 GMT"}, status=502)

    assert time.now() == START


async def test_what_a_waiting_poll_brought_was_sent_just_now_and_nothing_else_was():
    clock = FakeClock(start=START + 2 * HOUR)
    time = TelegramClock(clock)
    sent = int(START.timestamp())
    time.brought([message(date=sent - 60)], after=timedelta(milliseconds=50))
    from_the_backlog = time.now()
    time.brought([message(date=sent), {"update_id": 2}, message(date="x")], after=2 * HOUR)
    time.brought([message(date=10**30), message(date=None)], after=2 * HOUR)

    assert from_the_backlog == START + 2 * HOUR
    assert time.now() == START
