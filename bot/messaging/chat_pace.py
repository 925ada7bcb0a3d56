"""The pace at which Telegram takes messages from a bot, by chat: kept, no 429 is needed to learn it."""

from collections import OrderedDict, deque
from datetime import datetime, timedelta

from engine.clock import Clock

# One a second, and 20 a minute in groups and channels; a little more for the way there.
_SPACING = timedelta(seconds=1.05)
_MOST, _WITHIN = 20, timedelta(seconds=61)


class ChatPace:
    """Counts what is sent by this process; answers to commands, which do not wait, are not."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent: OrderedDict[int, deque[datetime]] = OrderedDict()  # the last chat at the end

    def sent(self, chat_id: int) -> None:
        """Record that a message leaves for the chat now."""
        now = self._clock.steady()
        self._sent.setdefault(chat_id, deque(maxlen=_MOST)).append(now)
        self._sent.move_to_end(chat_id)
        while now - next(iter(self._sent.values()))[-1] > _WITHIN:
            self._sent.popitem(last=False)

    def pause(self, chat_id: int) -> timedelta:
        """Return how long the chat takes no further message."""
        now = self._clock.steady()
        if not (sent := self._sent.get(chat_id)):
            return timedelta()
        free = sent[-1] + _SPACING
        if chat_id < 0 and len(sent) == _MOST:
            free = max(free, sent[0] + _WITHIN)
        return max(free - now, timedelta())
