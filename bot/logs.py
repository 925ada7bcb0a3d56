"""Logging for the process: to stderr, to a file, and to the last lines that `/logs` shows.

Everything is redacted as its very last step, so that message, arguments, extras, tracebacks and
other libraries' lines are all covered.
"""

import logging
import re
import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path

_RING_LINES = 500
_FILE_BYTES = 1_000_000
_FILES_KEPT = 5
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
_HIDDEN = "***"
_PATTERNS = (
    (re.compile(r"\d{6,}(?::|%3A)[A-Za-z0-9_-]{30,}", re.IGNORECASE), _HIDDEN),
    # The argument after the command, one more that may stand on the next line, and the rest.
    (re.compile(r"(/connect(?:@\w+)?)(?:\s|\\[nt])+\S+(?:\s+\S+)?[^\n]*"), rf"\1 {_HIDDEN}"),
    (re.compile(r"mx0[A-Za-z0-9]{6,}"), _HIDDEN),
    (re.compile(r"(signature['\"]?[=:] ?['\"]?)[0-9a-f]+", re.IGNORECASE), rf"\1{_HIDDEN}"),
)
_PLAIN_RECORD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class _Formatter(logging.Formatter):
    """UTC time, level, logger, message, extras as key=value; then the redaction."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
        self.converter = time.gmtime
        # The longest first: one secret may be a part of another.
        self._secrets = sorted(filter(None, secrets), key=len, reverse=True)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        extras = {k: v for k, v in record.__dict__.items() if k not in _PLAIN_RECORD}
        return " ".join(
            [super().formatMessage(record), *(f"{key}={value}" for key, value in extras.items())]
        )

    def format(self, record: logging.LogRecord) -> str:
        # Another handler's formatter may have left its own text of the traceback here.
        record.exc_text = None
        try:
            text = super().format(record)
        except (TypeError, ValueError) as e:
            # logging itself would print the message and its arguments as they are.
            text = f"{record.levelname} {record.name} {record.msg!r} is not loggable: {e}"
        record.exc_text = None
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


class _Ring(logging.Handler):
    """The last lines, as they were written everywhere else."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=_RING_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.extend(self.format(record).splitlines())


def configure(level: int | str, file: Path | None, secrets: Iterable[str]) -> None:
    """Log at *level* and above; called again, it replaces what it set up before.

    *secrets* never appear in any line, nor does anything that looks like a token or a key.
    """
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler.formatter, _Formatter):
            root.removeHandler(handler)
            handler.close()
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr), _Ring()]
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        kept = _FILES_KEPT - 1
        handlers.append(
            RotatingFileHandler(file, maxBytes=_FILE_BYTES, backupCount=kept, encoding="utf-8")
        )
    formatter = _Formatter(secrets)
    for handler in handlers:
        handler.setFormatter(formatter)
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
