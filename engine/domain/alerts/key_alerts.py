"""What a chat must be told of its key at the exchange, and the mode in which it is told anything."""

from dataclasses import dataclass
from datetime import datetime

from engine.domain.alerts.traits import AlertFacts, AlertKind


@dataclass(frozen=True, slots=True, kw_only=True)
class InMode(AlertFacts):
    """What is told of an account. *paused* and *halted* are how its chat stood when the alert was
    stored, which sees to them.
    """

    dry_run: bool
    paused: bool = False
    halted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEnding(InMode, stored_as="key_ending", kind=AlertKind.KEY):
    """The exchange key ends in *days_left* days, and trading with it."""

    key_tail: str
    days_left: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTooPowerful(InMode, stored_as="key_too_powerful", kind=AlertKind.KEY, needed=True):
    """The exchange key may do more by now than trade; *powers* are the exchange's names of it."""

    key_tail: str
    powers: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyShared(InMode, stored_as="money_shared", kind=AlertKind.KEY, needed=True):
    """Another chat, connected earlier, trades the same account at the exchange."""

    key_tail: str
