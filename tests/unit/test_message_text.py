"""What a message says as its person sees it."""

import pytest

from bot.interaction.update_kind import UpdateKind, update_kind_of
from bot.updates.message_text import own_text_in, visible
from bot.views.components.layout import echoed, escape
from bot.views.members import name_of


@pytest.mark.parametrize(
    "written",
    [
        "\u200b/pause",
        "\ufeff/pause",
        "\u200e/pause",
        "\u200f/pause\u200f",
        "\u202a/pause\u202c",
        "\u202e/pause",
        "\u2066/pause\u2069",
        "\u061c/pause",
        "\u2060/pause",
        "\u00a0/pause\u00a0",
        "\u00ad/pause",
        "\n \t/pause\n",
        "\u3000/pause",
        "\u2800/pause",
        "\u3164/pause",
        "\ufe0f/pause",
        "/\u200bpause",
        "/pa\u00aduse",
        "/pause\u200b",
        "\uff0fpause",
        "\uff0f\uff50\uff41\uff55\uff53\uff45",
        "\u2044pause",
        "\u200b\u00a0\ufeff /pause",
        "\u23f8\ufe0f /pause",
        "\U0001f6d1/pause",
        "\U0001f6d1\U0001f44d\U0001f3fd \uff0fpause",
    ],
)
def test_marks_that_nobody_sees_hide_no_command(written: str):
    assert visible(written) == "/pause"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("/settarget\u00a0\u200b4\u200b0", "/settarget\u00a040"),
        ("/settarget 4\u00b2", "/settarget 4\u00b2"),
        ("/settarget \u202e04", "/settarget \u202e04"),
        ("@ballast_bot /pause", "/pause@ballast_bot"),
        ("@ballast_bot /settarget 40", "/settarget@ballast_bot 40"),
        ("@anna look /pause", "@anna look /pause"),
        ("1\u20442 of it", "1\u20442 of it"),
        ("two\nlines", "two\nlines"),
        ("\U0001f44d please /pause", "\U0001f44d please /pause"),
        ("> /pause", "> /pause"),
        ("\U0001f44d", "\U0001f44d"),
        (None, ""),
        (7, ""),
        ("\u200b", ""),
    ],
)
def test_the_words_stay_as_they_are_seen(written: object, said: str):
    assert visible(written) == said


def test_a_caption_is_the_text_of_what_it_stands_under():
    assert own_text_in({"photo": [], "caption": "\u200b/pause"}) == "/pause"
    assert own_text_in({"text": "/status", "caption": "/pause"}) == "/status"
    assert own_text_in({"sticker": {}}) == ""


@pytest.mark.parametrize("field", ["sender_chat", "via_bot", "forward_origin", "forward_date"])
def test_no_one_elses_command_overtakes_or_starts_anything(field: str):
    assert update_kind_of({"message": {"text": "/pause", field: {}}}) == UpdateKind()
    assert update_kind_of({"message": {"caption": "\ufeff/pause", field: None}}) == UpdateKind(
        "pause"
    )


def test_a_name_cannot_turn_the_words_around_it():
    name = "\u202eevE\u2066 \u200fGrand\u200b"

    assert name_of(7, name) == "evE Grand"
    assert escape(f"<{name}>") == "&lt;evE Grand\u200b&gt;"
    assert echoed(name) == "“evE Grand\u200b”"
