"""What a person asks, typed or tapped, and what may be answered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from bot.messages import Message, Place
from engine.domain.people import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One command. *argument* is the rest of the line; *message_id* the message it came in or,
    for a tap, the message whose button was tapped. *role* is what the person may do in the chat,
    *name* what they call themselves; *topic_id* is the forum topic they wrote in.
    """

    chat_id: int
    user_id: int
    role: Role
    name: str = ""
    topic_id: int | None = None
    is_private: bool
    command: str
    argument: str
    message_id: int
    asked_at: datetime

    @property
    def place(self) -> Place:
        """Where the answer belongs."""
        return Place(self.chat_id, self.topic_id)


@dataclass(frozen=True, slots=True)
class Document:
    """A file to send; *instead* is said where it cannot be sent."""

    filename: str
    content: bytes
    caption: str
    instead: Message


Answer = Message | Document
Command = Callable[[Ask], Awaitable[Answer]]
