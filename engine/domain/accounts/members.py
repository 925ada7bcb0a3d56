"""Roles in a chat, and what each allows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

# Telegram's ids for channel posts, anonymous administrators and its own forwards: not users.
SHARED_IDS = frozenset({136817688, 1087968824, 777000})


class Role(Enum):
    """Each role includes those before it: view; change settings and trade; manage members."""

    VIEWER = "viewer"
    TRADER = "trader"
    OWNER = "owner"

    def covers(self, needed: "Role") -> bool:
        """True if this role may do what *needed* may."""
        return _RANK[self] >= _RANK[needed]


_RANK = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A user admitted to a chat. *is_owner*: of the bot itself.
    *name* is the user's own, "" until known. *since* is None for users allowed by the settings.
    """

    user_id: int
    role: Role
    name: str
    since: datetime | None
    is_owner: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What a one-time code admits to: *role* in the chat *chat_id*.

    In a private chat's invitation that is the inviter's own; its user gets a chat of their own.
    """

    chat_id: int
    role: Role
    invited_by: int
    expires_at: datetime

    @property
    def is_private(self) -> bool:
        """A private chat has the id of its user, which is above zero; a group's is below."""
        return self.chat_id > 0

    def admits_to(self, user_id: int) -> int:
        """The chat that *user_id* may use with it."""
        return user_id if self.is_private else self.chat_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMembers:
    """Members of a group, or of the owner's private chat: users with a chat of their own.

    *standing* are those allowed by the program's settings: they need no row, and only the settings
    remove them; *names* are the users' own. *bot_owner* runs the bot.
    """

    chat_id: int
    standing: Mapping[int, Role]
    bot_owner: int | None
    names: Mapping[int, str] = field(default_factory=dict)

    @property
    def is_private(self) -> bool:
        return self.chat_id > 0

    def with_standing(self, let_in: Iterable[Member]) -> Sequence[Member]:
        """Returns all members; a stored role takes precedence over the settings."""
        named = list(let_in)
        known = {member.user_id for member in named}
        others = [
            Member(
                user_id=user_id,
                role=role,
                name=self.names.get(user_id, ""),
                since=None,
                is_owner=user_id == self.bot_owner,
            )
            for user_id, role in self.standing.items()
            if user_id not in known
        ]
        return [*others, *named]

    def may_change(self, user_id: int, people: Sequence[Member]) -> bool:
        """True if *user_id* may change roles here."""
        if self.is_private:
            return user_id == self.bot_owner
        return any(one.user_id == user_id and one.role is Role.OWNER for one in people)


class RoleChangeResult(Enum):
    """Whether a role may be changed, and why not."""

    DONE = "done"
    NOT_ALLOWED = "not allowed"  # who asks is no owner, perhaps no longer
    OUTDATED = "outdated"  # the member is something else by now, or gone
    LAST_OWNER = "last owner"
    RUNS_THE_BOT = "runs the bot"
    LET_IN_BY_SETTINGS = "let in by the settings"


def judge_role_change(
    *,
    circle: ChatMembers,
    people: Sequence[Member],
    asked_by: int,
    member_id: int,
    expected: Role,
    wanted: Role | None,
) -> RoleChangeResult:
    """Judge whether *asked_by* may make *member_id* *wanted* (None: remove).
    *expected* is the role that they saw.
    """
    now = next((one.role for one in people if one.user_id == member_id), None)
    owners = sum(one.role is Role.OWNER for one in people)
    is_last = not circle.is_private and now is Role.OWNER and owners == 1
    reasons = {
        RoleChangeResult.NOT_ALLOWED: not circle.may_change(asked_by, people),
        RoleChangeResult.OUTDATED: now is not expected,
        RoleChangeResult.RUNS_THE_BOT: wanted is not now and member_id == circle.bot_owner,
        RoleChangeResult.LAST_OWNER: wanted is not now and is_last,
        RoleChangeResult.LET_IN_BY_SETTINGS: wanted is None and member_id in circle.standing,
    }
    return next((verdict for verdict, holds in reasons.items() if holds), RoleChangeResult.DONE)
