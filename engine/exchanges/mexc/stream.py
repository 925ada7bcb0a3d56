"""One connection to MEXC's streams, from the handshake to its end. No policy: see the fleet.

Liveness is the JSON PING: whether protocol pings are answered is not known, so the library sends
none. A refusal looks like success: only an answer that names the very channel is one.
"""

import asyncio
import json
import logging
import re
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp
import httpx
from yarl import URL

from engine.clock import Clock
from engine.domain.streams.trust import Doubt
from engine.errors import NotConnected
from engine.exchanges.mexc.aiohttp_transport import error_name
from engine.exchanges.mexc.protobuf import BadFrame
from engine.exchanges.mexc.push_messages import Ignored, Pushed, decoded

logger = logging.getLogger(__name__)

PING_EVERY, PONG_WITHIN = timedelta(seconds=15), timedelta(seconds=10)
# So many frames that cannot be read within a minute, and the connection is not worth keeping.
_MOST_GARBAGE, _GARBAGE_SPAN = 3, timedelta(minutes=1)
_CONNECT_WITHIN_S, _SEND_WITHIN_S, _CLOSE_WITHIN_S = 10, 10, 2
# The longest that is asked for has 300; a thousand connections must not hold more between them.
_MOST_BYTES = 1 << 16
_PING, _PONG = '{"method":"PING"}', '{"method":"PONG"}'
_MOST_SAID = 200
_UNKNOWN_KEY = "Invalid listen key"
_ELSEWHERE = range(300, 400)
_REFUSED = "the handshake was refused"
# What a refusal quotes may be the key, or what a cut leaves of it.
_MAYBE_SECRET = re.compile(r"[A-Za-z0-9]{16,}", re.ASCII)

OnAnswer = Callable[[str, str], Doubt | None]


@dataclass(frozen=True, slots=True)
class StreamSession:
    """A session of its own: orders must never wait for a connection of streams."""

    session: aiohttp.ClientSession
    url: str
    proxy: URL | None
    proxy_headers: Mapping[str, str] | None = field(repr=False)


@asynccontextmanager
async def open_streams(
    url: str, *, proxy: str | None = None, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[StreamSession]:
    """Open what all streams of the process connect by. *proxy* is `http://user:password@host:port`."""
    through, headers = URL(proxy) if proxy else None, None
    if through is not None and through.user is not None:
        authorization = aiohttp.encode_basic_auth(through.user, through.password or "")
        headers = {"Proxy-Authorization": authorization}
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            ssl=tls or httpx.create_ssl_context(trust_env=False),
            resolver=aiohttp.ThreadedResolver(),
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(_once,),
        trust_env=False,
    ) as session:
        yield StreamSession(session, url, through.with_user(None) if through else None, headers)


async def _once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Ask once, and there: aiohttp by itself repeats a handshake whose connection broke, and follows
    whoever sends it elsewhere, with the key that stands in the address.
    """
    try:
        response = await send(request)
    except (aiohttp.ClientError, OSError) as e:
        raise NotConnected(error_name(e)) from None
    if response.status in _ELSEWHERE:
        response.close()
        raise NotConnected(_REFUSED, response.status)
    return response


class Stream:
    """One connection. *on_event* gets what was pushed, *on_answer* what each channel was answered:
    its own name where it is subscribed. It returns why the connection is not worth keeping, if it
    is not. Times are of the steady clock.
    """

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        *,
        clock: Clock,
        on_event: Callable[[Pushed], None],
        on_answer: OnAnswer,
    ) -> None:
        self._socket = socket
        self._clock = clock
        self._on_event = on_event
        self._on_answer = on_answer
        self._asked: dict[int, str] = {}
        self._next_id = 1
        self._alive_at = clock.steady()
        self._pinged_at: datetime | None = None
        self._garbage: deque[datetime] = deque(maxlen=_MOST_GARBAGE)
        self._why: Doubt | None = None
        self.connected_at = clock.steady()

    async def subscribe(self, channels: Sequence[str]) -> None:
        """Ask for *channels*, one a request: whether a good one beside a bad one counts is not
        known.
        """
        asked = dict(enumerate(channels, start=self._next_id))
        self._next_id += len(asked)
        self._asked |= asked
        for number, channel in asked.items():
            await self._say({"method": "SUBSCRIPTION", "params": [channel], "id": number})

    async def run(self) -> Doubt:
        """Read until the connection ends; returns why."""
        try:
            async for frame in self._socket:
                await self._take(frame)
                if self._why is not None:
                    break
        except (aiohttp.ClientError, OSError):  # the library's own answer to a ping
            self._why = self._why or Doubt.CLOSED
        finally:
            await self.close()
        return self._why or Doubt.CLOSED

    async def beat(self) -> timedelta:
        """Ping where that is due, and end the connection where no answer came. Returns the time
        until the next beat.
        """
        now = self._clock.steady()
        if self._pinged_at is not None and self._alive_at < self._pinged_at:
            late = self._pinged_at + PONG_WITHIN
            if now >= late:
                await self.end(Doubt.SILENT)
                return PING_EVERY
            return late - now
        due = max(
            self._alive_at if self._pinged_at is None else self._pinged_at, self.connected_at
        )
        if now < due + PING_EVERY:
            return due + PING_EVERY - now
        self._pinged_at = now
        await self._send(_PING)
        if self._why is not None:
            await self.close()
        return PONG_WITHIN

    async def end(self, why: Doubt) -> None:
        """End the connection; `run` returns *why*."""
        self._why = self._why or why
        await self.close()

    async def close(self) -> None:
        """Returns within two seconds, whatever the other side does."""
        try:
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await self._socket.close()
        except (TimeoutError, aiohttp.ClientError, OSError):
            pass

    async def _take(self, frame: aiohttp.WSMessage) -> None:
        if frame.type is aiohttp.WSMsgType.BINARY:
            self._take_push(frame.data)
        elif frame.type is aiohttp.WSMsgType.TEXT:
            await self._take_text(frame.data)
        elif frame.type is aiohttp.WSMsgType.ERROR:
            unreadable = isinstance(frame.data, aiohttp.WebSocketError)
            self._why = self._why or (Doubt.GARBAGE if unreadable else Doubt.CLOSED)

    def _take_push(self, data: bytes) -> None:
        try:
            event = decoded(data)
        except BadFrame as e:
            self._take_garbage(str(e))
            return
        self._alive_at = self._clock.steady()
        if not isinstance(event, Ignored):
            self._on_event(event)

    async def _take_text(self, text: str) -> None:
        if text.strip() == _UNKNOWN_KEY:
            self._why = Doubt.KEY
            return
        try:
            said = json.loads(text)
            number, message = said.get("id", 0), str(said.get("msg", ""))
        except (ValueError, AttributeError, RecursionError):
            self._take_garbage("a text that is no JSON object")
            return
        self._alive_at = self._clock.steady()
        if said.get("method") == "PING":
            await self._send(_PONG)
        elif message != "PONG":
            self._answered(number, message)

    def _answered(self, number: object, message: str) -> None:
        """A refusal has the number 0. It names its channels, or is empty: for the oldest then."""
        named = [
            asked
            for asked, channel in self._asked.items()
            if channel == message or f"[{channel}]" in message
        ]
        candidates = (named or list(self._asked)) if number == 0 else [number]
        of = next((asked for asked in self._asked if asked in candidates), None)
        if of is None:
            return  # it was answered before
        channel = self._asked.pop(of)
        self._why = self._why or self._on_answer(channel, message)
        if message != channel:
            said = _MAYBE_SECRET.sub("…", message)[:_MOST_SAID]
            logger.warning("stream channel refused", extra={"channel": channel, "said": said})

    def _take_garbage(self, why: str) -> None:
        now = self._clock.steady()
        self._garbage.append(now)
        logger.info("stream frame unreadable", extra={"read": why})
        if len(self._garbage) == _MOST_GARBAGE and now - self._garbage[0] < _GARBAGE_SPAN:
            self._why = Doubt.GARBAGE

    async def _say(self, what: Mapping[str, object]) -> None:
        await self._send(json.dumps(what, separators=(",", ":")))

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(_SEND_WITHIN_S):
                await self._socket.send_str(text)
        except TimeoutError:  # nobody reads there what we say
            self._why = self._why or Doubt.SILENT
        except (aiohttp.ClientError, OSError):
            self._why = self._why or Doubt.CLOSED


async def connected(
    streams: StreamSession,
    *,
    listen_key: str | None,
    clock: Clock,
    on_event: Callable[[Pushed], None],
    on_answer: OnAnswer,
) -> Stream:
    """Connect. Raises NotConnected, which names neither the address nor the key."""
    url = URL(streams.url)
    if listen_key is not None:
        url = url.with_query(listenKey=listen_key)
    try:
        async with asyncio.timeout(_CONNECT_WITHIN_S):
            socket = await streams.session.ws_connect(
                url,
                heartbeat=None,
                autoping=True,
                compress=0,
                max_msg_size=_MOST_BYTES,
                proxy=streams.proxy,
                proxy_headers=streams.proxy_headers,
            )
    except aiohttp.WSServerHandshakeError as e:
        raise NotConnected(_REFUSED, e.status) from None
    except (aiohttp.ClientError, TimeoutError, OSError) as e:
        raise NotConnected(error_name(e)) from None
    return Stream(socket, clock=clock, on_event=on_event, on_answer=on_answer)
