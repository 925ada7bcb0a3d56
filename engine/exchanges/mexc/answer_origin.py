"""Tells whether an answer comes from the exchange or from a server in front of it."""

import re
from http import HTTPStatus

from engine.errors import BadData
from engine.exchanges.mexc import parsing
from engine.exchanges.mexc.json_fields import parsed
from engine.exchanges.mexc.transport import Answer
from engine.security.credentials import Credentials

_REDIRECTS = range(300, 400)
_REFUSALS = frozenset(
    {
        HTTPStatus.FORBIDDEN,
        HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS,
        HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED,
    }
)
_OF_FIREWALLS = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_ACCEPTABLE})
_WANTS_A_BROWSER = re.compile(
    rb"Just a moment|challenge|Attention Required|captcha", re.IGNORECASE
)
_UTF8_MARK = b"\xef\xbb\xbf"
_SHORTEST_PART = 4
_SIGNATURE = re.compile(r"[0-9a-fA-F]{64}")


def refuses_host(answer: Answer, complaint: parsing.Complaint | None) -> bool:
    """True if *answer* comes from a server in front of the exchange and refuses this host.

    The exchange's own refusals are JSON with a code; a firewall's are a web page, a redirect to
    one, or JSON without a code. A web page instead of data is the same, with HTTP 200, and so is a
    browser check, with 503.
    """
    if complaint is not None:
        return False
    if answer.status in _REFUSALS or answer.status in _REDIRECTS:
        return True
    if not answer.body.removeprefix(_UTF8_MARK).lstrip().startswith(b"<"):
        return False
    if answer.status in _OF_FIREWALLS or answer.ok:
        return True
    return (
        answer.status == HTTPStatus.SERVICE_UNAVAILABLE
        and _WANTS_A_BROWSER.search(answer.body) is not None
    )


def is_refusal(status: int) -> bool:
    """True if the HTTP status blames the request."""
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def contents_of(answer: Answer) -> object:
    """The JSON of *answer*, or the BadData that says why there is none."""
    try:
        return parsed(answer.body)
    except BadData as e:
        return e


def complaint_of(
    contents: object, *, credentials: Credentials | None = None
) -> parsing.Complaint | None:
    """The exchange's own error in an answer, without what it may quote of *credentials*."""
    found = parsing.complaint(contents)
    if found is None:
        return None
    message = _SIGNATURE.sub("…", found.message)
    if credentials is not None:  # an error may quote what we sent
        for secret in (credentials.api_key, credentials.api_secret, credentials.listen_key):
            message = _without(secret, message) if secret else message
    return parsing.Complaint(code=found.code, message=message)


def _without(secret: str, message: str) -> str:
    """Returns *message* without *secret*, and without the part of it that a cut at the end has left."""
    message = message.replace(secret, "…")
    for length in range(min(len(secret), len(message)), _SHORTEST_PART - 1, -1):
        if message.endswith(secret[:length]):
            return f"{message[:-length]}…"
    return message
