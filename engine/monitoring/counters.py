"""Counters of the work's results, for the metrics.

All are named by enums, so their number never grows.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import Enum
from typing import assert_never

from engine.domain.accounts.incidents import IncidentKind
from engine.domain.rebalancing.check_result import (
    AwaitingApproval,
    AwaitingSettlement,
    CheckFailed,
    CheckResult,
    Decision,
    NoTrade,
    OrderPending,
    OrderPlaced,
    PlanChanged,
)
from engine.domain.rebalancing.planner import InsideBand

_NO_TIME = timedelta()
# From an immediate check to an account that was forgotten for an hour.
_LATE_MS = (100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 1_200_000, 3_600_000)


class Histogram:
    """Histogram of durations: a count up to each of *bounds*, of longer ones, and the total."""

    def __init__(self, bounds: Iterable[timedelta]) -> None:
        self.bounds: Sequence[timedelta] = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = _NO_TIME

    def add(self, duration: timedelta) -> None:
        """A clock that was set back makes nothing take less than no time."""
        taken = max(duration, _NO_TIME)
        longer = len(self.bounds)
        self.counts[next((i for i, most in enumerate(self.bounds) if taken <= most), longer)] += 1
        self.total += taken


def in_millis(*bounds: int) -> Histogram:
    return Histogram(timedelta(milliseconds=bound) for bound in bounds)


class CheckOutcome(Enum):
    """Result of a check."""

    ON_TARGET = "on_target"
    ORDERED = "ordered"
    DECLINED = "declined"  # a drift that could not be traded
    LEFT_TO_PERSON = "left_to_person"
    MOVED_AWAY = "moved_away"
    WAITING = "waiting"  # for an order to be resolved
    UNSETTLED = "unsettled"
    OVERTAKEN = "overtaken"  # the account or its owner changed meanwhile
    FAILED = "failed"
    CUT_OFF = "cut_off"  # the database became unavailable, or a bug of ours


class LeaseEvent(Enum):
    """How a process gains or loses the lease of an account."""

    NEW = "new"  # unowned before
    TAKEN_OVER = "taken_over"  # from another process, or from our own earlier run
    LOST = "lost"


class CheckTally:
    """Counts checks; *late* is how long after they were due they began."""

    def __init__(self) -> None:
        self.outcomes = dict.fromkeys(CheckOutcome, 0)
        self.failures = dict.fromkeys(IncidentKind, 0)
        self.takings = dict.fromkeys(LeaseEvent, 0)
        self.late = in_millis(*_LATE_MS)

    def done(self, look: CheckResult | None) -> None:
        """Count a finished check; without a look it was interrupted."""
        outcome = CheckOutcome.CUT_OFF if look is None else outcome_of(look.verdict)
        self.outcomes[outcome] += 1
        if (
            outcome is CheckOutcome.FAILED
            and look is not None
            and isinstance(look.verdict, CheckFailed)
        ):
            self.failures[look.verdict.kind] += 1

    def broke(self) -> None:
        """Count a bug of ours, which `done` does not count."""
        self.failures[IncidentKind.INTERNAL] += 1

    def claimed(self, fences: Iterable[int]) -> None:
        """Accounts were taken under these fences, of which the first is 1."""
        for fence in fences:
            self.takings[LeaseEvent.NEW if fence == 1 else LeaseEvent.TAKEN_OVER] += 1

    def lost(self) -> None:
        self.takings[LeaseEvent.LOST] += 1


def outcome_of(verdict: Decision) -> CheckOutcome:  # noqa: PLR0911 - one for each verdict
    match verdict:
        case NoTrade(reason=InsideBand()):
            return CheckOutcome.ON_TARGET
        case NoTrade():
            return CheckOutcome.DECLINED
        case OrderPlaced():
            return CheckOutcome.ORDERED
        case AwaitingApproval():
            return CheckOutcome.LEFT_TO_PERSON
        case PlanChanged():
            return CheckOutcome.MOVED_AWAY
        case OrderPending():
            return CheckOutcome.WAITING
        case AwaitingSettlement():
            return CheckOutcome.UNSETTLED
        case CheckFailed(kind=IncidentKind.INTERNAL):
            return CheckOutcome.OVERTAKEN  # INTERNAL of a check; a bug of ours has no result
        case CheckFailed():
            return CheckOutcome.FAILED
        case _:
            assert_never(verdict)
