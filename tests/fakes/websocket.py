"""The server's side of websockets on real sockets (RFC 6455), for fakes that need odd connections.

Everything is written at once, from wherever it happens: no task and no queue belongs to a connection.
"""

import asyncio
import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_MOST_HEAD = 64 * 1024
_HANGS_UP_AFTER_S = 1


class Owner(Protocol):
    """Who is told what happens to a connection."""

    def asked(self, socket: "WebSocket") -> int | None:
        """The handshake's status: None to open it, 0 to cut it, -1 never to answer."""

    def opened(self, socket: "WebSocket") -> None: ...
    def said(self, socket: "WebSocket", text: str) -> None: ...
    def pinged(self, socket: "WebSocket", data: bytes) -> None: ...
    def ponged(self, socket: "WebSocket", data: bytes) -> None: ...
    def gone(self, socket: "WebSocket") -> None: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """The handshake's request."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


class WebSocket(asyncio.Protocol):
    """*close_code* is what the other side closed with; *is_frozen*: nothing goes in or out any more."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._is_open = False
        self.asked = Asked("", {}, {})
        self.close_code: int | None = None
        self.is_frozen = False

    @property
    def is_open(self) -> bool:
        return self._is_open

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        was_open, self._is_open = self._is_open, False
        self._transport = None
        if was_open:
            self._owner.gone(self)

    def data_received(self, data: bytes) -> None:
        if self.is_frozen:
            return
        self._buffer += data
        if not self._is_open and not self._shook_hands():
            return
        while self._read_frame():
            pass

    def eof_received(self) -> bool:
        return self.is_frozen  # then not even the end of the stream is answered

    def send(self, text: str) -> None:
        self._send(_TEXT, text.encode())

    def push(self, data: bytes) -> None:
        self._send(_BINARY, data)

    def ping(self, data: bytes = b"") -> None:
        self._send(_PING, data)

    def pong(self, data: bytes) -> None:
        self._send(_PONG, data)

    def raw(self, data: bytes) -> None:
        """Bytes that need be no frame."""
        transport = self._transport
        if transport is not None and not (self.is_frozen or transport.is_closing()):
            transport.write(data)

    def close(self, code: int = 1000) -> None:
        """Say goodbye, and hang up once that is answered, or soon."""
        if self.is_frozen:
            return
        self._send(_CLOSE, code.to_bytes(2, "big"))
        asyncio.get_running_loop().call_later(_HANGS_UP_AFTER_S, self.hang_up)

    def hang_up(self) -> None:
        """End it with a FIN and without a word."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End it with a reset, where the system sends one."""
        if self._transport is not None:
            self._transport.abort()

    def freeze(self) -> None:
        """Stop reading and writing; as far as the other side can see, nobody is there."""
        self.is_frozen = True
        if self._transport is not None:
            self._transport.pause_reading()

    def _send(self, opcode: int, data: bytes) -> None:
        size = len(data)
        if size < 126:
            head = bytes((0x80 | opcode, size))
        elif size < 1 << 16:
            head = bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big")
        else:
            head = bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big")
        self.raw(head + data)

    def _shook_hands(self) -> bool:
        """Answer the handshake where it is whole; returns whether the connection is open."""
        head, found, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if not found:
            if len(self._buffer) > _MOST_HEAD:
                self.abort()
            return False
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        target = urlsplit(first.split(" ")[1])
        query = {name: values[0] for name, values in parse_qs(target.query).items()}
        self.asked = Asked(target.path, query, headers)
        self._buffer = bytearray(rest)
        status = self._owner.asked(self)
        if status is not None:
            self._refuse(status)
            return False
        digest = hashlib.sha1(  # as the protocol has it  # noqa: S324
            headers.get("sec-websocket-key", "").encode() + _MAGIC
        ).digest()
        self.raw(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        self._is_open = True
        self._owner.opened(self)
        return True

    def _refuse(self, status: int) -> None:
        if status == 0:
            self.abort()
        elif status < 0:
            self.freeze()
        else:
            self.raw(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
            self.hang_up()

    def _read_frame(self) -> bool:
        """Take one frame out of the buffer; returns whether there was a whole one."""
        buffer = self._buffer
        if len(buffer) < 6 or self._transport is None or self.is_frozen:
            return False
        opcode, size, at = buffer[0] & 0x0F, buffer[1] & 0x7F, 2
        if size >= 126:
            at = 4 if size == 126 else 10
            size = int.from_bytes(buffer[2:at], "big")
        if len(buffer) < at + 4 + size:
            return False
        mask, data = bytes(buffer[at : at + 4]), bytes(buffer[at + 4 : at + 4 + size])
        del buffer[: at + 4 + size]
        self._take(opcode, _unmasked(data, mask))
        return True

    def _take(self, opcode: int, data: bytes) -> None:
        handlers: dict[int, Callable[[], None]] = {
            _TEXT: lambda: self._owner.said(self, data.decode()),
            _PING: lambda: self._owner.pinged(self, data),
            _PONG: lambda: self._owner.ponged(self, data),
            _CLOSE: lambda: self._closed(data),
        }
        handlers.get(opcode, self.abort)()

    def _closed(self, data: bytes) -> None:
        self.close_code = int.from_bytes(data[:2], "big") if data else 1005
        self._send(_CLOSE, data)
        self.hang_up()


def _unmasked(data: bytes, mask: bytes) -> bytes:
    size = len(data)
    whole = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(size, "big")
