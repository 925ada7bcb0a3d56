"""Telegram's flood control, by chat: nothing is sent to a chat before its pause ends."""

from datetime import datetime, timedelta

from telegram.error import RetryAfter

from engine.clock import Clock


class QuietPeriod(RetryAfter):
    """Raised without a request: an earlier flood-control pause has not ended."""

    def __init__(self, pause: timedelta) -> None:
        super().__init__(int(pause.total_seconds()) + 1)
        self.pause = pause


class FloodControl:
    """The pauses this process was given; other processes learn theirs from Telegram.
    Two chats paused at the same time mean that the whole bot is limited: then all wait.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[int, datetime] = {}
        self.all_until = clock.steady()  # from then on any chat may be written to
        self._congested: set[int] = set()

    def slowed(self, chat_id: int, error: RetryAfter) -> timedelta:
        """Record that the chat must pause; return how long at least."""
        pause = asked_pause(error)
        if isinstance(error, QuietPeriod):
            return pause
        now = self._clock.steady()
        until = now + pause
        self._until = {chat: end for chat, end in self._until.items() if end > now}
        if any(chat != chat_id for chat in self._until):
            self.all_until = max(self.all_until, until)
        self._until[chat_id] = max(until, self._until.get(chat_id, until))
        self._congested.add(chat_id)
        return pause

    async def check(self, chat_id: int) -> None:
        """Raises QuietPeriod if nothing may be sent to the chat yet."""
        if pause := self.pause(chat_id):
            raise QuietPeriod(pause)

    def pause(self, chat_id: int) -> timedelta:
        """Return how long nothing may be sent to the chat."""
        now = self._clock.steady()
        return max(self._until.get(chat_id, now), self.all_until, now) - now

    def is_congested(self, chat_id: int) -> bool:
        """True if messages may be queued for the chat since its pause: those are sent first."""
        return chat_id in self._congested

    def relieved(self, chat_id: int) -> None:
        """Record that no message is queued for the chat any more."""
        self._congested.discard(chat_id)


def asked_pause(error: RetryAfter) -> timedelta:
    """Return the pause as a duration; python-telegram-bot is moving from numbers to durations."""
    if isinstance(error, QuietPeriod):
        return error.pause
    pause = error.retry_after
    return pause if isinstance(pause, timedelta) else timedelta(seconds=pause)
