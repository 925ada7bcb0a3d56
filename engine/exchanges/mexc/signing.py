"""MEXC's request signature, without any I/O.

Every parameter travels in the query string, also for POST: MEXC signs query and body glued
together without a separator, and an empty body leaves nothing to glue.
"""

import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from engine.security.credentials import Credentials

Params = Sequence[tuple[str, str]]

# Other content types are refused (700013), even on requests without a body.
PUBLIC_HEADERS: Mapping[str, str] = {"Content-Type": "application/json"}


def headers_for(credentials: Credentials) -> Mapping[str, str]:
    return {**PUBLIC_HEADERS, "X-MEXC-APIKEY": credentials.api_key}


def signature_of(message: str, *, credentials: Credentials) -> str:
    """Returns the signature in lower-case hex: MEXC refuses any other."""
    return hmac.digest(credentials.api_secret.encode(), message.encode(), "sha256").hex()


def encoded(params: Params) -> str:
    """Percent-encoded with upper-case escapes and `%20` for a blank, as MEXC signs it."""
    return urlencode(params, quote_via=quote)


def signed_query(
    params: Params,
    *,
    credentials: Credentials,
    timestamp_ms: int,
    recv_window_ms: int | None = None,
) -> str:
    """The complete query string, signature last; it must be sent byte for byte."""
    stamped = [*params]
    if recv_window_ms is not None:
        stamped.append(("recvWindow", str(recv_window_ms)))
    stamped.append(("timestamp", str(timestamp_ms)))
    query = encoded(stamped)
    return f"{query}&signature={signature_of(query, credentials=credentials)}"
