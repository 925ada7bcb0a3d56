"""What a handler receives and returns: a user's request, typed or tapped, and the responses."""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from telegram import CallbackQuery, InlineKeyboardMarkup
from telegram import Message as Received
from telegram.constants import ChatType

from bot.interaction.message import Message, MessagePlace
from bot.parsing.plain_words import plain_command
from bot.updates.decode import name_of, shows_button, topic_of
from bot.updates.message_text import is_secondhand, text_of
from engine.domain.accounts.confirmation import Confirmation, Refusal
from engine.domain.accounts.members import Role

_COMMAND = re.compile(
    r"/(?P<name>[A-Za-z0-9_]{1,32})(?:@(?P<bot>\w+))?[.,;:!。！]*(?:\s+(?P<rest>.*))?", re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One command, typed or tapped.
    *argument* is the rest of the line; *message_id* the message it came in or, for a tap, the
    message whose button was tapped. *role* is the user's role in the chat, *name* what they call
    themselves; *topic_id* is the forum topic they wrote in. *is_shown*: the tapped message shows
    that button; a forged tap may name any message of ours. *option* is the number of the tapped
    option of a confirmation; 0 if it has one button only. *is_shared*: the chat sees another one's
    account. *has_media*: it came with a picture or
    a file, as its caption if there is one; *is_secondhand*: the words may be another author's.
    """

    chat_id: int
    user_id: int
    role: Role
    name: str = ""
    topic_id: int | None = None
    is_private: bool
    chat_title: str = ""
    command: str
    argument: str
    message_id: int
    asked_at: datetime
    is_shown: bool = False
    is_shared: bool = False
    option: int = 0
    has_media: bool = False
    is_secondhand: bool = False

    @property
    def place(self) -> MessagePlace:
        """Return the chat and topic for the answer."""
        return MessagePlace(self.chat_id, self.topic_id)


def command_in(text: str) -> tuple[str, str] | None:
    """Return the command's name in lower case and the rest of the line; None for other text."""
    command = _COMMAND.fullmatch(text)
    return (command["name"].lower(), (command["rest"] or "").strip()) if command else None


def typed(message: Received, role: Role, *, is_shared: bool = False) -> Request:
    """Build a request from a message; plain text is all argument and has no command.
    In a private chat some plain words are commands.
    """
    if message.from_user is None:
        raise ValueError("a message without its sender")
    text = text_of(message)
    command, argument = command_in(text) or _plain(message, text) or ("", text.strip())
    return Request(
        chat_id=message.chat_id,
        user_id=message.from_user.id,
        role=role,
        name=name_of(message.from_user),
        topic_id=topic_of(message),
        is_private=message.chat.type == ChatType.PRIVATE,
        chat_title=message.chat.title or "",
        command=command,
        argument=argument,
        message_id=message.message_id,
        asked_at=message.date,
        is_shared=is_shared,
        has_media=message.text is None,
        is_secondhand=is_secondhand(message),
    )


def tapped(
    query: CallbackQuery,
    role: Role,
    *,
    at: datetime,
    command: str = "",
    argument: str = "",
    option: int = 0,
    is_shared: bool = False,
) -> Request:
    """Build a request from a tap at *at*; Telegram does not send its time."""
    message = query.message
    if message is None:
        raise ValueError("a tap without its message")
    return Request(
        chat_id=message.chat.id,
        user_id=query.from_user.id,
        role=role,
        name=name_of(query.from_user),
        topic_id=topic_of(message),
        is_private=message.chat.type == ChatType.PRIVATE,
        command=command,
        argument=argument,
        message_id=message.message_id,
        asked_at=at,
        is_shown=shows_button(message, query.data),
        is_shared=is_shared,
        option=option,
    )


def query_chat(query: CallbackQuery) -> int:
    """Return the chat of a tap; 0 if Telegram does not send it."""
    return query.message.chat.id if query.message is not None else 0


def is_command_for(message: Received, my_name: str) -> bool:
    """True if it is a command, and not one for another bot in the group."""
    command = _COMMAND.fullmatch(text := text_of(message))
    if command is None:
        return _plain(message, text) is not None
    return (command["bot"] or my_name).lower() == my_name.lower()


def _plain(message: Received, text: str) -> tuple[str, str] | None:
    return plain_command(text) if message.chat.type == ChatType.PRIVATE else None


def replies_to(message: Received, my_name: str) -> bool:
    """True if it is a reply to one of the bot's own messages."""
    replied = message.reply_to_message
    author = replied.from_user if replied is not None else None
    return author is not None and author.username == my_name


@dataclass(frozen=True, slots=True)
class Document:
    """A file to send; *instead* is sent if the file cannot be."""

    filename: str
    content: bytes | BinaryIO
    caption: str
    instead: Message
    keyboard: InlineKeyboardMarkup | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """A PNG to show with *message* as its caption, which is sent alone if the image cannot be."""

    image: bytes
    message: Message


@dataclass(frozen=True, slots=True)
class TrackedMessage:
    """A message that is edited later: *then* is called with its id once it is in the chat."""

    message: Message
    then: Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Toast:
    """The notice over the chat that ends a tap; up to 200 characters, plain."""

    text: str


Progress = Callable[[Message], Awaitable[None]]
"""Shows how far a long work is, in one message that goes when the work is done."""


@dataclass(frozen=True, slots=True)
class Documents:
    """Files that take long to create.
    *make* yields them one by one, each open until the next is requested, and reports progress.
    """

    make: Callable[[Progress], AsyncGenerator[Document]]


Response = Message | Photo | Document | Documents | TrackedMessage | Toast
Command = Callable[[Request], Awaitable[Response]]
PageHandler = Callable[[Request, Any], Awaitable[Response]]
"""What is shown in place when a button of a list or a panel is tapped; it gets the press.
Or a Notice, where the page has edited the message itself."""
ConfirmationAction = Callable[[Confirmation, Request], Awaitable[Response | Refusal]]


@dataclass(frozen=True, slots=True)
class ConfirmationHandler:
    """What a button of a stored confirmation does.
    *choices* returns how many options there are; None: it is a single "yes". *late* returns the
    answer to a tap after the confirmation expired.
    """

    act: ConfirmationAction
    choices: Callable[[Confirmation], int] | None = None
    late: Callable[[Confirmation], Message] | None = None
