"""A chat in which Telegram accepts no message: when to retry, when to pause its trading."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# Without a delivered message for so long, trading is paused if another chat was alerted.
PAUSED_AFTER = timedelta(minutes=60)
_SHORTEST, _LONGEST = timedelta(seconds=30), timedelta(minutes=15)
# A chat that is gone says so by itself when it is back.
_WHILE_GONE = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undeliverable:
    """An undeliverable chat *since* the first refusal; *problem* is Telegram's answer.

    *gone*: the bot was blocked or removed; else it may not write there now. *told* are the other
    chats that were to be alerted.
    """

    chat_id: int
    since: datetime
    last_at: datetime
    problem: str
    gone: bool = False
    told: tuple[int, ...] = ()

    @property
    def pauses_at(self) -> datetime:
        """Returns when trading pauses without a delivery; at once for a chat that is gone."""
        return self.since if self.gone else self.since + PAUSED_AFTER

    def next_try(self, *, now: datetime) -> datetime:
        """Ever later, but not past the moment at which trading would have to stop."""
        if self.gone:
            return now + _WHILE_GONE
        later = now + min(max((now - self.since) / 4, _SHORTEST), _LONGEST)
        return min(later, self.pauses_at) if now < self.pauses_at else later


@dataclass(frozen=True, slots=True)
class Refused:
    """What a chat may know: its own state, and that of *others* of which it was alerted."""

    here: Undeliverable | None = None
    others: tuple[Undeliverable, ...] = ()


NOTHING = Refused()
