"""What a chat must be told of the times at which it trades."""

from dataclasses import dataclass
from datetime import datetime

from engine.domain.alerts.key_alerts import InMode
from engine.domain.alerts.traits import AlertKind


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotMissed(InMode, stored_as="slot_missed", kind=AlertKind.ERROR):
    """The set time *at* was missed by more than an hour, so nothing was traded for it."""

    at: datetime
    next_at: datetime
