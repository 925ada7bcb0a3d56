"""Logging for the process: to stderr, to a file, and to the last lines that `/logs` shows.

Everything is redacted as its very last step, so that message, arguments, extras, tracebacks and
other libraries' lines are all covered.
"""

import io
import json
import logging
import os
import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from math import isfinite
from pathlib import Path
from typing import Any

from bot.observability.redaction import Redaction

_RING_LINES = 500
_FILE_BYTES = 1_000_000
_FILES_KEPT = 5
_OWNER_ALONE = 0o600
# They log addresses, parameters or whole bodies below this level, and all of them hold secrets.
_TALKATIVE = (
    "aiosqlite",
    "alembic",
    "apscheduler",
    "hpack",
    "httpcore",
    "httpx",
    "telegram",
)
_QUIET = {
    # Logs each answer it cannot read, whole and with a traceback; whoever asked says it in a line.
    "telegram.request": logging.CRITICAL,
    # A heartbeat is left out while the one before is still at work: that is how it should be.
    "apscheduler.scheduler": logging.ERROR,
}
_PLAIN_RECORD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class _Formatter(logging.Formatter):
    """UTC time, level, logger, message, extras as key=value; then the redaction."""

    def __init__(self, redact: Redaction) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
        self.converter = time.gmtime
        self.redact = redact

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        extras = (f"{key}={_text_of(value)}" for key, value in _extras(record).items())
        return " ".join([super().formatMessage(record), *extras])

    def format(self, record: logging.LogRecord) -> str:
        # Another handler's formatter may have left its own text of the traceback here.
        record.exc_text = None
        try:
            text = super().format(record)
        except (TypeError, ValueError) as e:
            text = f"{record.levelname} {record.name} {_not_loggable(record, e)}"
        record.exc_text = None
        return self.redact(text)


class _JsonFormatter(_Formatter):
    """One object a line: what the text has, in fields; each is redacted, then written as JSON.

    (The other way round, a secret with a quote in it would stand there escaped and unknown.)
    """

    def format(self, record: logging.LogRecord) -> str:
        try:
            message = record.getMessage()
        except (TypeError, ValueError) as e:
            message = _not_loggable(record, e)
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, Any] = {
            "time": at.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
        }
        if record.exc_info:
            fields["exc_info"] = self.formatException(record.exc_info)
        if record.stack_info:
            fields["stack_info"] = self.formatStack(record.stack_info)
        # Ours last: an extra of the same name does not take its place.
        whole = {**_extras(record), **fields}
        names = [*fields, *(name for name in whole if name not in fields)]
        return json.dumps({name: self._shown(name, whole[name]) for name in names})

    def _shown(self, name: str, value: Any) -> Any:
        """Numbers stay numbers; anything else is the text that the other format has."""
        line = f"{name}={_text_of(value)}"  # with its name, as "signature=" tells what follows
        redacted = self.redact(line)
        is_number = type(value) in {bool, int} or (type(value) is float and isfinite(value))
        if redacted == line and (value is None or is_number):
            return value
        return redacted.removeprefix(f"{name}=")


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {str(k): v for k, v in record.__dict__.items() if k not in _PLAIN_RECORD}


def _text_of(value: object) -> str:
    try:
        return str(value)
    except Exception as e:  # noqa: BLE001 - whatever its __str__ does, the line is written
        return f"({type(value).__name__} is not loggable: {type(e).__name__})"


def _not_loggable(record: logging.LogRecord, error: Exception) -> str:
    """Without the arguments; logging itself would print them as they are."""
    return f"{record.msg!r} is not loggable: {error}"


class _PrivateFile(RotatingFileHandler):
    """For its owner alone, for chats and amounts are in there; so are those of earlier runs."""

    def __init__(self, file: Path) -> None:
        for number in range(_FILES_KEPT):
            older = Path(f"{file}.{number}") if number else file
            # Where it cannot be, or is no file, it is not a reason not to log.
            with suppress(OSError):
                if older.is_file():
                    older.chmod(_OWNER_ALONE)
        super().__init__(
            file,
            maxBytes=_FILE_BYTES,
            backupCount=_FILES_KEPT - 1,
            encoding="utf-8",
            errors="backslashreplace",
        )

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(
            self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _OWNER_ALONE
        )
        return TextIOWrapper(
            io.FileIO(descriptor, "a"),
            encoding=self.encoding,
            errors=self.errors,
            write_through=True,
        )


class _Ring(logging.Handler):
    """The last lines, as text whatever the format elsewhere: people read them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=_RING_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.extend(self.format(record).splitlines())


def configure(
    level: int | str, file: Path | None, secrets: Iterable[str], *, as_json: bool = False
) -> None:
    """Log at *level* and above; called again, it replaces what it set up before.

    *secrets* never appear in any line, nor does anything that looks like a token or a key.
    *as_json* is for stderr and the file.
    """
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler.formatter, _Formatter):
            root.removeHandler(handler)
            handler.close()
    redact, ring = Redaction(secrets), _Ring()
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr), ring]
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(_PrivateFile(file))
    for handler in handlers:
        in_json = as_json and handler is not ring
        handler.setFormatter(_JsonFormatter(redact) if in_json else _Formatter(redact))
        root.addHandler(handler)
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(root.level, least))
    logging.captureWarnings(True)


def recent_lines(count: int) -> Sequence[str]:
    """The last *count* lines, redacted, oldest first; at most 500 are kept."""
    rings = [handler for handler in logging.getLogger().handlers if isinstance(handler, _Ring)]
    return [line for ring in rings for line in ring.lines][-count:] if count > 0 else []
