"""Limits how many questions of viewers a group gets answered: its alerts come first."""

from collections import deque
from datetime import datetime, timedelta
from enum import Enum, auto

from engine.clock import Clock

MOST_A_MINUTE = 5
_MINUTE = timedelta(minutes=1)


class Turn(Enum):
    """DECLINED is answered once; then nothing is, until a minute passes without a question."""

    ANSWERED = auto()
    DECLINED = auto()
    IGNORED = auto()


class ViewerLimit:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answered: dict[int, deque[datetime]] = {}
        self._declined_at: dict[int, datetime] = {}

    def asks(self, chat_id: int) -> Turn:
        """Whether one more question of this chat's onlookers is answered."""
        now = self._clock.steady()
        answered = self._answered.setdefault(chat_id, deque())
        while answered and now - answered[0] >= _MINUTE:
            answered.popleft()
        if len(answered) < MOST_A_MINUTE:
            answered.append(now)
            return Turn.ANSWERED
        last = self._declined_at.get(chat_id)
        self._declined_at[chat_id] = now
        return Turn.DECLINED if last is None or now - last >= _MINUTE else Turn.IGNORED
