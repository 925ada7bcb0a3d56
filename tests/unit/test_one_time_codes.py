"""One-time codes: read aloud, typed in any way, and the link that sends them."""

import string
from io import StringIO

import pytest

from bot.access.start_links import StartLinks
from engine.security.one_time_codes import ALPHABET, as_made, hash_of, new_code

CODE = "h7kp-3mne-xa4r-wyct"


def test_no_letter_of_a_code_looks_like_another_one():
    for alike in ("0oO", "1iIlL", "2zZ", "5sS", "6b", "8bB", "9gq", "uvUV"):
        assert len(set(alike) & set(ALPHABET)) <= 1

    assert set(new_code()) <= {*ALPHABET, "-"}
    assert len(new_code()) == len(CODE)
    assert new_code() != new_code()


@pytest.mark.parametrize(
    "typed", [CODE, CODE.upper(), "h7kp3mnexa4rwyct", " H7KP 3mne\u00a0xa4r-wyct "]
)
def test_a_code_counts_however_it_is_typed(typed: str):
    assert as_made(typed) == CODE
    assert hash_of(typed) == hash_of(CODE)


@pytest.mark.parametrize(
    "typed", ["", "Xy12AbCdEfGh", "h7kp-3mne-xa4r-wyc0", CODE + "a", "ж" * 16]
)
def test_other_text_is_no_code_of_this_version(typed: str):
    assert as_made(typed) == typed


def test_a_link_carries_only_what_telegram_lets_through():
    link = StartLinks(lambda: "ballast_bot").of(new_code()) or ""
    parameter = link.removeprefix("https://t.me/ballast_bot?start=")

    assert 0 < len(parameter) <= 64
    assert set(parameter) <= {*string.ascii_letters, *string.digits, "-", "_"}


def test_before_telegram_has_told_the_name_there_is_no_link():
    def unknown() -> str:
        raise RuntimeError("not initialised")

    assert StartLinks(unknown).of(CODE) is None


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


class Gone(Terminal):
    def write(self, text: str, /) -> int:
        raise OSError(5, "no terminal any more")


def test_a_terminal_shows_the_link_as_a_picture_for_the_phone(caplog: pytest.LogCaptureFixture):
    """It is as wide as a phone's screen, so that it fits any terminal."""
    terminal, file = Terminal(), StringIO()
    StartLinks(lambda: "ballast_bot", terminal=terminal).announce(CODE)
    StartLinks(lambda: "ballast_bot", terminal=file).announce(CODE)
    StartLinks(lambda: "ballast_bot", terminal=Gone()).announce(CODE)
    rows = terminal.getvalue().splitlines()

    assert len(rows) == 17
    assert {len(row) for row in rows} == {33}
    assert set(terminal.getvalue()) == set("█▀▄ \n")
    assert file.getvalue() == ""
    assert caplog.text.count(f"https://t.me/ballast_bot?start={CODE}") == 3
