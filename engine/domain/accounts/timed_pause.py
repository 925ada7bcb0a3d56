"""A pause with an end: when trading starts again by itself, and when the user is asked instead."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LEAST = timedelta(minutes=1)
MOST = timedelta(days=30)
# The question is asked at the end of the pause, then 1 h and 6 h after that.
_AGAIN = (timedelta(hours=1), timedelta(hours=5))
QUESTIONS = len(_AGAIN) + 1
# So long an exchange that does not answer is tried again before the user is asked.
PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedPause:
    """*user_id* paused until *ends_at*; *asked* questions were sent since.
    *version* is the account's under this pause: where it is another one, something was changed.
    *due_at* is the next time that something is to be done.
    """

    user_id: int
    version: int
    ends_at: datetime
    due_at: datetime
    asked: int = 0


def next_question(asked: int, *, now: datetime) -> datetime | None:
    """Returns when the user is asked again after *asked* questions; None: never."""
    return now + _AGAIN[asked - 1] if asked <= len(_AGAIN) else None
