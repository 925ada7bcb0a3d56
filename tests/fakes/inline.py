"""The fakes without sockets: a request becomes a call, for tests that make a hundred thousand."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
from multidict import CIMultiDict

from engine.exchanges.mexc.transport import Answer, NoAnswer, answer_from
from tests.fakes.clock import FakeClock
from tests.fakes.http import Handler, Reply, Request

# Real time after which a fake that says nothing counts as hanging.
_HANGS_S = 0.02


class InlineTransport(httpx.AsyncBaseTransport):
    """Answers by calling *handler*. One that hangs costs *patience* of the test's own time, and
    ends as a read timeout.
    """

    def __init__(self, handler: Handler, *, clock: FakeClock, patience: timedelta) -> None:
        self._handler = handler
        self._clock = clock
        self._patience = patience

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.decode().partition("?")
        asked = Request(
            method=request.method,
            path=path,
            query_string=query,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.aread(),
        )
        try:
            async with asyncio.timeout(_HANGS_S):
                reply = await self._handler(asked)
        except TimeoutError:
            self._clock.shift(self._patience)
            raise httpx.ReadTimeout("no answer", request=request) from None
        if reply.drop:
            raise httpx.ReadError("connection lost", request=request)
        return httpx.Response(
            reply.status,
            headers={"content-type": reply.content_type, **reply.headers},
            stream=_Body(reply),
            request=request,
        )


class InlineExchange:
    """The client's transport to *handler*, with the same patience; *hangs_after* is in seconds."""

    def __init__(
        self,
        handler: Handler,
        *,
        clock: FakeClock,
        patience: timedelta,
        hangs_after: float | None = _HANGS_S,
    ) -> None:
        self._hangs_after = hangs_after
        self._handler = handler
        self._clock = clock
        self._patience = patience

    async def send(self, method: str, url: str, *, headers: Mapping[str, str]) -> Answer:
        target = urlsplit(url)
        asked = Request(
            method=method,
            path=target.path,
            query_string=target.query,
            headers={name.lower(): value for name, value in headers.items()},
            body=b"",
        )
        try:
            async with asyncio.timeout(self._hangs_after):
                reply = await self._handler(asked)
                if reply.drop:
                    raise NoAnswer("connection lost")
                return await answer_from(reply.status, CIMultiDict(reply.headers), _Body(reply))
        except TimeoutError:
            self._clock.shift(self._patience)
            raise NoAnswer("TimeoutError") from None
        except httpx.RemoteProtocolError:
            raise NoAnswer("the body is incomplete") from None


class _Body(httpx.AsyncByteStream):
    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._reply.drips:
            async for drop in self._reply.dripping():
                yield drop
        yield self._reply.body[: self._reply.cut_at]
        if self._reply.cut_at is not None:
            raise httpx.RemoteProtocolError("the body is incomplete")
