"""Tells the bot's owner when the streams of a process were lost together, and when they are back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.domain.alerts.stream_alerts import StreamAlert, StreamsBack, StreamsLost
from engine.notifications.publish import publish
from engine.storage.service import Service
from engine.streaming.fleet import Fleet

# What is mended sooner is nothing to look at: it is in the log and in the numbers.
TOLD_AFTER = timedelta(minutes=1)


@dataclass(slots=True)
class _Loss:
    since: datetime
    steady_since: datetime
    is_told: bool = False


@dataclass(eq=False, kw_only=True, repr=False)
class StreamLossAlerts(Service):
    """One message for all accounts. *owner* is the process's name, *owner_chat* None before the bot
    has an owner.
    """

    fleet: Fleet
    owner: str
    owner_chat: Callable[[], Awaitable[int | None]]

    def __post_init__(self) -> None:
        self._incidents = 0
        self._loss: _Loss | None = None

    async def round(self) -> None:
        fleet = self.fleet
        if fleet.incidents > self._incidents:
            self._incidents = fleet.incidents
            self._loss = self._loss or _Loss(self.clock.now(), self.clock.steady())
        if (loss := self._loss) is None:
            return
        live, of = fleet.standing, fleet.wanted_now
        if 10 * live >= 9 * of:
            if loss.is_told:
                back = StreamsBack(live=live, of=of, since=loss.since, at=self.clock.now())
                await self._publish(back, key="back")
            self._loss = None
        elif (
            not loss.is_told
            and 2 * live <= of
            and self.clock.steady() - loss.steady_since >= TOLD_AFTER
        ):
            await self._publish(StreamsLost(live=live, of=of, since=loss.since), key="lost")
            loss.is_told = True

    async def _publish(self, alert: StreamAlert, *, key: str) -> None:
        chat_id = await self.owner_chat()
        if chat_id is None:
            return
        key = f"streams:{self.owner}:{alert.since.isoformat()}:{key}"
        async with self.database.writing() as session:
            await publish(session, chat_id, alert, key=key, now=self.clock.now())
