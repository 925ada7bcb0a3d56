"""How far a stream is trusted, and how often its account is polled all the same. Pure.

A stream that is wrong, late or silent costs time: every doubt leads back to the account's own
interval.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from engine.domain.streams.key_times import DAY

# So many polls in a row that agree: each doubled the interval.
TRUSTED_AFTER = 3
_MOST_DOUBLINGS = 20
# Deaf so often: a new key; so often within a day: polls alone for a while.
DEAF_TWICE, DEAF_IN_A_DAY = 2, 4
POLLS_ALONE_FOR = timedelta(hours=6)
# Reading an account costs that much of the weight that one address may use in a second, of which
# the polls of accounts with a stream use half at most.
POLL_WEIGHT, WEIGHT_A_SECOND, _HALF = 10, 30, 2


class StreamState(Enum):
    OFF = "off"
    OPEN = "open"  # connected; not every channel is acknowledged
    ACKNOWLEDGED = "acknowledged"
    PROVEN = "proven"  # balances that were read after that agree
    TRUSTED = "trusted"
    SUSPECT = "suspect"


class StreamsOff(Enum):
    """Why no account of a process has a stream, by what its operator set."""

    BY_SETTING = "STREAMS"
    BY_ADDRESS = "MEXC_API_URL"  # the key of one exchange's stream must not reach another


LIVE = frozenset({StreamState.PROVEN, StreamState.TRUSTED})


class Doubt(Enum):
    """Why a stream is not believed any more."""

    CLOSED = "closed"
    SILENT = "silent"  # no answer to a ping
    BROKEN = "broken"  # an event is missing
    GARBAGE = "garbage"
    DEAF = "deaf"  # a change was found that no event told
    KEY = "key"
    SLEPT = "slept"  # the machine did


@dataclass(frozen=True, slots=True)
class Trust:
    """*agreements* are the polls in a row that agreed with the stream; *deaf* when it missed a
    change; until *alone_until* the account is polled alone.
    """

    state: StreamState = StreamState.OFF
    agreements: int = 0
    deaf: tuple[datetime, ...] = ()
    alone_until: datetime | None = None

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def wants_new_key(self) -> bool:
        return len(self.deaf) >= DEAF_TWICE and len(self.deaf) % DEAF_TWICE == 0

    def may_open(self, now: datetime) -> bool:
        return self.alone_until is None or self.alone_until <= now

    def opened(self) -> "Trust":
        return replace(self, state=StreamState.OPEN, agreements=0)

    def acknowledged(self) -> "Trust":
        """Every channel is subscribed."""
        return replace(self, state=StreamState.ACKNOWLEDGED, agreements=0)

    def agreed(self) -> "Trust":
        """A poll that was begun after the acknowledgement agrees with all events."""
        if self.state in {StreamState.OFF, StreamState.OPEN, StreamState.SUSPECT}:
            return self
        count = self.agreements + 1
        state = StreamState.TRUSTED if count >= TRUSTED_AFTER else StreamState.PROVEN
        return replace(self, state=state, agreements=count)

    def doubted(self, why: Doubt, *, now: datetime) -> "Trust":
        """The account is due now, and its own interval holds again. Where an event is missing the
        connection stays, to be proven again; else there is to be another one.
        """
        deaf = tuple(at for at in self.deaf if now - at < DAY)
        if why is Doubt.DEAF:
            deaf = (*deaf, now)
        alone = self.alone_until
        if why is Doubt.DEAF and len(deaf) >= DEAF_IN_A_DAY:
            alone, deaf = now + POLLS_ALONE_FOR, ()
        is_kept = why is Doubt.BROKEN and self.state not in {StreamState.OFF, StreamState.OPEN}
        state = StreamState.ACKNOWLEDGED if is_kept else StreamState.SUSPECT
        return Trust(state, 0, deaf, alone)


def poll_interval(trust: Trust, own: timedelta, *, fits: timedelta) -> timedelta:
    """Returns the time from one poll of an account to the next: its *own* interval, doubled with
    each agreement up to what *fits*, and never less than its own.
    """
    if not trust.is_live or fits <= own:
        return own
    doubled = own * (1 << min(trust.agreements, _MOST_DOUBLINGS))
    return min(doubled, fits)


def fitting_interval(accounts: int) -> timedelta:
    """Returns the interval at which the polls of so many accounts use half of one address."""
    return timedelta(seconds=accounts * POLL_WEIGHT * _HALF / WEIGHT_A_SECOND)
