"""The file that holds the vault's keys where the environment has none."""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet

from bot.config.settings import BadSettings
from engine.security.vault import is_key


def load_or_create_keys(path: Path) -> list[str]:
    """The keys in *path*, one a line, the first encrypts; a new file with a new key if there is none.

    An existing file is not written to. Raises BadSettings if it cannot be used, or if others
    than its owner may read it.
    """
    try:
        return _load(path)
    except FileNotFoundError:
        pass
    except OSError as e:
        raise _unusable(path, f"cannot be read: {e.strerror}") from e
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # it came into being meanwhile, and stays as it is
            _create(path, [Fernet.generate_key().decode()])
        return _load(path)
    except OSError as e:
        raise _unusable(path, f"cannot be made: {e.strerror}") from e


def load_keys(path: Path) -> list[str]:
    """As `load_or_create_keys`, but a file that is missing is a problem."""
    try:
        return _load(path)
    except FileNotFoundError as e:
        raise _unusable(path, "is missing: bring it from where the database was made") from e
    except OSError as e:
        raise _unusable(path, f"cannot be read: {e.strerror}") from e


def put_new_key_first(path: Path) -> None:
    """A new key encrypts from now on; the others stay behind it. All or nothing."""
    keys = [Fernet.generate_key().decode(), *load_keys(path)]
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.unlink(missing_ok=True)  # of a time when the disk was full
        _create(beside, keys)
        beside.replace(path)
    except OSError as e:
        beside.unlink(missing_ok=True)
        raise _unusable(path, f"cannot be replaced: {e.strerror}") from e


def _load(path: Path) -> list[str]:
    with path.open(encoding="ascii", errors="replace") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise _unusable(path, f"may be read by others; run: chmod 600 {path}")
        keys = [line.strip() for line in file if line.strip()]
    if not keys or not all(is_key(key) for key in keys):
        raise _unusable(path, "does not hold Fernet keys, one a line; restore it from a backup")
    return keys


def _create(path: Path, keys: Sequence[str]) -> None:
    """For its owner alone. Raises FileExistsError rather than touch a file that is there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.writelines(f"{key}\n" for key in keys)
        file.flush()
        os.fsync(descriptor)


def _unusable(path: Path, why: str) -> BadSettings:
    return BadSettings([f"ENCRYPTION_KEYS is not set, and the key file {path} {why}"])
