"""What the chats that see one account must be told of each other."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.accounts.members import Role
from engine.domain.alerts.key_alerts import InMode
from engine.domain.alerts.traits import AlertFacts, AlertKind
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAsks(AlertFacts, stored_as="group_asks", kind=AlertKind.KEY, needed=True):
    """For the owner: may the group *title* see the account? *name* sent the link there, and gets
    *role*; everybody else may look. The question is open *until* then.
    """

    title: str
    user_id: int
    name: str
    role: Role
    until: datetime
    question_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAnswered(AlertFacts, stored_as="group_answered", kind=AlertKind.KEY, needed=True):
    """For the group: what the owner decided. *name* sent the link, and has *role*."""

    is_admitted: bool
    role: Role
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged(InMode, stored_as="account_changed", kind=AlertKind.TRADE, needed=True):
    """*name* changed the account in another chat. *trading*: it was switched on or off; *target* and
    *threshold* are the new ones, *aim* the target that is no amount. None is what did not change.
    """

    user_id: int
    name: str = ""
    trading: bool | None = None
    target: Decimal | None = None
    threshold: Threshold | None = None
    aim: Target | None = None

    @property
    def tells_nothing(self) -> bool:
        return (self.trading, self.target, self.threshold, self.aim) == (None,) * 4
