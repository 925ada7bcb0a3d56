"""Decides when an alert is sent whether it is loud, silent or off, and what it replies to."""

from dataclasses import dataclass

from engine.domain.alerts.alerts import Alert
from engine.domain.alerts.preferences import (
    AlertLevel,
    AlertPreferences,
    DeliveryMode,
    delivery_mode,
)
from engine.domain.alerts.traits import AlertTraits
from engine.storage.accounts import alert_preferences
from engine.storage.models.queues import OutboxRow
from engine.storage.queues import outbox, reply_threads
from engine.storage.serialization import ALERTS, alert_from_json
from engine.storage.service import Service


@dataclass(frozen=True, slots=True)
class Delivery:
    """*why* is stored if *mode* is OFF; *reply_to* is a message of the same chat.
    *alert* is the message's alert, if it was decoded, and *time_zone* the chat's.
    """

    mode: DeliveryMode = DeliveryMode.LOUD
    reply_to: int | None = None
    why: str | None = None
    alert: Alert | None = None
    time_zone: str | None = None


AS_IT_COMES = Delivery()


class DeliveryPolicy(Service):
    async def of(self, row: OutboxRow) -> Delivery:
        """Return how to deliver the message; answers are always delivered as they are.
        Only alerts are held back or silenced. An alert with unreadable settings is sent loud:
        better too loud than lost.
        """
        if row.kind not in ALERTS:
            return AS_IT_COMES
        try:
            alert = alert_from_json(row.kind, row.payload)
            traits = alert.traits
            async with self._database.reading() as session:
                settings = await alert_preferences.of_chat(session, row.chat_id)
                mode = delivery_mode(traits, settings, now=self._clock.now())
                if mode is DeliveryMode.OFF:
                    return Delivery(mode, why=_why(traits, settings))
                reply_to = await reply_threads.begun_by(session, row)
                zone = settings.time_zone
                return Delivery(mode, reply_to=reply_to, alert=alert, time_zone=zone)
        except ValueError:
            return AS_IT_COMES


def _why(traits: AlertTraits, settings: AlertPreferences) -> str:
    off = settings.level(traits.kind) is AlertLevel.OFF
    return outbox.OFF if off else outbox.SMALL
