"""The result of a check, and when the next one is due."""

from dataclasses import dataclass
from datetime import timedelta

from engine.domain.rebalancing.check_result import CheckResult


@dataclass(frozen=True, slots=True)
class Checked:
    """Result of a check. *again_in* overrides the interval. *backs_off*: that is a wait after
    something failed, which no event shortens. *by*: the next check is not later, however long the
    account may be left alone.
    """

    look: CheckResult
    again_in: timedelta | None = None
    backs_off: bool = False
    by: timedelta | None = None
