"""Measures how late checks begin."""

from dataclasses import dataclass
from datetime import datetime, timedelta

_REMEMBERED = 1000
_LATELY = timedelta(minutes=5)
_MOST_OF_THEM = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How late checks began lately: *p99* is a percentile, *most* the maximum.
    *overdue* accounts are due now, the longest for *waiting_for*.
    """

    checks: int
    p99: timedelta
    most: timedelta
    overdue: int
    waiting_for: timedelta


@dataclass(frozen=True, slots=True)
class _Begun:
    at: datetime
    late: timedelta


class LatenessTracker:
    """Remembers how late the last checks were."""

    def __init__(self) -> None:
        self._begun: list[_Begun] = []

    def began(self, *, due_at: datetime, now: datetime) -> None:
        self._begun.append(_Begun(now, max(now - due_at, timedelta())))
        if len(self._begun) > 2 * _REMEMBERED:
            del self._begun[:-_REMEMBERED]

    def most(self, now: datetime) -> timedelta:
        return max((begun.late for begun in self._lately(now)), default=timedelta())

    def facts(self, *, now: datetime, overdue_since: list[datetime]) -> Lateness:
        lately = self._lately(now)
        late = sorted(begun.late for begun in lately) or [timedelta()]
        return Lateness(
            checks=len(lately),
            p99=late[len(late) * _MOST_OF_THEM // 100],
            most=late[-1],
            overdue=len(overdue_since),
            waiting_for=now - min(overdue_since, default=now),
        )

    def _lately(self, now: datetime) -> list[_Begun]:
        return [begun for begun in self._begun if now - _LATELY <= begun.at <= now]
