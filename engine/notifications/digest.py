"""The daily digest: what came of a day, in one message, at the time of day a chat has asked for."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.alerts.alerts import Digest
from engine.notifications.publish import publish
from engine.storage.accounts import accounts, alert_preferences, incidents
from engine.storage.accounts import digest as stored_digest
from engine.storage.accounts.alert_preferences import DueDigest
from engine.storage.row_mapping import columns_of
from engine.storage.service import Service
from engine.storage.trading import stored_profit

_DAY = timedelta(days=1)
_A_ROUND = 20


class Digests(Service):
    async def write_due(self) -> None:
        """Each digest that is due, once, whichever process is first. Days on which nobody was
        there to write it are told together.
        """
        for _ in range(_A_ROUND):
            now = self.clock.now()
            async with self.database.reading() as session:
                if not await alert_preferences.has_due(session, now=now):
                    return
            async with self.database.writing() as session:
                due = await alert_preferences.claim_due(session, now=now)
                if due is None:
                    return
                await self._write(session, due)

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
            target=account.settings.target,
            **columns_of(traded),
            smallest=due.settings.smallest,
            held_before=due.last_quote,
            held=held,
            troubles=await stored_digest.troubles_told(session, account, since=since, until=now),
            trouble=trouble.kind if trouble else None,
            paused=account.stopped,
            key_expires_at=account.key_expires_at,
            made=earned.made if earned else None,
            brought=earned.brought if earned else None,
        )
        key = f"digest:{account.id}:{due.due.isoformat()}"
        await publish(session, account.chat_id, digest, key=key, now=now)
        await alert_preferences.digest_written(session, account.id, at=now, quote=held)
