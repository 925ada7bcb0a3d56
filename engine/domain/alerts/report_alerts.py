"""The weekly report of an account, as facts."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.domain.alerts.key_alerts import InMode
from engine.domain.alerts.traits import AlertKind


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyFigures:
    """The sums of a profit report, in USDT; *returned* and *held_returned* are fractions, None where
    there is none. *about*: not all is known exactly.
    """

    start: Decimal
    now: Decimal
    deposits: Decimal
    made: Decimal
    held_made: Decimal
    brought: Decimal
    fees: Decimal
    trades: int
    returned: Decimal | None = None
    held_returned: Decimal | None = None
    about: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyReport(InMode, stored_as="weekly_report", kind=AlertKind.DIGEST):
    """What came of the days from *since* to *at*; *figures* None: no record or no price of them.
    *next_at* is when the next one is due. *trading*: nothing stood in the way of the next trade.
    """

    since: datetime
    at: datetime
    trading: bool
    next_at: datetime | None = None
    figures: WeeklyFigures | None = None
