"""Decides when an alert is sent whether it is loud, silent or off, and what it replies to."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from bot.messaging.alert_pictures import WantedPicture, wanted_picture
from engine.domain.accounts.members import Role
from engine.domain.accounts.shares import Share
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

logger = logging.getLogger(__name__)

# Alerts of a chat's own account that are not sent while the chat sees another one's.
_OF_OWN_ACCOUNT = (Digest, WeeklyReport, Halted, HaltLifted)
_ABOUT_SHARES = {outbox.SHARED, *(alert.stored_as for alert in _OF_OWN_ACCOUNT)}
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


@dataclass(frozen=True, slots=True)
class _Known:
    """What is stored about a message; *settings* is None where it cannot be read."""

    settings: AlertPreferences | None = None
    share: Share | None = None
    reply_to: int | None = None


@dataclass(eq=False, slots=True)
class _Together:
    """Messages that are asked for at once, and what is stored about them."""

    rows: list[OutboxRow] = field(default_factory=list)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    known: Mapping[int, _Known] | None = None


@dataclass(eq=False, kw_only=True, repr=False)
class DeliveryPolicy(Service):
    def __post_init__(self) -> None:
        self._asked: _Together | None = None

    async def of(self, row: OutboxRow) -> Delivery:
        """Return how to deliver the message; answers are always delivered as they are.
        Only alerts are held back or silenced. An alert with unreadable settings is sent loud:
        better too loud than lost.
        """
        if row.kind != outbox.SHARED and row.kind not in ALERTS:
            return AS_IT_COMES
        known = await self._known(row)
        try:
            if row.kind == outbox.SHARED:
                return self._of_shared(row, known)
            alert = alert_from_json(row.kind, row.payload)
        except ValueError:
            return AS_IT_COMES
        return self._of_own(alert, known)

    def _of_own(self, alert: Alert, known: _Known) -> Delivery:
        settings, traits = known.settings, alert.traits
        if isinstance(alert, _OF_OWN_ACCOUNT) and known.share is not None:
            return Delivery(DeliveryMode.OFF, why=outbox.ASIDE)
        if settings is None:
            return AS_IT_COMES
        mode = delivery_mode(traits, settings, now=self.clock.now())
        if mode is DeliveryMode.OFF:
            return Delivery(mode, why=_why(traits, settings))
        return Delivery(
            mode,
            reply_to=known.reply_to,
            alert=alert,
            picture=wanted_picture(alert, settings),
            time_zone=settings.time_zone,
        )

    def _of_shared(self, row: OutboxRow, known: _Known) -> Delivery:
        """An alert of an account that was shared with the chat when it was written."""
        shared, share = from_json(row.payload, SharedAlert), known.share
        if share is None or share.account_id != shared.account_id:
            return Delivery(DeliveryMode.OFF, why=outbox.NOT_SHARED)
        if self.clock.now() - row.created_at > _SHARED_FOR:
            return Delivery(DeliveryMode.OFF, why=outbox.OLD)
        alert = alert_from_json(shared.kind, shared.facts)
        if not is_heard(alert, share.alerts, role=share.role):
            return Delivery(DeliveryMode.OFF, why=outbox.OFF)
        return Delivery(
            reply_to=known.reply_to, alert=alert, time_zone=share.time_zone, role=share.role
        )

    async def _known(self, row: OutboxRow) -> _Known:
        """Read in one transaction with what is asked for in the same turn of the loop."""
        if self._asked is None:
            self._asked = _Together()
        together = self._asked
        together.rows.append(row)
        async with together.turn:
            if together.known is None:
                await self.clock.sleep(timedelta())  # the others ask
                self._asked = None
                try:
                    together.known = await self._read(together.rows)
                except SQLAlchemyError:
                    raise
                except Exception:
                    # A bug of ours with one of them must not stop the others: each is read alone.
                    logger.exception("alerts not read together")
                    together.known = {}
        return together.known.get(row.id) or (await self._read([row]))[row.id]

    async def _read(self, rows: Collection[OutboxRow]) -> Mapping[int, _Known]:
        chats = {row.chat_id for row in rows}
        async with self.database.reading() as session:
            settings = await alert_preferences.of_chats(session, chats)
            with_shares = any(row.kind in _ABOUT_SHARES for row in rows)
            shared = await shares.of_chats(session, chats if with_shares else ())
            begun = await reply_threads.begun_by(session, rows)
        return {
            row.id: _Known(settings[row.chat_id], shared.get(row.chat_id), begun.get(row.id))
            for row in rows
        }


def _why(traits: AlertTraits, settings: AlertPreferences) -> str:
    off = settings.level(traits.kind) is AlertLevel.OFF
    return outbox.OFF if off else outbox.SMALL
