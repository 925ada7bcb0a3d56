"""Draws the picture of a report when it is sent; without one its words are sent alone."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.views.chart import value_svg
from bot.views.charts.theme import Theme
from bot.views.components.times import times_in
from engine.domain.alerts.alerts import Alert, Digest
from engine.domain.alerts.preferences import AlertPreferences
from engine.domain.alerts.report_alerts import WeeklyReport
from engine.storage.accounts import accounts, stored_profit
from engine.storage.queues.claims import ClaimLost
from engine.storage.service import Service

_PATIENCE_S = 5
# The picture is of now, the words of when the report was written.
_SAME_FOR = timedelta(hours=1)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WantedPicture:
    """What *report* is to be drawn of, by the settings of its chat when it is sent."""

    report: Digest | WeeklyReport
    settings: AlertPreferences


def wanted_picture(alert: Alert, settings: AlertPreferences) -> WantedPicture | None:
    match alert:
        case Digest() if settings.digest_picture:
            return WantedPicture(alert, settings)
        case WeeklyReport() if settings.weekly_picture:
            return WantedPicture(alert, settings)
        case _:
            return None


@dataclass(eq=False, kw_only=True, repr=False)
class AlertPictures(Service):
    """*draw* returns None where it cannot."""

    draw: Callable[[str], Awaitable[bytes | None]]

    async def of(self, chat_id: int, wanted: WantedPicture) -> bytes | None:
        """Returns the account's value over the time of the report, as PNG; None where there is
        nothing to draw, or no picture within 5 s.
        """
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._drawn(chat_id, wanted)
        except ClaimLost:
            raise
        except TimeoutError:
            logger.warning("report without picture", extra={"chat_id": chat_id})
            return None
        except Exception:
            # The words of the report must not be lost with its picture.
            logger.exception("report without picture", extra={"chat_id": chat_id})
            return None

    async def _drawn(self, chat_id: int, wanted: WantedPicture) -> bytes | None:
        now, report = self.clock.now(), wanted.report
        async with self.database.reading() as session:
            account = await accounts.of_chat(session, chat_id)
            if account is None or account.settings.dry_run != report.dry_run:
                return None
            if now - report.at > _SAME_FOR:
                return None
            profit = await stored_profit.report(session, account, since=report.since, until=now)
        if profit is None:
            return None
        theme = Theme.LIGHT if wanted.settings.light_pictures else Theme.DARK
        with times_in(wanted.settings.time_zone):
            svg = await asyncio.to_thread(value_svg, account=account, report=profit, theme=theme)
        return await self.draw(svg)
