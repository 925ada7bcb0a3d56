"""How soon a chat takes another alert."""

from datetime import timedelta

from bot.messaging.chat_pace import ChatPace
from tests.fakes.clock import FakeClock

ANNA, BERT, GROUP = 7, 8, -100
NOW, SECOND = timedelta(), timedelta(seconds=1)


def test_a_private_chat_takes_one_a_second_however_long_and_no_other_waits_with_it():
    clock = FakeClock()
    pace = ChatPace(clock)
    for _ in range(90):
        pace.sent(ANNA)

        assert SECOND < pace.pause(ANNA) < 1.1 * SECOND
        assert pace.pause(BERT) == NOW
        clock.shift(pace.pause(ANNA))
        assert pace.pause(ANNA) == NOW


def test_a_group_takes_twenty_a_minute():
    clock = FakeClock()
    pace = ChatPace(clock)
    began, sent_at = clock.steady(), []
    for _ in range(45):
        clock.shift(pace.pause(GROUP))
        pace.sent(GROUP)
        sent_at.append(clock.steady() - began)

    for first, twenty_first in zip(sent_at, sent_at[20:], strict=False):
        assert twenty_first - first > timedelta(minutes=1)
    assert sent_at[44] < timedelta(minutes=3)


def test_what_was_sent_over_a_minute_ago_is_forgotten():
    clock = FakeClock()
    pace = ChatPace(clock)
    for chat_id in range(100):
        pace.sent(chat_id)
    clock.shift(timedelta(minutes=2))
    pace.sent(ANNA)

    assert list(pace._sent) == [ANNA]
