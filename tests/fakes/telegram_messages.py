"""Messages as the Bot API server takes them from a bot, and what it refuses."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

from tests.fakes.http import Request
from tests.fakes.telegram_faults import Refused
from tests.fakes.telegram_html import CannotParse, Parsed, parsed
from tests.fakes.telegram_limits import (
    MOST_TEXT,
    check_buttons,
    check_data,
    check_markup,
    check_text,
    refuse,
)

Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Button:
    label: str
    data: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    name: str
    content: bytes


@dataclass(slots=True, kw_only=True)
class SentMessage:
    """One message of the bot as the person sees it now.

    *text* is what is visible, *html* the markup it came from (None if it came plain), *edits* are
    the earlier texts, oldest first; *topic_id* the forum topic it went to.
    """

    chat_id: int
    message_id: int
    text: str
    html: str | None = None
    buttons: tuple[tuple[Button, ...], ...] = ()
    silent: bool = False
    document: Document | None = None
    photo: bytes | None = None
    edits: list[str] = field(default_factory=list)
    deleted: bool = False
    pinned: bool = False
    reply_to: int | None = None
    topic_id: int | None = None

    @property
    def labels(self) -> list[str]:
        return [button.label for row in self.buttons for button in row]

    def button(self, label_or_data: str) -> Button | None:
        every = [button for row in self.buttons for button in row]
        return next((b for b in every if label_or_data in (b.label, b.data)), None)


def read_params(request: Request) -> Params:
    """The parameters of a call, files among them, whichever way the client encoded them."""
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("application/json"):
        return dict(json.loads(request.body or b"{}"))
    if not content_type.startswith("multipart/form-data"):
        return {**request.query, **request.form}
    params: Params = {}
    envelope = message_from_bytes(f"Content-Type: {content_type}\n\n".encode() + request.body)
    for part in envelope.walk():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            continue
        filename = part.get_filename()
        params[name] = Document(filename, content) if filename else content.decode()
    return params


def read_text(
    params: Params, *, key: str = "text", limit: int = MOST_TEXT
) -> tuple[str, str | None]:
    """The visible text and, if it came as HTML, its markup."""
    raw = str(params.get(key, ""))
    markup = raw if str(params.get("parse_mode", "")).upper() == "HTML" else None
    try:
        read = Parsed(raw, []) if markup is None else parsed(raw)
    except CannotParse as e:
        raise refuse(f"can't parse entities: {e}", seen=raw) from e
    text = read.text.strip()
    check_text(text, key=key, most=limit)
    check_markup(read)
    return text, markup


def read_buttons(params: Params) -> tuple[tuple[Button, ...], ...]:
    """The inline keyboard; other kinds of keyboards have no buttons to tap."""
    markup = params.get("reply_markup") or {}
    if isinstance(markup, str):
        markup = json.loads(markup)
    rows = tuple(
        tuple(_button(described) for described in row)
        for row in markup.get("inline_keyboard", ())
        if row
    )
    check_buttons(rows)
    return rows


def read_reply(params: Params) -> tuple[int | None, bool]:
    """The message that is replied to, and whether it may be missing."""
    described = params.get("reply_parameters") or {}
    if isinstance(described, str):
        described = json.loads(described)
    message_id = described.get("message_id")
    return message_id, bool(described.get("allow_sending_without_reply"))


def _button(described: Mapping[str, Any]) -> Button:
    label, data, url = described.get("text"), described.get("callback_data"), described.get("url")
    if not label:
        raise Refused(400, "Bad Request: can't parse inline keyboard button: text is empty")
    if (data is None) == (url is None):
        raise Refused(400, "Bad Request: text buttons are unallowed in the inline keyboard")
    if data is not None:
        check_data(data)
    return Button(label, data, url)


def button_facts(buttons: tuple[tuple[Button, ...], ...]) -> dict[str, Any]:
    """The keyboard as Telegram shows it back in a message."""
    return {
        "inline_keyboard": [
            [{"text": b.label, "url": b.url} if b.url else _data_facts(b) for b in row]
            for row in buttons
        ]
    }


def _data_facts(button: Button) -> dict[str, Any]:
    return {"text": button.label, "callback_data": button.data}
