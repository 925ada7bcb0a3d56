"""Prometheus metrics of the work's results; the metrics page collects them.

Their labels are named by enums, so their number never grows.
"""

from collections.abc import Iterable
from datetime import timedelta
from enum import Enum
from typing import assert_never

from prometheus_client import Counter, Histogram

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

_A_SECOND = timedelta(seconds=1)
# From an immediate check to an account that was forgotten for an hour.
_LATE_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1200, 3600)
# A check waits for 300 ms of quiet, and 2 s at most; an order has requests of its own before it.
_SOON_S = (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60)


def counter_of(members: type[Enum], name: str, what: str, *, label: str) -> Counter:
    """Returns a counter with a series of each member from the start, in no registry."""
    counter = Counter(name, what, [label], registry=None)
    for member in members:
        counter.labels(member.value)
    return counter


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
        self.outcomes = counter_of(
            CheckOutcome, "ballast_checks", "Checks that came to an end", label="outcome"
        )
        self.failures = counter_of(
            IncidentKind, "ballast_check_failures", "Checks that failed, by kind", label="kind"
        )
        self.takings = counter_of(
            LeaseEvent,
            "ballast_leases",
            "Leases that came to this process, and those it lost against its will",
            label="event",
        )
        self._outcome_of = {
            outcome: self.outcomes.labels(outcome.value) for outcome in CheckOutcome
        }
        self.late = Histogram(
            "ballast_check_lateness_seconds",
            "How long after it was due a check began",
            buckets=_LATE_S,
            registry=None,
        )

    def began(self, late: timedelta) -> None:
        self.late.observe(late / _A_SECOND)

    def done(self, look: CheckResult | None) -> None:
        """Count a finished check; without a look it was interrupted."""
        outcome = CheckOutcome.CUT_OFF if look is None else outcome_of(look.verdict)
        self._outcome_of[outcome].inc()
        verdict = None if look is None else look.verdict
        if isinstance(verdict, CheckFailed) and outcome is CheckOutcome.FAILED:
            self.failures.labels(verdict.kind.value).inc()

    def broke(self) -> None:
        """Count a bug of ours, which `done` does not count."""
        self.failures.labels(IncidentKind.INTERNAL.value).inc()

    def claimed(self, fences: Iterable[int]) -> None:
        """Accounts were taken under these fences, of which the first is 1."""
        for fence in fences:
            event = LeaseEvent.NEW if fence == 1 else LeaseEvent.TAKEN_OVER
            self.takings.labels(event.value).inc()

    def lost(self) -> None:
        self.takings.labels(LeaseEvent.LOST.value).inc()


class StreamTally:
    """Times from the first event of a moment to the check of it, and to the order that it led to."""

    def __init__(self) -> None:
        self.to_check = Histogram(
            "ballast_stream_to_check_seconds",
            "How long after an event the check of it began",
            buckets=_SOON_S,
            registry=None,
        )
        self.to_order = Histogram(
            "ballast_stream_to_order_seconds",
            "How long after an event the order that it led to was sent",
            buckets=_SOON_S,
            registry=None,
        )

    def checked(self, after: timedelta) -> None:
        self.to_check.observe(after / _A_SECOND)

    def ordered(self, after: timedelta) -> None:
        self.to_order.observe(after / _A_SECOND)


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
