"""What a chat must be told when its pause with an end is over."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.alerts.key_alerts import InMode
from engine.domain.alerts.traits import AlertKind
from engine.domain.market.pairs import Side, Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseEnded(InMode, stored_as="pause_ended", kind=AlertKind.RECOVERY, needed=True):
    """Trading is on again, as the user wanted when pausing. *side* and *expected_quote* are the
    order that the next check would send; None where it would send none, or that is not known.
    """

    symbol: Symbol
    side: Side | None = None
    expected_quote: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeAsked(InMode, stored_as="resume_asked", kind=AlertKind.PLAN, needed=True):
    """The pause is over, and trading stays paused until a user resumes: the first order is big.
    *side* and *expected_quote* are that order; None where there is none, or it is not known.
    *changed*: something was changed during the pause. Asked again at *again_at*, if ever.
    """

    symbol: Symbol
    side: Side | None = None
    expected_quote: Decimal | None = None
    changed: bool = False
    again_at: datetime | None = None
