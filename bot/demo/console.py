"""The demo's Telegram: Bot API requests become terminal text, typed lines become updates."""

import asyncio
import json
import os
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from html import escape
from typing import Any, TextIO

from telegram.request import BaseRequest, RequestData

from bot.demo.terminal import Terminal
from bot.interaction.message import plain_text
from bot.views import demo
from engine.clock import Clock, to_millis
from engine.domain.orders.order import AccountId

CHAT_ID = 1
USER_ID = 1
QUIT = "/quit"
_FIGURES = re.compile(r"[0-9.,]+")
_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_READING_TIME = timedelta(minutes=15)  # of the demo: a minute takes a second

Deliver = Callable[[dict[str, Any]], Awaitable[None]]
Json = Mapping[str, Any]

_CHAT = {"id": CHAT_ID, "type": "private", "first_name": "You"}
_USER = {"id": USER_ID, "is_bot": False, "first_name": "You"}
_BOT = {"id": 100, "is_bot": True, "first_name": "Ballast", "username": "ballast_demo_bot"}


class _Refused(Exception):
    """Telegram's answer with status 400."""


@dataclass(frozen=True, slots=True)
class _Posted:
    """The current state of a message of the bot; *rows* are its inline buttons."""

    message_id: int
    html: str
    rows: Sequence[Sequence[Json]]
    date: int

    def says_the_same_as(self, other: "_Posted") -> bool:
        """True if no more than figures differ, as where a card is kept up to date."""
        words, others = (_FIGURES.sub("", post.html) for post in (self, other))
        labels, theirs = ([[b["text"] for b in row] for row in p.rows] for p in (self, other))
        return words == others and labels == theirs

    def wire(self) -> dict[str, Any]:
        message = {
            "message_id": self.message_id,
            "date": self.date,
            "chat": _CHAT,
            "from": _BOT,
            "text": plain_text(self.html),
        }
        if self.rows:
            message["reply_markup"] = {"inline_keyboard": self.rows}
        return message


class Console:
    """One private chat between the bot and the user at the terminal.
    *said* is every text the bot has sent or edited, oldest first, without markup.

    Each button has a code, which it keeps as long as its message lives: a letter of the message
    and a number. What arrives while the user reads changes no code, and no code looks like a value.
    """

    def __init__(self, *, terminal: Terminal, clock: Clock) -> None:
        self._terminal = terminal
        self._clock = clock
        self._posted: dict[int, _Posted] = {}
        self._buttons: dict[int, list[str]] = {}  # of a message, as JSON
        self._typed: set[int] = set()
        # A database that outlives the demo must not take new updates for duplicates.
        self._last_id = to_millis(clock.now())
        self.said: list[str] = []
        self._spoke_at = clock.steady()
        self._entered = 0  # lines so far
        self._shown: dict[int, int] = {}  # message -> lines entered before it was shown last

    async def run(self, stdin: TextIO, deliver: Deliver) -> None:
        """Read lines of a terminal or a pipe until its end or /quit."""
        self.note(demo.WELCOME)
        async with aclosing(_lines(stdin.fileno())) as lines:
            async for line in lines:
                text = line.strip()
                if text == QUIT:
                    break
                if text:
                    await self.enter(text, deliver)
        self.note(demo.GOODBYE)

    async def enter(self, text: str, deliver: Deliver) -> None:
        """Take what the user typed: the code of a visible button, or else a message."""
        self._spoke_at = self._clock.steady()
        self._entered += 1
        for post in self._posted.values():
            for button in (button for row in post.rows for button in row):
                if text.lower() == self._code(post, button):
                    await self._tap(post, button, deliver)
                    return
        await deliver(self._message_update(text))

    async def until_read(self) -> None:
        """Return when the user had time to read what was sent or typed last."""
        while (left := self._spoke_at + _READING_TIME - self._clock.steady()) > timedelta():
            await self._clock.sleep(left)

    def note(self, text: str) -> None:
        self._terminal.note(text)

    def moved(self, _: AccountId, usdt: Decimal) -> None:
        """Show a deposit or withdrawal made outside the bot (called by `Deposits`)."""
        self.note(demo.moved(usdt))

    def answer(self, method: str, parameters: Json, files: Json) -> object:
        """Return the result of a Bot API method; True for one that shows nothing."""
        match method:
            case "getMe":
                return _BOT
            case "sendMessage" | "sendPhoto":
                return self._send(_as_text(parameters))
            case "sendDocument":
                return self._send_document(parameters, files)
            case "editMessageText" | "editMessageReplyMarkup" | "editMessageMedia":
                return self._edit(_as_text(parameters))
            case "deleteMessage":
                self._delete(parameters["message_id"])
            case "answerCallbackQuery" if text := parameters.get("text"):
                self.note(text)
        return True

    def _send(self, parameters: Json) -> Json:
        post = _Posted(self._next_id(), _html(parameters), _rows(parameters), self._date())
        self._spoke_at = self._clock.steady()
        self._show(post)
        return post.wire()

    def _send_document(self, parameters: Json, files: Json) -> Json:
        name, content, *_ = files["document"]
        size = len(content if isinstance(content, bytes) else content.read())
        shown = escape(demo.file_sent(name, size))
        caption = _html(parameters, key="caption")
        post = _Posted(
            self._next_id(), f"{shown}\n{caption}".strip(), _rows(parameters), self._date()
        )
        self._show(post)
        document = {"file_id": name, "file_unique_id": name, "file_name": name}
        return {**post.wire(), "document": document}

    def _edit(self, parameters: Json) -> Json:
        """Without a keyboard in *parameters* the message loses the one it has, as in Telegram."""
        before = self._posted.get(parameters["message_id"])
        if before is None:
            raise _Refused("Bad Request: message to edit not found")
        html = _html(parameters) if "text" in parameters else before.html
        post = _Posted(before.message_id, html, _rows(parameters), before.date)
        if post.says_the_same_as(before) and self._shown[post.message_id] == self._entered:
            self._posted[post.message_id] = post
        elif "text" in parameters or post.rows:
            self._show(post, heading=demo.EDITED)
        else:
            self._posted[post.message_id] = post
            self.note(demo.BUTTONS_GONE)
        return post.wire()

    def _delete(self, message_id: int) -> None:
        if message_id in self._typed:
            self.note(demo.YOUR_MESSAGE_DELETED)
        elif self._posted.pop(message_id, None):
            self.note(demo.MESSAGE_DELETED)
        else:
            raise _Refused("Bad Request: message to delete not found")

    def _show(self, post: _Posted, *, heading: str | None = None) -> None:
        self._posted[post.message_id] = post
        self._shown[post.message_id] = self._entered
        self.said.append(plain_text(post.html))
        buttons = [[(self._code(post, b), b["text"]) for b in row] for row in post.rows]
        self._terminal.message(post.html, buttons=buttons, heading=heading)

    def _code(self, post: _Posted, button: Json) -> str:
        """Return the button's code: the same for the same button, however often it is edited."""
        seen = self._buttons.setdefault(post.message_id, [])
        if (content := json.dumps(button, sort_keys=True)) not in seen:
            seen.append(content)
        letter = _letter([*self._buttons].index(post.message_id))
        return f"{letter}{seen.index(content) + 1}"

    async def _tap(self, post: _Posted, button: Json, deliver: Deliver) -> None:
        if "url" in button:
            self.note(demo.link(button["text"], button["url"]))
            return
        query = {
            "id": str(self._next_id()),
            "from": _USER,
            "chat_instance": "demo",
            "message": post.wire(),
            "data": button["callback_data"],
        }
        await deliver({"update_id": self._next_id(), "callback_query": query})

    def _message_update(self, text: str) -> dict[str, Any]:
        message_id = self._next_id()
        self._typed.add(message_id)
        message = {
            "message_id": message_id,
            "date": self._date(),
            "chat": _CHAT,
            "from": _USER,
            "text": text,
        }
        if text.startswith("/"):
            command = text.split(maxsplit=1)[0]
            length = len(command.encode("utf-16-le")) // 2  # Telegram counts UTF-16 units
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        return {"update_id": self._next_id(), "message": message}

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _date(self) -> int:
        return to_millis(self._clock.now()) // 1000


class ConsoleRequest(BaseRequest):
    """The bot's HTTP client, replaced: every request is answered by *console*, none is sent."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @property
    def read_timeout(self) -> None:
        return None

    async def initialize(self) -> None:
        """Do nothing: no connection is opened."""

    async def shutdown(self) -> None:
        """Do nothing: no connection is open."""

    async def do_request(
        self,
        url: str,
        method: str,  # noqa: ARG002 - python-telegram-bot's signature
        request_data: RequestData | None = None,
        *_: object,
        **__: object,
    ) -> tuple[int, bytes]:
        sent = request_data or RequestData()
        api_method = url.rpartition("/")[2]
        try:
            result = self._console.answer(api_method, sent.parameters, sent.multipart_data)
        except _Refused as e:
            return 400, json.dumps({"ok": False, "description": str(e)}).encode()
        return 200, json.dumps({"ok": True, "result": result}).encode()


def _letter(number: int) -> str:
    """Return a, b, ... z, aa, ab, ... without what looks like a digit."""
    rest, last = divmod(number, len(_LETTERS))
    return (_letter(rest - 1) if rest else "") + _LETTERS[last]


def _html(parameters: Json, *, key: str = "text") -> str:
    text: str = parameters.get(key, "")
    return text if parameters.get("parse_mode") == "HTML" else escape(text)


def _as_text(parameters: Json) -> Json:
    """A photo as a text with its caption; anything else as it is."""
    photo = parameters.get("media", parameters)
    if "caption" not in photo:
        return parameters
    words = f"{demo.PICTURE}\n{_html(photo, key='caption')}"
    return {**parameters, "text": words, "parse_mode": "HTML"}


def _rows(parameters: Json) -> Sequence[Sequence[Json]]:
    rows: Sequence[Sequence[Json]] = parameters.get("reply_markup", {}).get("inline_keyboard", ())
    return rows


async def _lines(descriptor: int) -> AsyncGenerator[str]:
    """Yield lines as they arrive, without blocking the loop.
    No thread: one blocked in a read could not be stopped at the end. No pipe transport: it would
    make the terminal non-blocking for our own output too.
    """
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[bytes] = asyncio.Queue()

    def readable() -> None:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # the terminal was closed
            chunk = b""
        if not chunk:
            loop.remove_reader(descriptor)
        chunks.put_nowait(chunk)

    loop.add_reader(descriptor, readable)
    try:
        pending = b""
        while chunk := await chunks.get():
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace")
        yield pending.decode(errors="replace")
    finally:
        loop.remove_reader(descriptor)
