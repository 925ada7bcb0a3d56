"""Decides when an alert is sent whether it is loud, silent or off, and what it replies to."""

from dataclasses import dataclass
from datetime import timedelta

from bot.messaging.alert_pictures import WantedPicture, wanted_picture
from engine.domain.accounts.members import Role
from engine.domain.alerts.alerts import Alert, Digest, Halted, HaltLifted
from engine.domain.alerts.preferences import (
    AlertLevel,
    AlertPreferences,
    DeliveryMode,
    delivery_mode,
)
from engine.domain.alerts.report_alerts import WeeklyReport
from engine.domain.alerts.sharing import SharedAlert, is_heard
from engine.domain.alerts.traits import AlertTraits
from engine.storage.accounts import alert_preferences, shares
from engine.storage.models.queues import OutboxRow
from engine.storage.queues import outbox, reply_threads
from engine.storage.serialization import ALERTS, alert_from_json, from_json
from engine.storage.service import Service

# Alerts of a chat's own account that are not sent while the chat sees another one's.
_OF_OWN_ACCOUNT = (Digest, WeeklyReport, Halted, HaltLifted)
# Who only watches needs no news of the day before, and a chat that is away gathers no pile of it.
_SHARED_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Delivery:
    """*why* is stored if *mode* is OFF; *reply_to* is a message of the same chat.
    *alert* is the message's alert, if it was decoded, and *time_zone* the chat's. *picture* is of a report. *role* is what
    the chat may do with an account that is another chat's; None where it is its own.
    """

    mode: DeliveryMode = DeliveryMode.LOUD
    reply_to: int | None = None
    why: str | None = None
    alert: Alert | None = None
    picture: WantedPicture | None = None
    time_zone: str | None = None
    role: Role | None = None


AS_IT_COMES = Delivery()


class DeliveryPolicy(Service):
    async def of(self, row: OutboxRow) -> Delivery:
        """Return how to deliver the message; answers are always delivered as they are.
        Only alerts are held back or silenced. An alert with unreadable settings is sent loud:
        better too loud than lost.
        """
        if row.kind != outbox.SHARED and row.kind not in ALERTS:
            return AS_IT_COMES
        try:
            if row.kind == outbox.SHARED:
                return await self._of_shared(row)
            alert = alert_from_json(row.kind, row.payload)
            traits = alert.traits
            async with self.database.reading() as session:
                if isinstance(alert, _OF_OWN_ACCOUNT) and await shares.of_chat(
                    session, row.chat_id
                ):
                    return Delivery(DeliveryMode.OFF, why=outbox.ASIDE)
                settings = await alert_preferences.of_chat(session, row.chat_id)
                mode = delivery_mode(traits, settings, now=self.clock.now())
                if mode is DeliveryMode.OFF:
                    return Delivery(mode, why=_why(traits, settings))
                reply_to = await reply_threads.begun_by(session, row)
                zone = settings.time_zone
                picture = wanted_picture(alert, settings)
                return Delivery(
                    mode, reply_to=reply_to, alert=alert, picture=picture, time_zone=zone
                )
        except ValueError:
            return AS_IT_COMES

    async def _of_shared(self, row: OutboxRow) -> Delivery:
        """An alert of an account that was shared with the chat when it was written."""
        shared = from_json(row.payload, SharedAlert)
        async with self.database.reading() as session:
            share = await shares.of_chat(session, row.chat_id)
            if share is None or share.account_id != shared.account_id:
                return Delivery(DeliveryMode.OFF, why=outbox.NOT_SHARED)
            if self.clock.now() - row.created_at > _SHARED_FOR:
                return Delivery(DeliveryMode.OFF, why=outbox.OLD)
            alert = alert_from_json(shared.kind, shared.facts)
            if not is_heard(alert, share.alerts, role=share.role):
                return Delivery(DeliveryMode.OFF, why=outbox.OFF)
            reply_to = await reply_threads.begun_by(session, row)
        return Delivery(reply_to=reply_to, alert=alert, time_zone=share.time_zone, role=share.role)


def _why(traits: AlertTraits, settings: AlertPreferences) -> str:
    off = settings.level(traits.kind) is AlertLevel.OFF
    return outbox.OFF if off else outbox.SMALL
