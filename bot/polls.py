"""When Telegram last answered a poll of this process, and how many it has answered."""

from datetime import datetime, timedelta

from engine.clock import Clock


class Polls:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answered_at: datetime | None = None
        self.answers = 0

    def answered(self) -> None:
        """Telegram was heard just now, whatever it said."""
        self._answered_at = self._clock.now()
        self.answers += 1

    def age(self) -> timedelta | None:
        """How long ago that was; None before the first time."""
        return None if self._answered_at is None else self._clock.now() - self._answered_at
