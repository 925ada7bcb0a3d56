"""What a chat must be told when another one begins or ends to see its account."""

from dataclasses import dataclass

from engine.domain.accounts.members import Role
from engine.domain.alerts.traits import AlertFacts, AlertKind


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingBegun(AlertFacts, stored_as="sharing_begun", kind=AlertKind.KEY, needed=True):
    """For the owner: the chat *chat_id*, called *name*, sees the account from now on."""

    chat_id: int
    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingLeft(AlertFacts, stored_as="sharing_left", kind=AlertKind.KEY, needed=True):
    """For the owner: the chat has left the account."""

    chat_id: int
    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingEnded(AlertFacts, stored_as="sharing_ended", kind=AlertKind.KEY, needed=True):
    """For the chat that saw the account of *owner*, which it does not any more.
    *disconnected*: there is no key any more; else the owner removed the chat.
    """

    owner: str
    disconnected: bool
