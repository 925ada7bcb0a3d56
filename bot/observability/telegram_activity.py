"""When Telegram last answered or sent an update, and how many polls it has answered."""

from datetime import datetime, timedelta

from engine.clock import Clock


class TelegramActivity:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answered_at: datetime | None = None
        self.answers = 0
        self._handled_at: datetime | None = None

    def answered(self) -> None:
        """Record that Telegram answered a poll, whatever the answer."""
        self._answered_at = self._clock.steady()
        self.answers += 1

    def ended(self) -> None:
        """Record that another process polls from now on."""
        self._answered_at = None

    def handled(self) -> None:
        """Record an update, whichever process received it."""
        self._handled_at = self._clock.steady()

    def age(self) -> timedelta | None:
        """Return the age of the last answered poll; None if this process does not poll."""
        return self._since(self._answered_at)

    def contact_age(self) -> timedelta | None:
        """Return the age of the last sign of Telegram in any process; None before the first."""
        return self._since(self._answered_at or self._handled_at)

    def _since(self, moment: datetime | None) -> timedelta | None:
        return None if moment is None else self._clock.steady() - moment
