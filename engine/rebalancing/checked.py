"""The result of a check, and when the next one is due."""

from dataclasses import dataclass
from datetime import timedelta

from engine.domain.rebalancing.check_result import CheckResult


@dataclass(frozen=True, slots=True)
class Checked:
    """Result of a check. *again_in* overrides the interval."""

    look: CheckResult
    again_in: timedelta | None = None
