"""The key file: made once, private, never overwritten, and refused where it cannot be trusted."""

import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.config.key_file import load_or_create_keys
from bot.config.settings import BadSettings
from engine.security.vault import is_key


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def problem(path: Path) -> str:
    with pytest.raises(BadSettings) as caught:
        load_or_create_keys(path)
    (text,) = caught.value.problems
    return text


def test_a_missing_file_is_made_with_a_key_for_its_owner_alone(tmp_path: Path):
    path = tmp_path / "data" / "ballast.key"

    (key,) = load_or_create_keys(path)

    assert is_key(key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_keys(path) == [key]


def test_all_keys_of_a_file_are_read_in_their_order(tmp_path: Path):
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    path = private(tmp_path / "two.key", f"\n{keys[0]}\n\n  {keys[1]}  ")

    assert load_or_create_keys(path) == keys


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path, mode: int):
    path = private(tmp_path / "open.key", Fernet.generate_key().decode())
    path.chmod(mode)

    assert f"may be read by others; run: chmod 600 {path}" in problem(path)


@pytest.mark.parametrize("text", ["", "\n\n", "not a key", "ключ", "a" * 44])
def test_a_file_without_keys_is_refused_and_left_as_it_is(tmp_path: Path, text: str):
    path = private(tmp_path / "bad.key", text)

    assert "does not hold Fernet keys, one a line; restore it from a backup" in problem(path)
    assert path.read_text() == text


def test_one_bad_line_spoils_the_file_and_is_not_repeated(tmp_path: Path):
    key = Fernet.generate_key().decode()
    path = private(tmp_path / "bad.key", f"{key}\n{key[:-3]}")

    assert key[:-3] not in problem(path)


def test_a_folder_is_no_key_file(tmp_path: Path):
    assert "cannot be read: Is a directory" in problem(tmp_path)


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")

    assert "cannot be" in problem(tmp_path / "file" / "ballast.key")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "loop").symlink_to(tmp_path / "nowhere" / "x")

    path = tmp_path / "loop" / "ballast.key"

    assert "cannot be made" in problem(path)


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path: Path):
    """What a second process would meet that lost the race to make the file, and never saw it."""
    path = tmp_path / "ballast.key"
    path.symlink_to(tmp_path / "nowhere.key")

    assert "cannot be made" in problem(path)
    assert not (tmp_path / "nowhere.key").exists()
