"""Accounts that their owner shares with other chats, and the links that let them in."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from engine.domain.accounts.members import Role
from engine.domain.orders.order import AccountId


class SharedAlerts(Enum):
    """Which alerts of the account a shared chat gets."""

    ALL = "all"
    TROUBLES = "troubles"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The chat *chat_id* sees the account in place of its own.
    *role* is the most that anybody else may do with it there, *user_id* who used the link and *name* what
    they, or their group, are called. *time_zone* is None for UTC.
    """

    chat_id: int
    account_id: AccountId
    role: Role
    user_id: int
    name: str
    shared_by: int
    created_at: datetime
    alerts: SharedAlerts = SharedAlerts.ALL
    time_zone: str | None = None

    @property
    def is_private(self) -> bool:
        return self.chat_id > 0

    def role_of(self, user_id: int, member: Role | None) -> Role | None:
        """What a user may do with the account in the shared chat; *member* is their role there.
        Never what an owner may: the account's own is a trader there. In a group everybody may look.
        """
        if user_id == self.shared_by:
            return Role.TRADER
        if user_id == self.user_id:
            return self.role
        if self.is_private:
            return None
        trades = member is not None and member.covers(Role.TRADER)
        return self.role if trades else Role.VIEWER


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLink:
    """A one-time code that lets its bearer see an account with *role*.
    A group's waits for the owner's word from *requested_at* on.
    """

    account_id: AccountId
    role: Role
    made_by: int
    expires_at: datetime
    used_by: int | None = None
    used_at: datetime | None = None
    requested_chat: int | None = None
    requested_by: int | None = None
    requested_at: datetime | None = None
    requested_name: str | None = None
    title: str | None = None

    def is_open(self, now: datetime) -> bool:
        return self.used_at is None and self.expires_at >= now
