"""The stream server of the fake MEXC: the same ledger as its REST, told as it changes.

    async with FakeMexc(clock) as mexc, FakeMexcStreams(mexc) as streams:
        streams.url                                  # ws://127.0.0.1:…/ws, or wss with *tls*
        mexc.deposit(API_KEY, "USDT", Decimal(20))   # an account frame, to each connection with a
                                                     # valid listen key of that account
        mexc.move_price("MNTLUSDT", Decimal("1.1"))  # prices, where they are subscribed
        await streams.until(lambda: streams.subscribed(ACCOUNT) == 1)

Keys come from the REST fake (`mexc.listen_keys`). Each change is told at once and step by step, in
the order in which it happened: *arrange* and *split* change that, *event_delay* tells it later,
`mexc.ledger.journal.rest_behind` lets REST show it later. All times are of the fake's clock; the
server looks at it every 20 ms of real time.

Faults (tests/fakes/mexc_connection.py): *trouble* of all connections and that of each one (see
Trouble), *refusals* of channels, *handshakes* that fail, and the methods of a Connection; `flood`,
`cut_all`, `stop` and `start`.
"""

import asyncio
import json
import ssl
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Self
from weakref import WeakSet

from engine.clock import SystemClock
from tests.fakes.mexc import FakeMexc
from tests.fakes.mexc_connection import (
    INVALID_KEY,
    AtExpiry,
    Connection,
    Refusal,
    Trouble,
    UnknownKey,
)
from tests.fakes.mexc_journal import Entry
from tests.fakes.mexc_pushes import (
    ACCOUNT,
    PRIVATE,
    Arranging,
    PublicChannel,
    as_it_happened,
    channel_of,
    merged,
    private_frame,
    public_channel,
)
from tests.fakes.websocket import WebSocket

CUT, NO_ANSWER = 0, -1  # instead of a handshake's status
_TICK_S, _LOOK_AGAIN = 0.02, 50
_PATIENCE_S = 10
_FINEST_S = 0.005
_YOUNGER = timedelta(milliseconds=1)


class FakeMexcStreams:
    """*connects* are the times of all handshakes, *refused* counts those that failed by status,
    *pushed* the frames by channel, *ended* the connections that a rule ended, by why.
    """

    def __init__(
        self, mexc: FakeMexc, *, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self._mexc = mexc
        self._port = port
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ticks = 0
        self._look_at = datetime.max.replace(tzinfo=mexc.now().tzinfo)
        self._sockets = WeakSet[WebSocket]()  # those in a handshake, too
        self._by_socket: dict[WebSocket, Connection] = {}
        self._of_account: defaultdict[str, list[Connection]] = defaultdict(list)
        self._public: dict[str, tuple[PublicChannel, list[Connection]]] = {}
        self._waiting: deque[tuple[datetime, datetime, Sequence[Entry]]] = deque()
        self._made_at: dict[str, datetime] = {}
        self.url = ""
        self.unsubscribed_for = timedelta(seconds=30)
        self.idle_for = timedelta(seconds=60)
        self.lives_for = timedelta(hours=24)
        self.most_channels = 30
        self.most_a_key = 5
        self.most_connections: int | None = None
        self.close_code: int | None = 1000
        self.split = True
        self.arrange: Arranging = as_it_happened
        self.event_delay = timedelta()
        self.at_expiry = AtExpiry.CLOSE
        self.unknown_key = UnknownKey.OPEN
        self.answers_protocol_pings = True
        self.refusals: dict[str | None, Refusal] = {}
        self.handshakes: deque[int | None] = deque()
        self.refuses: int | None = None
        self.trouble = Trouble()
        self.connects: list[datetime] = []
        self.refused: Counter[int] = Counter()
        self.pushed: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        mexc.ledger.journal.listeners.append(self._told)
        mexc.listen_keys.on_end.append(self._key_ended)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()
        self._mexc.ledger.journal.listeners.remove(self._told)
        self._mexc.listen_keys.on_end.remove(self._key_ended)

    async def start(self) -> None:
        """Listen, at the same port as before."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._new_socket, "127.0.0.1", self._port, ssl=self._tls, backlog=1024
        )
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'wss' if self._tls else 'ws'}://127.0.0.1:{self._port}/ws"
        self._tick()

    async def stop(self) -> None:
        """Cut all, and listen no more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._server is not None:
            self._server.close()
        for socket in tuple(self._sockets):
            socket.abort()
        await SystemClock().sleep(timedelta())

    def _new_socket(self) -> WebSocket:
        socket = WebSocket(self)
        self._sockets.add(socket)
        return socket

    @property
    def connections(self) -> list[Connection]:
        """All that are open, oldest first."""
        return list(self._by_socket.values())

    @property
    def only(self) -> Connection:
        (connection,) = self._by_socket.values()
        return connection

    def subscribed(self, channel: str = ACCOUNT) -> int:
        """How many connections have the channel."""
        return sum(channel in connection.channels for connection in self._by_socket.values())

    def most_connects_in(self, span: timedelta = timedelta(seconds=1)) -> int:
        """The most connections that were asked for within any *span*."""
        most = first = 0
        for last, at in enumerate(self.connects):
            while at - self.connects[first] >= span:
                first += 1
            most = max(most, last - first + 1)
        return most

    def cut_all(self, *, first: int | None = None) -> None:
        """Reset all connections, or so many of them."""
        for connection in self.connections[:first]:
            connection.abort()

    async def flood(
        self, api_key: str, asset: str = "USDT", *, frames: int, a_second: int = 5000
    ) -> None:
        """Change a balance so often, to and fro, and tell it."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(frames):
            amount = Decimal("0.01") if number % 2 == 0 else Decimal("-0.01")
            self._mexc.deposit(api_key, asset, amount, kind="DEPOSIT")
            if (ahead := number / a_second - (loop.time() - began)) > _FINEST_S:
                await SystemClock().sleep(timedelta(seconds=ahead))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait in real time for what the other side or the server's look at the clock brings."""
        async with asyncio.timeout(_PATIENCE_S):
            while not holds():
                await SystemClock().sleep(timedelta(milliseconds=1))

    def now(self) -> datetime:
        return self._mexc.now()

    # What a connection tells.

    def asked(self, socket: WebSocket) -> int | None:
        self.connects.append(self.now())
        status = self._handshake(socket)
        if status is not None:
            self.refused[status] += 1
        return status

    def _handshake(self, socket: WebSocket) -> int | None:
        if self.handshakes:
            return self.handshakes.popleft()
        if self.refuses is not None or socket.asked.path != "/ws":
            return self.refuses or 404
        if self.most_connections is not None and len(self._by_socket) >= self.most_connections:
            return 429
        value = socket.asked.query.get("listenKey")
        if value is None:
            return None
        key = self._mexc.listen_keys.find(value)
        full = key is not None and key.connections >= self.most_a_key
        unknown = key is None and self.unknown_key is UnknownKey.REFUSED
        return 403 if full or unknown else None

    def opened(self, socket: WebSocket) -> None:
        value = socket.asked.query.get("listenKey")
        key = self._mexc.listen_keys.find(value) if value is not None else None
        connection = self._by_socket[socket] = Connection(self, socket, key)
        if key is not None:
            key.connections += 1
            self._of_account[key.account.api_key].append(connection)
        elif value is not None and self.unknown_key is UnknownKey.TEXT:
            connection.say(INVALID_KEY)
        self._look_at = min(self._look_at, self._ends_at(connection)[0])

    def gone(self, socket: WebSocket) -> None:
        connection = self._by_socket.pop(socket)
        if connection.key is not None:
            connection.key.connections -= 1
            self._of_account[connection.key.account.api_key].remove(connection)
        for channel in tuple(connection.channels):
            self._unsubscribe(connection, channel)

    def pinged(self, socket: WebSocket, data: bytes) -> None:
        if self.answers_protocol_pings:
            self._by_socket[socket].answer_protocol_ping(data)

    def ponged(self, socket: WebSocket, data: bytes) -> None:
        self._by_socket[socket].protocol_pongs += 1

    def said(self, socket: WebSocket, text: str) -> None:
        connection = self._by_socket[socket]
        connection.heard_at = self.now()
        asked = {"method": "PING"} if text == "ping" else json.loads(text)
        connection.requests.append(asked)
        match asked:
            case {"method": "PING"}:
                connection.pings += 1
                connection.answer(0, "PONG")
            case {"method": "PONG"}:
                connection.pongs += 1
            case {"method": "SUBSCRIPTION", "params": [*channels]}:
                self._subscribe(connection, asked.get("id", 0), channels)
            case {"method": "UNSUBSCRIPTION", "params": [*channels]}:
                for channel in channels:
                    self._unsubscribe(connection, channel)
                connection.answer(asked.get("id", 0), ",".join(channels))
            case _:
                connection.answer(0, "")

    def _subscribe(self, connection: Connection, number: object, channels: list[str]) -> None:
        """All of *channels*, or none: what a mix of good and bad ones does is not known."""
        refusals = [self._refusal(connection, channel) for channel in channels]
        refusal = next((one for one in refusals if one is not None), None)
        joined = ",".join(channels)
        match refusal:
            case None:
                for channel in channels:
                    self._add(connection, channel)
                connection.answer(number, joined)
            case Refusal.BLOCKED:
                said = f"Not Subscribed successfully! [{joined}].  Reason： Blocked! "
                connection.answer(0, said)
            case Refusal.EMPTY:
                connection.answer(0, "")
            case Refusal.OTHER:
                connection.answer(number, "spot@public.deals.v3.api.pb@BTCUSDT")
            case Refusal.TEXT:
                connection.say(INVALID_KEY)
            case Refusal.NO_ANSWER:
                pass

    def _refusal(self, connection: Connection, channel: str) -> Refusal | None:
        told = self.refusals.get(channel, self.refusals.get(None))
        if told is not None:
            return told
        if channel in PRIVATE:
            valid = connection.account is not None and not connection.is_muted
            return None if valid else Refusal.EMPTY
        account = connection.account
        known = public_channel(channel, self._mexc.ledger, account) is not None
        full = len(connection.channels) >= self.most_channels
        return None if known and not full else Refusal.BLOCKED

    def _add(self, connection: Connection, channel: str) -> None:
        if channel in connection.channels:
            return
        connection.channels.append(channel)
        if channel not in self._public:
            made = public_channel(channel, self._mexc.ledger, connection.account)
            if made is None:
                return
            self._public[channel] = (made, [])
        self._public[channel][1].append(connection)

    def _unsubscribe(self, connection: Connection, channel: str) -> None:
        if channel not in connection.channels:
            return
        connection.channels.remove(channel)
        self._look_at = self.now()
        if channel in self._public:
            _, listening = self._public[channel]
            listening.remove(connection)
            if not listening:
                del self._public[channel]

    # What happens at the exchange.

    def _told(self, entries: list[Entry]) -> None:
        arranged = self.arrange(entries if self.split else merged(entries))
        if self.event_delay or self._waiting:
            now = self.now()
            self._waiting.append((now + self.event_delay, now, arranged))
        else:
            self._tell(arranged, made=self.now())

    def _tell(self, entries: Sequence[Entry], *, made: datetime) -> None:
        """Within an operation a later frame is a millisecond younger."""
        for number, entry in enumerate(entries):
            channel, api_key = channel_of(entry), entry.account.api_key
            last = self._made_at.get(api_key, made)
            made = self._made_at[api_key] = max(made, last + _YOUNGER * min(number, 1))
            listening = [
                connection
                for connection in self._of_account.get(api_key, ())
                if channel in connection.channels and not connection.is_muted
            ]
            if listening:
                frame = private_frame(entry, made=made, sent=max(made, self.now()))
                for connection in listening:
                    connection.push(channel, frame)

    def _key_ended(self, value: str) -> None:
        for connection in self.connections:
            if connection.key is not None and connection.key.value == value:
                self._expire(connection)

    def _expire(self, connection: Connection) -> None:
        if connection.is_muted:
            return
        connection.is_muted = True
        self.ended["key"] += 1
        match self.at_expiry:
            case AtExpiry.CLOSE:
                self._end(connection)
            case AtExpiry.TEXT:
                connection.say(INVALID_KEY)
            case AtExpiry.BINARY:
                connection.garbage(INVALID_KEY.encode())
            case AtExpiry.MUTE:
                pass

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_TICK_S, self._tick)
        self.tick()

    def tick(self) -> None:
        """Look at the clock and the books; on sockets the server does so by itself."""
        self._ticks += 1
        now = self.now()
        while self._waiting and self._waiting[0][0] <= now:
            _, made, entries = self._waiting.popleft()
            self._tell(entries, made=made)
        for channel, (public, listening) in self._public.items():
            if public.changed():
                frame = public.frame(sent=now)
                for connection in listening:
                    connection.push(channel, frame)
        if now >= self._look_at or self._ticks % _LOOK_AGAIN == 0:
            self._look(now)

    def _look(self, now: datetime) -> None:
        """End what is too old, too quiet, or without a valid key."""
        self._look_at = now + self.lives_for
        for connection in self.connections:
            key = connection.key
            if key is not None and now >= key.until:
                self._expire(connection)
            at, why = self._ends_at(connection)
            if now >= at:
                self.ended[why] += 1
                self._end(connection)
            else:
                until = key.until if key is not None and not connection.is_muted else at
                self._look_at = min(self._look_at, at, until)

    def _ends_at(self, connection: Connection) -> tuple[datetime, str]:
        """When it will be closed if nothing more happens, and why."""
        old = connection.connected_at + self.lives_for, "old"
        if connection.channels:
            return min(old, (connection.heard_at + self.idle_for, "idle"))
        return min(old, (connection.connected_at + self.unsubscribed_for, "unsubscribed"))

    def _end(self, connection: Connection) -> None:
        if self.close_code is None:
            connection.hang_up()
        else:
            connection.close(self.close_code)
