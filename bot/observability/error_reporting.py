"""Reports logged errors to Sentry, if a DSN is set: type and place, no text from outside.
Only sentry-sdk's client is used: no integration is enabled, no breadcrumbs are kept of earlier
requests, and an event holds only the fields built in this module.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from bot.observability.redaction import Redaction
from bot.version import VERSION
from engine import errors

_FLUSH_WITHIN_S = 2.0
# Numbers and names of our own. Other extras of a log line may quote a user or an exchange.
_KEPT_EXTRAS = frozenset(
    {"account", "attempts", "cause", "count", "failures", "job", "kind", "late", "queue", "status"}
)
_KEPT_OF_FRAME = ("filename", "function", "in_app", "lineno", "module")
# Errors of the reporting itself would be reported without end.
_NOT_REPORTED = ("sentry_sdk", "urllib3")


def report_errors(dsn: str, secrets: Iterable[str]) -> None:
    """Report everything logged as an error from now on, by a thread that nothing waits for.
    Logging closes it at the end of the process, which takes 2 s at most.
    """
    logging.getLogger().addHandler(_Reporter(dsn, Redaction(secrets)))


class _Reporter(logging.Handler):
    def __init__(self, dsn: str, redact: Redaction) -> None:
        super().__init__(logging.ERROR)
        # Imported here: without a DSN it would cost each process half a second and 4 MB.
        from sentry_sdk import Client, utils  # noqa: PLC0415

        # (send_default_pii is off by default, and passing it is deprecated.)
        self._client = Client(
            dsn=dsn,
            release=f"ballast@{VERSION}",
            server_name="ballast",
            default_integrations=False,
            http_proxy="",  # empty, not None: None would mean the environment's
            https_proxy="",
            spotlight=False,
            include_local_variables=False,
            include_source_context=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            auto_session_tracking=False,
            send_client_reports=False,
            before_send=lambda event, _: _redacted(event, redact),
        )
        self._event_of = utils.event_from_exception

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] in _NOT_REPORTED:
            return
        try:
            self._client.capture_event(self._event(record))
        except Exception:  # noqa: BLE001 - a report that cannot be made breaks nothing else
            self.handleError(record)

    def close(self) -> None:
        self._client.close(timeout=_FLUSH_WITHIN_S)
        super().close()

    def _event(self, record: logging.LogRecord) -> Any:
        extras = {name: record.__dict__.get(name) for name in _KEPT_EXTRAS}
        event: dict[str, Any] = {
            "level": "fatal" if record.levelno >= logging.CRITICAL else "error",
            "logger": record.name,
            "logentry": {"message": _message_of(record)},
            "extra": {name: value for name, value in extras.items() if value is not None},
        }
        if record.exc_info and record.exc_info[1] is not None:
            described, _ = self._event_of(record.exc_info, client_options=self._client.options)
            values = described.get("exception", {}).get("values", [])
            event["exception"] = {"values": [_without_words(value) for value in values]}
        return event


def _message_of(record: logging.LogRecord) -> str:
    """Return the message as written in our source, without arguments: those may hold any text."""
    is_ours = record.name.partition(".")[0] in {"bot", "engine"}
    return str(record.msg) if is_ours else f"an error told by {record.name}"


def _without_words(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an exception's type and place, and its text only for the engine's own exceptions.
    Those hold facts; the text of any other may quote its input.
    """
    frames = (value.get("stacktrace") or {}).get("frames", [])
    kept = [{name: frame.get(name) for name in _KEPT_OF_FRAME} for frame in frames]
    bare = {
        "type": value.get("type"),
        "module": value.get("module"),
        "mechanism": value.get("mechanism"),
        "stacktrace": {"frames": kept},
    }
    return bare | ({"value": value.get("value")} if value.get("module") == errors.__name__ else {})


def _redacted(part: Any, redact: Redaction) -> Any:
    """Return a copy with every text redacted, including what sentry-sdk added."""
    if isinstance(part, str):
        return redact(part)
    if isinstance(part, Mapping):
        return {name: _redacted(value, redact) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_redacted(value, redact) for value in part]
    return part
