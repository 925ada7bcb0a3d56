"""What a chat must be told of the times at which it trades."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.alerts.key_alerts import InMode
from engine.domain.alerts.traits import AlertKind


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotMissed(InMode, stored_as="slot_missed", kind=AlertKind.ERROR):
    """The set time *at* was missed by more than an hour, so nothing was traded for it."""

    at: datetime
    next_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardActed(InMode, stored_as="guard_acted", kind=AlertKind.ERROR, needed=True):
    """What the account manages fell by *fall* within a day, more than is *allowed*: buying was
    stopped, or trading *paused*. It lifts itself at *lifts_at*, if ever.
    """

    fall: Decimal
    allowed: Decimal
    lifts_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardLifted(InMode, stored_as="guard_lifted", kind=AlertKind.RECOVERY, needed=True):
    """The crash guard lifted itself, as was said when it was set."""

    fall: Decimal
