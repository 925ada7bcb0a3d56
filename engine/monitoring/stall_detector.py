"""Stall detection: reports when heartbeats or checks do not finish within their deadline."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from engine.domain.orders.order import AccountId

# Minimum time between two reports of a stall that spreads.
_TOLD_AGAIN_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class WorkProgress:
    """A counter of finished work: *done* should change within *patience*."""

    done: int
    patience: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineProgress:
    """Progress of the process: *beats* are heartbeats, each of which reaches the database.
    *checks* are the finished ones of every account that has work due.
    """

    beats: WorkProgress
    database_away: bool
    checks: Mapping[AccountId, WorkProgress]


class StallCause(Enum):
    DATABASE = "database"  # it does not answer, so no heartbeat can finish
    HEART = "heart"  # no heartbeat, whatever the reason: no account is checked
    CHECKS = "checks"  # there are heartbeats, yet some checks do not finish


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalled:
    """*late* of *accounts* were not checked in time, the longest for *silent_for*."""

    cause: StallCause
    late: int
    accounts: int
    silent_for: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class StallOver:
    """Everything is in time again; *cause* is the one reported last."""

    cause: StallCause
    lasted: timedelta


class StallDetector:
    """Compares the progress periodically; reports when a stall begins, spreads and ends.

    The caller passes the time: a wall clock that jumps causes no stall.
    """

    def __init__(self) -> None:
        self._heart = _Wait()
        self._waits: dict[AccountId, _Wait] = {}
        self._told: StallCause | None = None
        self._told_of: frozenset[AccountId] = frozenset()
        self._told_ago = timedelta()
        self._lasts = timedelta()

    def look(self, pulse: EngineProgress, *, passed: timedelta) -> Stalled | StallOver | None:
        """Returns what to report, *passed* after the call before."""
        self._heart.go_on(pulse.beats, passed)
        self._waits = {a: self._waits.get(a, _Wait()) for a in pulse.checks}
        for account_id, progress in pulse.checks.items():
            self._waits[account_id].go_on(progress, passed)
        self._told_ago += passed
        self._lasts += passed
        heart_late = self._heart.is_late
        late = frozenset(a for a, wait in self._waits.items() if wait.is_late)
        if not heart_late and not late:
            return self._end()
        silent_for = max(w.silent_for for w in (self._heart, *(self._waits[a] for a in late)))
        if self._told is None:
            self._lasts = silent_for
        cause = _cause(pulse, heart_late=heart_late)
        if not self._is_news(cause, late):
            return None
        self._told, self._told_ago = cause, timedelta()
        self._told_of |= late
        accounts = len(pulse.checks)
        return Stalled(
            cause=cause,
            late=len(late) if cause is StallCause.CHECKS else accounts,
            accounts=accounts,
            silent_for=silent_for,
        )

    def _is_news(self, cause: StallCause, late: frozenset[AccountId]) -> bool:
        """A stall of everything leaves nothing to add."""
        if self._told is None:
            return True
        spreads = cause is not StallCause.CHECKS or not late <= self._told_of
        return self._told is StallCause.CHECKS and spreads and self._told_ago >= _TOLD_AGAIN_AFTER

    def _end(self) -> StallOver | None:
        if self._told is None:
            return None
        over = StallOver(cause=self._told, lasted=self._lasts)
        self._told, self._told_of = None, frozenset()
        return over


@dataclass(slots=True)
class _Wait:
    """Time since the last finished work, from zero for a new account."""

    done: int | None = None
    silent_for: timedelta = timedelta()
    is_late: bool = False

    def go_on(self, progress: WorkProgress, passed: timedelta) -> None:
        if self.done == progress.done:
            self.silent_for += passed
        else:
            self.done, self.silent_for = progress.done, timedelta()
        self.is_late = self.silent_for > progress.patience


def _cause(pulse: EngineProgress, *, heart_late: bool) -> StallCause:
    if pulse.database_away:
        return StallCause.DATABASE
    return StallCause.HEART if heart_late else StallCause.CHECKS
