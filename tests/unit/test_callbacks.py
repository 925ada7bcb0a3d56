"""Buttons carry typed data that fits Telegram and cannot be forged into anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.callbacks import (
    PRESSABLE,
    AuditPage,
    Choose,
    Confirm,
    Do,
    HistoryPage,
    Press,
    Report,
    Word,
    decode,
)

ids = st.from_regex(r"[A-Za-z0-9_-]{1,32}", fullmatch=True)
arguments = st.from_regex(r"[A-Za-z0-9.%]{0,20}", fullmatch=True)
presses: st.SearchStrategy[Press] = st.one_of(
    st.builds(Do, st.sampled_from(sorted(PRESSABLE)), arguments),
    st.builds(Confirm, ids),
    st.builds(Choose, ids, st.integers(0, 7)),
    st.builds(HistoryPage, st.integers(0, 9999), st.integers(1, 50)),
    st.builds(Report, st.sampled_from(Word), ids),
    st.builds(AuditPage, st.integers(0, 9999)),
)


@given(presses)
def test_a_button_comes_back_as_it_was_made(press: Press):
    assert decode(press.encode()) == press


@given(presses)
def test_a_button_fits_into_telegrams_64_bytes(press: Press):
    assert 1 <= len(press.encode().encode()) <= 64


@given(st.text())
def test_any_text_decodes_to_a_button_of_ours_or_to_nothing(text: str):
    press = decode(text)

    assert press is None or press.encode() == text


@given(presses, st.text(min_size=1, max_size=3))
def test_a_button_with_something_added_is_never_taken_for_another_kind(press: Press, more: str):
    changed = decode(press.encode() + more)

    assert changed is None or type(changed) is type(press)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "do",
        "do:",
        "do:status",
        "do:start:code",
        "do:status:\n",
        "do:status:a b",
        "do:settarget:" + "4" * 21,
        "yes:",
        "yes:a b",
        "yes:" + "a" * 33,
        "yes:é",
        "pick:a",
        "pick:a:8",
        "pick:a:-1",
        "pick:a:01",
        "pick:a:１",
        "page:1",
        "page:10000:5",
        "page:1:0",
        "page:1:51",
        "page:x:5",
        "drop:a",
        "order:filled",
        "order:filled:",
        "order:FILLED:bl-1",
        "order:sold:bl-1",
        "order:not:a b",
        "order:look:" + "a" * 33,
    ],
)
def test_what_we_would_not_have_made_is_refused(text: str):
    assert decode(text) is None


def test_a_wrong_button_cannot_even_be_made():
    with pytest.raises(ValueError, match="no button"):
        Do("format_disk")
    with pytest.raises(ValueError, match="question"):
        Confirm("a:b")
    with pytest.raises(ValueError, match="option"):
        Choose("a", 8)
    with pytest.raises(ValueError, match="page"):
        HistoryPage(-1, 5)
    with pytest.raises(ValueError, match="order"):
        Report(Word.FILLED, "bl-1:x")
