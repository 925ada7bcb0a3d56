"""The daily digest and the weekly report: each one message, at the time that a chat asked for."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.alerts.alerts import Digest
from engine.domain.alerts.report_alerts import WeeklyFigures, WeeklyReport
from engine.domain.profit.report import ProfitReport
from engine.notifications.publish import publish
from engine.storage.accounts import accounts, alert_preferences, incidents, stored_profit
from engine.storage.accounts import digest as stored_digest
from engine.storage.accounts.alert_preferences import DueDigest, DueWeekly
from engine.storage.row_mapping import columns_of
from engine.storage.service import Service
from engine.storage.trading import orders

_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_A_ROUND = 20


class Digests(Service):
    async def write_due(self) -> None:
        """Each digest and weekly report that is due, once, whichever process is first. Days and
        weeks in which nobody was there to write it are told together.
        """
        for _ in range(_A_ROUND):
            now = self.clock.now()
            async with self.database.reading() as session:
                if not await alert_preferences.has_due(session, now=now):
                    return
            async with self.database.writing() as session:
                if (due := await alert_preferences.claim_due(session, now=now)) is not None:
                    await self._write(session, due)
                elif (weekly := await alert_preferences.claim_weekly(session, now=now)) is None:
                    return
                else:
                    await self._write_weekly(session, weekly)

    async def _write(self, session: AsyncSession, due: DueDigest) -> None:
        now, since = self.clock.now(), due.last_at or due.due - _DAY
        account = await accounts.get(session, due.account_id)
        traded = await stored_digest.trades(
            session, account, since=since, until=now, smallest=due.settings.smallest
        )
        held = await stored_digest.quote_held(session, account)
        trouble = await incidents.get(session, account.id)
        earned = await stored_profit.report(session, account, since=since, until=now)
        digest = Digest(
            dry_run=account.settings.dry_run,
            since=since,
            at=now,
            target=fixed.target if (fixed := account.settings.fixed) else None,
            **columns_of(traded),
            smallest=due.settings.smallest,
            held_before=due.last_quote,
            held=held,
            troubles=await stored_digest.troubles_told(session, account, since=since, until=now),
            trouble=trouble.kind if trouble else None,
            paused=account.stopped,
            key_expires_at=account.key_expires_at,
            made=_storable(earned.made) if earned else None,
            brought=_storable(earned.brought) if earned else None,
            about=bool(earned and earned.doubts),
            worth=_storable(earned.now) if earned and account.settings.fixed is None else None,
        )
        key = f"digest:{account.id}:{due.due.isoformat()}"
        await publish(session, account.chat_id, digest, key=key, now=now)
        await alert_preferences.digest_written(session, account.id, at=now, quote=held)

    async def _write_weekly(self, session: AsyncSession, due: DueWeekly) -> None:
        """Of 7 days, whenever it was chosen, or of all since the last one."""
        now = self.clock.now()
        since = min(now - _WEEK, due.last_at or now)
        account = await accounts.get(session, due.account_id)
        found = await stored_profit.report(session, account, since=since, until=now)
        trouble = await incidents.get(session, account.id)
        unresolved = await orders.unresolved_of(session, [account.id])
        report = WeeklyReport(
            dry_run=account.settings.dry_run,
            since=found.since if found else since,
            at=now,
            trading=account.can_trade and not (account.stopped or trouble or unresolved),
            next_at=due.next_at,
            figures=_figures(found) if found else None,
        )
        key = f"weekly:{account.id}:{due.due.isoformat()}"
        await publish(session, account.chat_id, report, key=key, now=now)


def _figures(report: ProfitReport) -> WeeklyFigures:
    return WeeklyFigures(
        start=_storable(report.start),
        now=_storable(report.now),
        deposits=_storable(report.deposits),
        made=_storable(report.made),
        held_made=_storable(report.held_made),
        brought=_storable(report.brought),
        fees=_storable(report.fees),
        trades=report.count,
        returned=None if report.returned is None else _storable(report.returned),
        held_returned=None if report.held_returned is None else _storable(report.held_returned),
        about=bool(report.doubts),
    )


def _storable(amount: Decimal) -> Decimal:
    """A profit is reckoned with more digits than a stored number may have."""
    return Decimal(f"{amount:.8f}")
