"""A Sentry that keeps what it is sent, byte for byte."""

import gzip
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.http import Reply, Request, serve

KEY = "5e9712e0c4na12y0000000000000dead"


class FakeSentry:
    """*written* is all that came, headers too; *events* what of it was an event."""

    def __init__(self) -> None:
        self.dsn = ""
        self.written = ""
        self.events: list[dict[str, Any]] = []

    async def _take(self, request: Request) -> Reply:
        packed = request.headers.get("content-encoding") == "gzip"
        envelope = (gzip.decompress(request.body) if packed else request.body).decode()
        self.written += f"{request.path}?{request.query_string}\n{dict(request.headers)}\n"
        self.written += envelope
        _, *items = envelope.strip().split("\n")
        for header, content in zip(items[::2], items[1::2], strict=True):
            if json.loads(header)["type"] == "event":
                self.events.append(json.loads(content))
        return Reply(body=b'{"id": "0"}')


@asynccontextmanager
async def fake_sentry() -> AsyncGenerator[FakeSentry]:
    sentry = FakeSentry()
    async with serve(sentry._take) as url:
        sentry.dsn = f"http://{KEY}@{urlsplit(url).netloc}/1"
        yield sentry
