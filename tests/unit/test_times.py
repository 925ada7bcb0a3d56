"""Moments are shown in the time zone of the chat that reads them."""

import pytest

from bot.views.components.times import stamp, times_in, to_the_second, utc, zone_name
from tests.fakes.clock import START


@pytest.mark.parametrize("unset", [None, "UTC", "Mars/Base"])
def test_where_no_known_time_zone_is_set_moments_are_in_utc_and_say_so(unset: str | None):
    with times_in(unset):
        assert (utc(START), zone_name()) == ("22 Nov 12:00 UTC", "UTC")


def test_in_the_chats_own_time_zone_a_moment_needs_no_name():
    with times_in("Asia/Tokyo"):
        assert utc(START) == "22 Nov 21:00"
        assert stamp(START) == "22 Nov 21:00"
        assert to_the_second(START) == "22 Nov 21:00:00"
        assert zone_name() == "Asia/Tokyo"

    assert utc(START) == "22 Nov 12:00 UTC"


def test_the_day_is_that_of_the_time_zone():
    with times_in("Etc/GMT-14"):
        assert stamp(START) == "23 Nov 02:00"
        assert zone_name() == "UTC+14"
