"""A group's onlookers: a few questions a minute, one polite word, then silence."""

from datetime import timedelta

from bot.routing.viewer_limit import MOST_A_MINUTE, Turn, ViewerLimit
from tests.fakes.clock import FakeClock

GROUP, OTHER = -5, -6
SECOND = timedelta(seconds=1)


def test_a_few_questions_a_minute_are_answered_and_the_first_one_too_many_is_declined_once():
    onlookers = ViewerLimit(FakeClock())

    turns = [onlookers.asks(GROUP) for _ in range(200)]

    assert turns[:MOST_A_MINUTE] == [Turn.ANSWERED] * MOST_A_MINUTE
    assert turns[MOST_A_MINUTE] is Turn.DECLINED
    assert set(turns[MOST_A_MINUTE + 1 :]) == {Turn.IGNORED}
    assert onlookers.asks(OTHER) is Turn.ANSWERED


def test_a_flood_of_an_hour_is_declined_once():
    clock = FakeClock()
    onlookers = ViewerLimit(clock)

    turns = []
    for _ in range(3600):
        turns.append(onlookers.asks(GROUP))
        clock.shift(SECOND)

    assert turns.count(Turn.DECLINED) == 1
    assert turns.count(Turn.ANSWERED) == 60 * MOST_A_MINUTE


def test_after_a_calm_minute_it_begins_again():
    clock = FakeClock()
    onlookers = ViewerLimit(clock)
    for _ in range(MOST_A_MINUTE + 2):
        onlookers.asks(GROUP)
    clock.shift(60 * SECOND)

    turns = [onlookers.asks(GROUP) for _ in range(MOST_A_MINUTE + 1)]

    assert turns == [Turn.ANSWERED] * MOST_A_MINUTE + [Turn.DECLINED]
