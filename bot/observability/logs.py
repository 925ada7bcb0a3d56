"""Logging to stderr, to a file, and to the last lines that `/logs` shows.
Every line is redacted as the last step, so message, arguments, extras, tracebacks and lines of
other libraries are covered.
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
# Below this level they log addresses, parameters or whole bodies, all of which hold secrets.
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
    # Logs each unreadable answer whole, with a traceback; the caller logs it in one line.
    "telegram.request": logging.CRITICAL,
    # A heartbeat is skipped while the one before still runs, as intended.
    "apscheduler.scheduler": logging.ERROR,
    # Logs a heartbeat that is not waited for at a stop, with a traceback; what breaks in one, the
    # heartbeat logs itself.
    "apscheduler.executors": logging.CRITICAL,
}
_PLAIN_RECORD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class _Formatter(logging.Formatter):
    """Writes UTC time, level, logger, message and extras as key=value, then redacts the line."""

    def __init__(self, redact: Redaction) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
        self.converter = time.gmtime
        self.redact = redact

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        extras = (f"{key}={_text_of(value)}" for key, value in _extras(record).items())
        return " ".join([super().formatMessage(record), *extras])

    def format(self, record: logging.LogRecord) -> str:
        # Another handler's formatter may have cached its own traceback text here.
        record.exc_text = None
        try:
            text = super().format(record)
        except (TypeError, ValueError) as e:
            text = f"{record.levelname} {record.name} {_not_loggable(record, e)}"
        record.exc_text = None
        return self.redact(text)


class _JsonFormatter(_Formatter):
    """Writes one JSON object per line; each field is redacted before it is encoded.
    (The other way round, a secret with a quote in it would be escaped and not recognised.)
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
        # Ours again: they are written first, and an extra of the same name does not replace them.
        whole = {**fields, **_extras(record), **fields}
        return json.dumps({name: self._shown(name, value) for name, value in whole.items()})

    def _shown(self, name: str, value: Any) -> Any:
        """Return numbers as they are, and anything else as the text format writes it."""
        line = f"{name}={_text_of(value)}"  # with its name: "signature=" marks a secret
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
    """Return the message without the arguments; logging itself would print them."""
    return f"{record.msg!r} is not loggable: {error}"


class _PrivateFile(RotatingFileHandler):
    """A file readable by its owner only, because it holds chats and amounts."""

    def __init__(self, file: Path) -> None:
        for number in range(_FILES_KEPT):
            older = Path(f"{file}.{number}") if number else file
            # A path that cannot be created or is no file must not stop logging. Older files too.
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
    """Keeps the last lines, always as text, because users read them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=_RING_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.extend(self.format(record).splitlines())


def configure(
    level: int | str, file: Path | None, secrets: Iterable[str], *, as_json: bool = False
) -> None:
    """Log at *level* and above; a second call replaces the first one's setup.
    *secrets* never appear in a line, nor does anything that has the form of a token or a key.
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
    """Return the last *count* lines, redacted, oldest first; at most 500 are kept."""
    rings = [handler for handler in logging.getLogger().handlers if isinstance(handler, _Ring)]
    return [line for ring in rings for line in ring.lines][-count:] if count > 0 else []
