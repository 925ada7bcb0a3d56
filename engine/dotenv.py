"""The file `.env`: one `NAME=value` a line, as people and their editors write it.

A value is taken as it stands there: no sign in it means anything, neither `$` nor `&` nor a
backslash. It ends with its line, or at a blank and a `#`. It may be put into quotes; in double ones
a backslash takes away what another backslash, a quote, a dollar or a backquote would mean.
"""

import os
import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path

_MOST_BYTES = 1024 * 1024
_UTF8_MARK, _UTF16_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
_LINE_END = re.compile(rb"\r\n|\n|\r")
_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)", re.ASCII | re.DOTALL)
_QUOTED = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)\"""", re.DOTALL)
_ESCAPED = re.compile(r'\\([\\"$`])')
_COMMENT = re.compile(r"\s#.*", re.DOTALL)
_BLANKS_AND_COMMENT = re.compile(r"\s*(?:\s#.*)?", re.DOTALL)


class UnreadableFile(Exception):
    """The file is there and cannot be read whole; *problems* say where, and never what it holds."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _BadLine(Exception):
    """How the sentence about the line goes on."""


def read(path: Path) -> Mapping[str, str]:
    """Returns what *path* sets; nothing if there is no such file. Raises UnreadableFile."""
    try:
        # A link that leads nowhere, or a folder made by a container, was meant to be the file.
        if not os.path.lexists(path):
            return {}
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except IsADirectoryError:
        raise UnreadableFile([f"{path} is a folder; it must be a file"]) from None
    except OSError as e:
        raise UnreadableFile([f"{path} cannot be read: {e.strerror}"]) from None
    return _parsed(content, str(path))


def load(path: Path, environ: MutableMapping[str, str]) -> None:
    """Add to *environ* what *path* sets; what is in there already, even empty, stays.

    Raises UnreadableFile.
    """
    for name, value in read(path).items():
        try:
            environ.setdefault(name, value)
        except UnicodeEncodeError:
            problem = f"{path} sets {name} to what this machine's locale cannot write"
            raise UnreadableFile([f"{problem}; set LC_ALL=C.UTF-8"]) from None


def unquoted(value: str) -> str:
    """Returns *value* without surrounding blanks and quotes, which Docker's `--env-file` keeps."""
    bare = value.strip()
    is_quoted = len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\""
    return bare[1:-1].strip() if is_quoted else bare


def _parsed(content: bytes, name: str) -> dict[str, str]:
    if len(content) > _MOST_BYTES:
        raise UnreadableFile([f"{name} is larger than 1 MB"])
    if content.startswith(_UTF16_MARKS):
        raise UnreadableFile([f"{name} line 1 is in UTF-16; save the file as UTF-8"])
    found: dict[str, tuple[str, int]] = {}
    problems: list[str] = []
    for number, line in enumerate(_LINE_END.split(content.removeprefix(_UTF8_MARK)), start=1):
        try:
            assignment = _assignment(line)
        except _BadLine as e:
            problems.append(f"{name} line {number} {e}")
            continue
        if assignment is None:
            continue
        key, value = assignment
        before, earlier = found.setdefault(key, (value, number))
        if value != before:
            again = f"sets {key} again, otherwise than line {earlier}: keep one"
            problems.append(f"{name} line {number} {again}")
    if problems:
        raise UnreadableFile(problems)
    return {key: value for key, (value, _) in found.items()}


def _assignment(line: bytes) -> tuple[str, str] | None:
    """None where the line is blank or a comment, whatever a comment's encoding is."""
    line = line.strip()
    if line.startswith(b"#"):
        return None
    if b"\0" in line:
        raise _BadLine("has a NUL byte; save the file as UTF-8")
    try:
        text = line.decode().strip()
    except UnicodeDecodeError:
        raise _BadLine("is not in UTF-8; save the file as UTF-8") from None
    if not text:
        return None
    assignment = _ASSIGNMENT.fullmatch(text)
    if assignment is None:
        raise _BadLine("is not NAME=value")
    return assignment[1], _value(assignment[2])


def _value(text: str) -> str:
    bare = text.strip()
    if not bare.startswith(("'", '"')):
        if bare.endswith("\\"):
            raise _BadLine("ends with a backslash; a value stands on one line")
        return _COMMENT.sub("", text).strip()
    quoted = _QUOTED.match(bare)
    if quoted is None:
        raise _BadLine("has a quote that is not closed; a value stands on one line")
    if not _BLANKS_AND_COMMENT.fullmatch(bare, quoted.end()):
        raise _BadLine("has something behind its closing quote")
    if quoted[1] is not None:
        return quoted[1]
    return _ESCAPED.sub(r"\1", quoted[2])
