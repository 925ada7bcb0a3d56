"""When Telegram was last heard, by this process's polls or by an update that others took, and how
many polls of this process it has answered.
"""

from datetime import datetime, timedelta

from engine.clock import Clock


class TelegramActivity:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answered_at: datetime | None = None
        self.answers = 0
        self._handled_at: datetime | None = None

    def answered(self) -> None:
        """Telegram was heard just now, whatever it said."""
        self._answered_at = self._clock.steady()
        self.answers += 1

    def ended(self) -> None:
        """Another process polls from now on."""
        self._answered_at = None

    def handled(self) -> None:
        """An update came, whichever process took it."""
        self._handled_at = self._clock.steady()

    def age(self) -> timedelta | None:
        """How long ago a poll was answered; None where this process does not poll."""
        return self._since(self._answered_at)

    def heard(self) -> timedelta | None:
        """How long ago Telegram was heard, by this process or for it; None before the first time."""
        return self._since(self._answered_at or self._handled_at)

    def _since(self, moment: datetime | None) -> timedelta | None:
        return None if moment is None else self._clock.steady() - moment
