"""Time limits of leases, data and look-ups, in one object that tests and the demo can scale."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Self

from engine.clock import Clock
from engine.domain.rebalancing.balance_confirmation import SECOND_SIGHT
from engine.errors import BadData

_LONGEST_CALM = timedelta(minutes=5)
_LONGEST_BACKOFF = timedelta(minutes=15)
_MOST_DOUBLINGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Durations. *send_margin* is the least remaining time of a lease when an order leaves.
    It covers the exchange's acceptance window, the request's time limit, and a reserve. *data_age*
    is the greatest age of balances and book then. An unexplained fall of a balance is read again
    after *second_sight*. What other processes want of this one is read every *ask_every*. *question* and *dialog* are the user's time to tap a button and to answer
    a step, *undo* to take a change back. A process announces itself every *announce_every*, and is
    dead after *presence* without, or after *silence* where its database session has ended too.
    """

    lease: timedelta = timedelta(seconds=90)
    announce_every: timedelta = timedelta(seconds=2)
    silence: timedelta = timedelta(seconds=5)
    presence: timedelta = timedelta(seconds=30)
    renew_every: timedelta = timedelta(seconds=30)
    ask_every: timedelta = timedelta(seconds=2)
    send_margin: timedelta = timedelta(seconds=20)
    data_age: timedelta = timedelta(seconds=10)
    error_backoff: timedelta = timedelta(seconds=60)
    second_sight: timedelta = SECOND_SIGHT
    settle_for: timedelta = timedelta(seconds=15)
    question: timedelta = timedelta(seconds=90)
    dialog: timedelta = timedelta(minutes=10)
    undo: timedelta = timedelta(seconds=60)

    def calm(self, interval: timedelta) -> timedelta:
        """Returns how long an outage must not recur before it counts as resolved."""
        return min(2 * max(interval, self.error_backoff), _LONGEST_CALM)

    def backoff(self, failures: int) -> timedelta:
        """Returns the wait before the next order after *failures* that came to nothing.
        It doubles each time, up to 15 minutes.
        """
        doubled: timedelta = self.error_backoff * 2 ** min(failures, _MOST_DOUBLINGS)
        return max(self.error_backoff, min(doubled, _LONGEST_BACKOFF))

    def stretched(self, factor: int) -> Self:
        """Everything *factor* times as long, for a clock that runs that much faster."""
        return type(self)(**{f.name: getattr(self, f.name) * factor for f in fields(self)})


def steadily(clock: Clock, *read_at: datetime) -> datetime:
    """Converts the earliest of these moments of `now()` to the clock's `steady()`.

    Raises BadData if the clock was set back since: then the data's age is unknown.
    """
    now = clock.now()
    if max(read_at) > now:
        raise BadData("the clock was set back while balances and prices were read")
    return clock.steady() - (now - min(read_at))
