"""Whether the exchange takes more connections from here. How many it takes is documented nowhere."""

import logging
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from http import HTTPStatus

from engine.errors import EngineError, NotConnected
from engine.streaming.connections import Line

logger = logging.getLogger(__name__)

NONE_ADDED_FOR = timedelta(minutes=10)
_CALM = timedelta(minutes=5)
# So many in a row that were forbidden, or closed so soon after the handshake, are a refusal.
_SOON, _MOST_CLOSED, _TOGETHER = timedelta(seconds=5), 3, timedelta(seconds=10)
# So many in a row that reached nobody, and one at a time looks whether somebody is there again.
_MOST_FAILED, _LOOKS_EVERY = 20, timedelta(seconds=5)


class Welcome:
    """After a refusal none is added for a while, and then one at a time until one is subscribed;
    those that stand are kept. Where the exchange cannot be reached it is one at a time, too.
    """

    def __init__(self) -> None:
        self._none_before: datetime | None = None
        self._closed: deque[datetime] = deque(maxlen=_MOST_CLOSED)
        self._failed_at: datetime | None = None
        self._said_at: datetime | None = None
        self._failures = 0
        self.is_wary = False

    def allows(self, now: datetime) -> bool:
        return self._none_before is None or self._none_before <= now

    def room(self, now: datetime, *, most: int, lines: Iterable[Line]) -> int:
        """Returns how many may be begun now, *most* at best, beside *lines*."""
        if not self.allows(now):
            return 0
        is_away = self._failures >= _MOST_FAILED
        if is_away and self._failed_at is not None and now - self._failed_at < _LOOKS_EVERY:
            return 0
        if is_away or self.is_wary:  # one shows whether more are welcome
            return int(all(line.is_acknowledged for line in lines))
        return most

    def acknowledged(self) -> None:
        self.is_wary = False
        self._failures = 0
        self._closed.clear()

    def ended(self, line: Line, now: datetime) -> None:
        """*line* is over; the end of one that was subscribed says nothing."""
        if line.refused_by == HTTPStatus.TOO_MANY_REQUESTS:
            self._add_none(now, why="status 429")
        elif line.refused_by is not None:
            self._say(line.problem, now)
            self._not_wanted(now, why=f"status {line.refused_by}")
        elif isinstance(line.problem, NotConnected):
            self._say(line.problem, now)
            self._failed_at = now
            self._failures += 1
        elif (
            line.opened_at is not None
            and not line.is_acknowledged
            and now - line.opened_at < _SOON
        ):
            self._not_wanted(now, why="closed after the handshake")

    def _say(self, problem: EngineError | None, now: datetime) -> None:
        if self._said_at is None or now - self._said_at > _CALM:
            status = problem.status if isinstance(problem, NotConnected) else None
            about = {"problem": str(problem), "status": status}
            logger.warning("streams unreachable", extra=about)
        self._said_at = now

    def _not_wanted(self, now: datetime, *, why: str) -> None:
        """That may be the account's own fault, unless it is that of several at once."""
        self._closed.append(now)
        are_many = len(self._closed) == _MOST_CLOSED and now - self._closed[0] < _TOGETHER
        if are_many or self.is_wary:
            self._add_none(now, why=why)

    def _add_none(self, now: datetime, *, why: str) -> None:
        if self.allows(now):
            logger.warning("no streams added", extra={"why": why})
        self._none_before, self.is_wary = now + NONE_ADDED_FOR, True
        self._closed.clear()
