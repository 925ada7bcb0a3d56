"""What plain words do in a private chat, and how long a pause may be typed."""

from datetime import timedelta
from typing import Any

import pytest

from bot.interaction.update_kind import UpdateKind, stops, update_kind_of
from bot.parsing.plain_words import pause_time, plain_command


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pause", ("pause", "")),
        ("STOP!!", ("stop", "")),
        (" Status. ", ("status", "")),
        ("pause for 1h", ("pause", "1h")),
        ("stop 2 days", ("stop", "2 days")),
        ("pause it", None),
        ("pause 5%", None),
        ("do not stop", None),
        ("resume", None),
        ("60", None),
    ],
)
def test_words_that_stop_or_look_are_commands(text: str, expected: object):
    assert plain_command(text) == expected


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("1h", 60),
        ("90 min", 90),
        ("1h 30m", 90),
        ("2D", 2880),
        ("for 8 hours", 480),
        ("30 days", 43200),
        ("31d", None),
        ("0h", None),
        ("30", None),
        ("30s", None),
        ("", None),
        ("tomorrow", None),
    ],
)
def test_the_length_of_a_pause_names_its_unit(text: str, minutes: int | None):
    assert pause_time(text) == (timedelta(minutes=minutes) if minutes else None)


@pytest.mark.parametrize("text", ["pause", "/stop", "stop.", "pause 1h", "/pause 1h"])
def test_a_plain_word_overtakes_in_a_private_chat_alone(text: str):
    def kind(chat_type: str, **more: Any) -> UpdateKind:
        return update_kind_of({"message": {"text": text, "chat": {"type": chat_type}} | more})

    assert stops(kind("private"))
    assert stops(kind("group")) is text.startswith("/")
    assert not stops(kind("private", forward_date=1))
