"""A backup's file opens with our keys, whole and in order, or not at all."""

import io
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.maintenance import backup_file
from engine.maintenance.backup_file import Archive, Damaged
from engine.security.vault import Vault
from tests.unit.test_vault import FOREIGN_KEY, NEW_KEY, OLD_KEY

VAULT = Vault([NEW_KEY, OLD_KEY])
CONTENTS = [["about"], ["orders", [[1, "ü", None, True]]], ["orders", []]]


def written(contents: list[Any], vault: Vault = VAULT) -> bytes:
    file = io.BytesIO()
    made = Archive(file, vault)
    for one in contents:
        made.add(one)
    made.finish()
    return file.getvalue()


def read(text: bytes, vault: Vault = VAULT) -> list[Any]:
    return list(backup_file.read(io.BytesIO(text), vault))


def lines(text: bytes) -> list[bytes]:
    return text.splitlines(keepends=True)


def test_what_was_written_is_read_under_the_first_key_alone():
    text = written(CONTENTS)

    assert read(text) == CONTENTS
    assert read(text, Vault([NEW_KEY])) == CONTENTS
    assert read(written([])) == []
    assert b"orders" not in text


@pytest.mark.parametrize("vault", [Vault([OLD_KEY]), Vault([FOREIGN_KEY])])
def test_another_key_does_not_open_it(vault: Vault):
    with pytest.raises(Damaged, match="none of the keys"):
        read(written(CONTENTS), vault)


def test_a_terminal_on_the_way_may_change_the_ends_of_lines():
    assert read(written(CONTENTS).replace(b"\n", b"\r\n")) == CONTENTS


@given(st.data())
def test_a_file_that_was_cut_off_is_refused(data: st.DataObject):
    text = written(CONTENTS)
    end = data.draw(st.integers(0, len(text) - 2))  # without its last line's end it is whole

    with pytest.raises(Damaged):
        read(text[:end])


@given(st.data())
def test_a_file_with_another_character_in_it_is_refused_or_means_the_same(data: st.DataObject):
    text = written(CONTENTS)
    place = data.draw(st.integers(0, len(text) - 2))
    other = data.draw(st.sampled_from(b"Aa0_ \n"))

    # It may be the very character. The last bits of base64 mean nothing.
    with suppress(Damaged):
        assert read(text[:place] + bytes([other]) + text[place + 1 :]) == CONTENTS


@given(st.permutations(range(1, 5)))
def test_chunks_in_another_order_are_refused(order: list[int]):
    head, *chunks = lines(written(CONTENTS))
    if order == [1, 2, 3, 4]:
        return

    with pytest.raises(Damaged):
        read(head + b"".join(chunks[n - 1] for n in order))


@pytest.mark.parametrize("number", range(1, 5))
def test_a_chunk_left_out_said_twice_or_of_another_file_is_refused(number: int):
    ours, other = lines(written(CONTENTS)), lines(written(CONTENTS))
    without = ours[:number] + ours[number + 1 :]
    twice = ours[: number + 1] + ours[number:]
    strange = [*ours[:number], other[number], *ours[number + 1 :]]

    for parts in (without, twice, strange):
        with pytest.raises(Damaged):
            read(b"".join(parts))


@pytest.mark.parametrize("text", [b"", b"\n", b"SQLite format 3\0", b"ballast-backup 2 abc\n"])
def test_what_is_no_backup_of_ours_is_refused(text: bytes):
    with pytest.raises(Damaged, match="not a backup"):
        read(text)
