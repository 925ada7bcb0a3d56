"""One connection of the fake MEXC's stream server, and what can go wrong with it."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from tests.fakes.mexc_books import Account
from tests.fakes.mexc_listen_keys import ListenKey
from tests.fakes.websocket import WebSocket

INVALID_KEY = "Invalid listen key"


class Refusal(Enum):
    """What the answer to a subscription is instead of an acknowledgement."""

    BLOCKED = "blocked"
    EMPTY = "empty"
    OTHER = "another channel echoed"
    NO_ANSWER = "no answer"
    TEXT = "Invalid listen key"


class AtExpiry(Enum):
    """What becomes of a connection whose key has expired or was deleted."""

    CLOSE = "close"
    MUTE = "mute"
    TEXT = "text"
    BINARY = "the text as binary"


class UnknownKey(Enum):
    """How a connection begins whose key is unknown."""

    OPEN = "101, and an empty msg later"
    TEXT = "101 and a text"
    REFUSED = "403"


@dataclass(slots=True)
class Trouble:
    """*deaf*: PONGs and no events. *dead*: neither. *drop*: so many of the next frames of a channel.
    *swap*: each frame after the one that follows it.
    """

    deaf: bool = False
    dead: bool = False
    drop: Counter[str] = field(default_factory=Counter)
    duplicate: bool = False
    swap: bool = False


class Server(Protocol):
    """What a connection needs of its server."""

    trouble: Trouble
    pushed: Counter[str]

    def now(self) -> datetime: ...


class Connection:
    """One connection as the server sees it. *pings* are JSON ones that were answered or should have
    been; *pongs* are answers to the server's own, *protocol_pongs* to opcode 9.
    """

    def __init__(self, server: Server, socket: WebSocket, key: ListenKey | None) -> None:
        self._server = server
        self._socket = socket
        self._held: bytes | None = None
        self.key = key
        self.connected_at = self.heard_at = server.now()
        self.channels: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.trouble = Trouble()
        self.pings = self.pongs = self.protocol_pongs = 0
        self.is_muted = False

    @property
    def account(self) -> Account | None:
        return self.key.account if self.key is not None else None

    @property
    def close_code(self) -> int | None:
        """What the other side closed with; None where it did not."""
        return self._socket.close_code

    @property
    def is_open(self) -> bool:
        return self._socket.is_open

    def say(self, text: str) -> None:
        self._socket.send(text)

    def garbage(self, data: bytes = b"\xff\xff\xff") -> None:
        """A binary frame with these bytes."""
        self._socket.push(data)

    def raw(self, data: bytes) -> None:
        """Bytes that are no frame."""
        self._socket.raw(data)

    def ping(self) -> None:
        """As MEXC may do, and expect a PONG."""
        self.say('{"method":"PING"}')

    def protocol_ping(self) -> None:
        self._socket.ping()

    def close(self, code: int = 1000) -> None:
        self._socket.close(code)

    def hang_up(self) -> None:
        self._socket.hang_up()

    def abort(self) -> None:
        self._socket.abort()

    def freeze(self) -> None:
        """A half-open connection: nothing is read, nothing written, and nothing ends."""
        self._socket.freeze()

    def push(self, channel: str, frame: bytes) -> None:
        """A frame of a channel, unless some trouble has it otherwise."""
        troubles = (self._server.trouble, self.trouble)
        for trouble in troubles:
            if trouble.deaf or trouble.dead:
                return
            if trouble.drop[channel] > 0:
                trouble.drop[channel] -= 1
                return
        frames = [frame, frame] if any(t.duplicate for t in troubles) else [frame]
        if any(trouble.swap for trouble in troubles) and self._held is None:
            self._held = frame
            return
        if self._held is not None:
            frames.append(self._held)
            self._held = None
        for one in frames:
            self._socket.push(one)
            self._server.pushed[channel] += 1
        self.heard_at = self._server.now()

    def answer(self, number: object, message: str) -> None:
        if not (self.trouble.dead or self._server.trouble.dead):
            self.say(json.dumps({"id": number, "code": 0, "msg": message}, ensure_ascii=False))

    def answer_protocol_ping(self, data: bytes) -> None:
        self._socket.pong(data)
