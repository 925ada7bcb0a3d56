"""One request out, one bounded answer in: limits on time and size, and a log without secrets."""

import asyncio
import logging
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import httpx

from engine.errors import BadData

logger = logging.getLogger(__name__)

# Only these prove that not a byte of the request has left.
NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# Everything else that may happen instead of an answer; TimeoutError and SSLError are OSErrors.
NO_ANSWER = (httpx.HTTPError, OSError, BadData)

_MOST_BYTES = 1024 * 1024
_CONNECT_WITHIN = timedelta(seconds=3)
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Answer:
    """*body* is decompressed. *retry_after* is the header's text, if there was one."""

    status: int
    body: bytes
    retry_after: str | None

    @property
    def ok(self) -> bool:
        return httpx.codes.is_success(self.status)


class Transport:
    """Sends over the process's one HTTP client; never retries, never follows a redirect."""

    def __init__(self, http: httpx.AsyncClient, *, time_limit: timedelta) -> None:
        self._http = http
        self._limit_seconds = time_limit.total_seconds()
        # Both end well before the limit, so that "never left" is told apart from "no answer".
        connect = min(time_limit, _CONNECT_WITHIN).total_seconds()
        self._timeout = httpx.Timeout(self._limit_seconds, connect=connect, pool=connect)
        # httpx logs each URL at INFO, and ours are signed.
        logging.getLogger("httpx").addFilter(_hide_query)

    async def send(self, method: str, url: str, *, headers: Mapping[str, str]) -> Answer:
        """Raises NEVER_LEFT or another of NO_ANSWER."""
        request = self._http.build_request(
            method, url, headers={**headers, "Accept-Encoding": "gzip"}, timeout=self._timeout
        )
        # The client's own read timeout starts again with each chunk: a drip would last for ever.
        async with asyncio.timeout(self._limit_seconds):
            response = await self._http.send(
                request, stream=True, auth=None, follow_redirects=False
            )
            try:
                body = await _bounded_body(response)
            finally:
                await response.aclose()
        logger.debug(
            "mexc answered",
            extra={"method": method, "path": request.url.path, "status": response.status_code},
        )
        return Answer(
            status=response.status_code,
            body=body,
            retry_after=response.headers.get("Retry-After"),
        )


async def _bounded_body(response: httpx.Response) -> bytes:
    raw = bytearray()
    async for chunk in response.aiter_raw():
        raw += chunk
        if len(raw) > _MOST_BYTES:
            raise BadData("the answer is too long")
    match response.headers.get("Content-Encoding", "identity").lower():
        case "identity":
            return bytes(raw)
        case "gzip":
            return _gunzipped(bytes(raw))
        case encoding:
            raise BadData(f"an answer in unknown encoding {encoding[:20]!r}")


def _gunzipped(raw: bytes) -> bytes:
    """Bounded, unlike what httpx itself would do to a bomb."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        body = unpacker.decompress(raw, _MOST_BYTES)
    except zlib.error as e:
        raise BadData("the answer is broken gzip") from e
    if not unpacker.eof:
        raise BadData("the answer is cut off, or too long when unpacked")
    return body


def _hide_query(log: logging.LogRecord) -> bool:
    if isinstance(log.args, tuple):
        log.args = tuple(
            arg.copy_with(query=None) if isinstance(arg, httpx.URL) else arg for arg in log.args
        )
    return True
