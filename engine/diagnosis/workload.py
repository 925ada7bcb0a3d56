"""Measures how late checks and messages are, and whether the exchange's limits cause it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.clock import Clock
from engine.domain.accounts.undeliverable import NOTHING, Refused
from engine.exchanges.rate_limiter import Usage
from engine.monitoring.lateness import Lateness
from engine.scheduling.dispatcher import Dispatcher

# Two heartbeats a second are due; fewer come under load, or while the database is slow.
_BEAT_OLD = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Progress of this process's checks. *usage* is None where the exchange has no limits.
    *beaten* is the time since the last heartbeat that reached the database, None before the first.
    """

    late: Lateness
    usage: Usage | None
    now: datetime
    beaten: timedelta | None = None

    @property
    def is_stopped(self) -> bool:
        """True if there was no heartbeat, which begins the checks, for long."""
        return self.beaten is not None and self.beaten > _BEAT_OLD

    @property
    def by(self) -> timedelta:
        """Returns how late the checks are, including those that have not begun."""
        return max(self.late.p99, self.late.waiting_for)

    @property
    def silent_for(self) -> timedelta:
        """Returns for how long MEXC still refuses requests."""
        until = self.usage.blocked_until if self.usage else None
        return until - self.now if until else timedelta()

    @property
    def is_rationed(self) -> bool:
        """True if MEXC's rate limit is why they are late."""
        if self.usage is None:
            return False
        nearly_full = self.usage.weight_used * 10 >= self.usage.weight_limit * 9
        return nearly_full or bool(self.usage.waiting)


def workload_of(
    dispatcher: Dispatcher, usage: Callable[[], Usage] | None, clock: Clock
) -> Workload:
    return Workload(
        late=dispatcher.lateness(),
        usage=usage() if usage else None,
        now=clock.steady(),
        beaten=dispatcher.beaten(),
    )


@dataclass(frozen=True, slots=True)
class MessageBacklog:
    """Messages that Telegram has not accepted: *mine* of this chat, *given_up* of a week.
    *refused*: chats in which it accepts none.
    """

    mine: int
    all: int
    given_up: int
    refused: Refused = NOTHING
