"""How long things may take: leases, data, look-ups. One value object, so that tests and the demo
can stretch all of it together.
"""

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
    """*send_margin* is what a lease must still be worth when an order leaves: the window in which
    the exchange accepts it, the request's time limit, and some room. *data_age* is how old
    balances and book may be at that moment. A fall of a balance that nothing explains is
    read a second time after *second_sight*. *question* and *dialog* are a person's time to tap a
    button and to answer a step, *undo* to take a change back. A process says every *announce_every*
    that it lives, and is dead after *presence* without, or after *silence* where its session with
    the database has ended too.
    """

    lease: timedelta = timedelta(seconds=90)
    announce_every: timedelta = timedelta(seconds=2)
    silence: timedelta = timedelta(seconds=5)
    presence: timedelta = timedelta(seconds=30)
    renew_every: timedelta = timedelta(seconds=30)
    send_margin: timedelta = timedelta(seconds=20)
    data_age: timedelta = timedelta(seconds=10)
    error_backoff: timedelta = timedelta(seconds=60)
    second_sight: timedelta = SECOND_SIGHT
    settle_for: timedelta = timedelta(seconds=15)
    question: timedelta = timedelta(seconds=90)
    dialog: timedelta = timedelta(minutes=10)
    undo: timedelta = timedelta(seconds=60)

    def calm(self, interval: timedelta) -> timedelta:
        """How long an outage must have stayed away before it is called over."""
        return min(2 * max(interval, self.error_backoff), _LONGEST_CALM)

    def backoff(self, failures: int) -> timedelta:
        """How long to wait with the next order after one that came to nothing, *failures* before
        it: twice as long each time, a quarter of an hour at most.
        """
        doubled: timedelta = self.error_backoff * 2 ** min(failures, _MOST_DOUBLINGS)
        return max(self.error_backoff, min(doubled, _LONGEST_BACKOFF))

    def stretched(self, factor: int) -> Self:
        """Everything *factor* times as long, for a clock that runs that much faster."""
        return type(self)(**{f.name: getattr(self, f.name) * factor for f in fields(self)})


def steadily(clock: Clock, *read_at: datetime) -> datetime:
    """The earliest of these moments of `now()`, by the clock's `steady()`.

    Raises BadData where the clock was set back since: then nothing tells how old the data is.
    """
    now = clock.now()
    if max(read_at) > now:
        raise BadData("the clock was set back while balances and prices were read")
    return clock.steady() - (now - min(read_at))
