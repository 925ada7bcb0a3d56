"""When Telegram was last heard, by this process or for it."""

from datetime import timedelta

from bot.observability.telegram_activity import TelegramActivity
from tests.fakes.clock import FakeClock

S = timedelta(seconds=1)


def test_a_process_that_polls_goes_by_its_polls(clock: FakeClock):
    polls = TelegramActivity(clock)
    polls.answered()
    clock.shift(S)
    polls.handled()
    clock.shift(S)

    assert polls.age() == polls.contact_age() == 2 * S


def test_one_that_leaves_polling_to_others_goes_by_the_updates_it_handles(clock: FakeClock):
    polls = TelegramActivity(clock)

    assert polls.contact_age() is None

    polls.answered()
    polls.handled()
    polls.ended()
    clock.shift(S)

    assert polls.age() is None
    assert polls.contact_age() == S
