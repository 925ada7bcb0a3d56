"""A question with buttons: what was asked of whom, and why a tap on one may do nothing."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

# Any trader of the chat; their role is judged before a tap gets here.
ANY_TRADER = 0

RESUME = "resume"
"""The kind of the question whether trading starts with a large first order."""


class RefusalReason(Enum):
    """Why a tap does nothing."""

    UNKNOWN = "unknown"
    FOREIGN = "foreign"
    EXPIRED = "expired"
    USED = "used"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """*payload* is whatever the question was about, as JSON; *user_id* may be ANY_TRADER."""

    id: str
    chat_id: int
    user_id: int
    kind: str
    payload: str
    asked_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """*question* is what the button belonged to, if it is known at all."""

    why: RefusalReason
    question: Confirmation | None = None
