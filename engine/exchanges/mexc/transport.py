"""Transport interface of the client: one request out, one bounded answer in, or an error."""

import zlib
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from engine.errors import BadData

_MOST_BYTES = 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class NeverLeft(Exception):
    """Not a byte of the request can have reached the exchange: that is proven."""


class NoAnswer(Exception):
    """Raised when a request may have arrived and taken effect."""


@dataclass(frozen=True, slots=True)
class Answer:
    """*body* is decompressed. *retry_after* is the header's text, if there was one."""

    status: int
    body: bytes
    retry_after: str | None

    @property
    def ok(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


class Transport(Protocol):
    async def send(self, method: str, url: str, *, headers: Mapping[str, str]) -> Answer:
        """Exactly one request, or none; *url* goes out byte by byte as it is.

        Never repeats it, follows no redirect, keeps no cookie, and is back within a time limit
        of its own. Raises NeverLeft, or NoAnswer, or BadData for an answer that is too long or
        cannot be unpacked. None of them names the query, which is signed.
        """
        ...


async def answer_from(
    status: int, headers: Mapping[str, str], chunks: AsyncIterable[bytes]
) -> Answer:
    """The answer whose body comes in *chunks*; *headers* know their names in any case."""
    raw = bytearray()
    async for chunk in chunks:
        raw += chunk
        if len(raw) > _MOST_BYTES:
            raise BadData("the answer is too long")
    return Answer(
        status=status,
        body=_unpacked(bytes(raw), headers.get("Content-Encoding", "identity").lower()),
        retry_after=headers.get("Retry-After"),
    )


def _unpacked(raw: bytes, encoding: str) -> bytes:
    """Returns the body, bounded, unlike what a client library would do to a bomb."""
    if encoding == "identity":
        return raw
    if encoding != "gzip":
        raise BadData(f"an answer in unknown encoding {encoding[:20]!r}")
    unpacker = zlib.decompressobj(_GZIP)
    try:
        body = unpacker.decompress(raw, _MOST_BYTES)
    except zlib.error as e:
        raise BadData("the answer is broken gzip") from e
    if not unpacker.eof:
        raise BadData("the answer is cut off, or too long when unpacked")
    return body
