"""A file of sealed chunks: only our keys open it, and no chunk can be changed, moved or left out.

    ballast-backup 1 <id of the file>
    <chunk 0>
    ...
    <chunk n>

Each chunk is a Fernet token of compressed JSON, bound to its file and to its place in it; the last
one says that it is the last.
"""

import base64
import json
import secrets
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from engine.errors import DecryptionFailed
from engine.security.vault import Vault

_MAGIC = "ballast-backup 1"
# Some hundred rows make some hundred kilobytes.
_LONGEST_LINE = 64_000_000


class Damaged(Exception):
    """The file is not what was written; the text says how far it could be read."""


class Archive:
    """Writes a file, from its first line on."""

    def __init__(self, file: BinaryIO, vault: Vault) -> None:
        self._file = file
        self._vault = vault
        self._id = secrets.token_hex(8)
        self._chunks = 0
        self._file.write(f"{_MAGIC} {self._id}\n".encode())

    def add(self, contents: Any) -> None:
        """Append *contents*, which must be serializable as JSON."""
        self._write({"contents": contents})

    def finish(self) -> None:
        self._write({"chunks": self._chunks})

    def _write(self, chunk: Any) -> None:
        packed = zlib.compress(json.dumps(chunk, separators=(",", ":")).encode())
        text = base64.b64encode(packed).decode()
        token = self._vault.seal_text(text, purpose=_purpose(self._id, self._chunks))
        self._file.write(token.encode() + b"\n")
        self._chunks += 1


def read(file: BinaryIO, vault: Vault) -> Iterator[Any]:
    """Yields the rows in order.
    Raises Damaged, possibly at the end: the caller must be able to undo what it did by then.
    """
    magic, _, file_id = _line(file).rpartition(" ")
    if magic != _MAGIC:
        raise Damaged("it is not a backup of Ballast's, or one of another version")
    number = 0
    while line := _line(file):
        chunk = _opened(vault, line, file_id, number)
        if "chunks" in chunk:
            if _line(file):
                raise Damaged("something follows its end")
            return
        yield chunk["contents"]
        number += 1
    raise Damaged(f"it is cut off after {number} chunks: its end is missing")


def _line(file: BinaryIO) -> str:
    """Without its end, which a terminal on the way may have changed; empty where there is none."""
    line = file.readline(_LONGEST_LINE)
    return line.decode("ascii", errors="replace").strip()


def _opened(vault: Vault, line: str, file_id: str, number: int) -> Any:
    try:
        text = vault.open_text(line, purpose=_purpose(file_id, number))
    except DecryptionFailed:
        if number == 0:
            raise Damaged(
                "none of the keys opens it, or its beginning is damaged; the key that was first "
                "in ENCRYPTION_KEYS (or in the key file) when it was made opens it"
            ) from None
        raise Damaged(f"it is damaged: chunk {number} does not open") from None
    return json.loads(zlib.decompress(base64.b64decode(text)))


def _purpose(file_id: str, number: int) -> str:
    return f"backup:{file_id}:{number}"
