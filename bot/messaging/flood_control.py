"""How long Telegram wants to be left alone, by chat: until then nothing is sent there."""

from datetime import datetime, timedelta

from telegram.error import RetryAfter

from engine.clock import Clock


class QuietPeriod(RetryAfter):
    """Telegram has asked for silence before, so it was not asked now."""

    def __init__(self, pause: timedelta) -> None:
        super().__init__(int(pause.total_seconds()) + 1)
        self.pause = pause


class FloodControl:
    """What this process was told; another process hears it by itself.

    Two chats slowed at the same time mean that the bot as a whole is: then all wait.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[int, datetime] = {}
        self._all_until = clock.steady()
        self._congested: set[int] = set()

    def slowed(self, chat_id: int, error: RetryAfter) -> timedelta:
        """Telegram, or `check`, has said to wait with the chat; how long at least."""
        pause = asked_pause(error)
        if isinstance(error, QuietPeriod):
            return pause
        now = self._clock.steady()
        until = now + pause
        self._until = {chat: end for chat, end in self._until.items() if end > now}
        if any(chat != chat_id for chat in self._until):
            self._all_until = max(self._all_until, until)
        self._until[chat_id] = max(until, self._until.get(chat_id, until))
        self._congested.add(chat_id)
        return pause

    async def check(self, chat_id: int) -> None:
        """Raises Quiet where nothing may be sent to the chat yet."""
        if pause := self.pause(chat_id):
            raise QuietPeriod(pause)

    def pause(self, chat_id: int) -> timedelta:
        """For how long nothing may be sent to the chat."""
        now = self._clock.steady()
        return max(self._until.get(chat_id, now), self._all_until, now) - now

    @property
    def all_until(self) -> datetime:
        """The steady time from which on any chat may be written to."""
        return self._all_until

    def is_congested(self, chat_id: int) -> bool:
        """Whether messages may wait for the chat since it was slowed: those go first then."""
        return chat_id in self._congested

    def relieved(self, chat_id: int) -> None:
        """Nothing waits for it any more."""
        self._congested.discard(chat_id)


def asked_pause(error: RetryAfter) -> timedelta:
    """python-telegram-bot is on its way from numbers to durations."""
    if isinstance(error, QuietPeriod):
        return error.pause
    pause = error.retry_after
    return pause if isinstance(pause, timedelta) else timedelta(seconds=pause)
