"""Ends pauses with an end: trading starts again by itself, or the user is asked."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from engine.accounts import key_sharing
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import TradingMode
from engine.domain.accounts.timed_pause import PATIENCE, TimedPause, next_question
from engine.domain.alerts.pause_alerts import PauseEnded, ResumeAsked
from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.trade_size import is_big, moved, worth_of
from engine.errors import AccountElsewhere
from engine.notifications.publish import publish
from engine.rebalancing.preview import Foreseen
from engine.storage.accounts import accounts, audit, timed_pauses
from engine.storage.chat import undeliverable
from engine.storage.service import Service

# A process that dies while it works on a pause leaves it to the others after this.
_CLAIMED_FOR = timedelta(minutes=1)
_A_ROUND = 2

logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True, repr=False)
class TimedPauses(Service):
    """*foresee* returns what the account's next check would do; None if that cannot be read."""

    foresee: Callable[[Account], Awaitable[Foreseen | None]]

    async def round(self) -> None:
        """Work on a few pauses that are over; each is claimed by one process."""
        now = self.clock.now()
        async with self.database.reading() as session:
            if not await timed_pauses.any_due(session, now=now):
                return
        async with self.database.writing() as session:
            claimed = await timed_pauses.claim(
                session, now=now, until=now + _CLAIMED_FOR, most=_A_ROUND
            )
        for account_id, pause in claimed.items():
            await self._end(account_id, pause)

    async def _end(self, account_id: AccountId, pause: TimedPause) -> None:
        async with self.database.reading() as session:
            account = await accounts.get(session, account_id)
        if account.halted:
            return  # looked at again in a minute, and after the halt asked about: it is a change
        foreseen = await self.foresee(account)
        if foreseen is None and self.clock.now() < pause.ends_at + PATIENCE:
            return
        try:
            async with self.database.writing() as session:
                await self._decide(session, account, pause, foreseen)
        except AccountElsewhere:
            async with self.database.writing() as session:
                if await self._is_still(session, account, pause):
                    await self._ask(session, account, pause, foreseen)

    async def _decide(
        self, session: AsyncSession, account: Account, pause: TimedPause, foreseen: Foreseen | None
    ) -> None:
        is_untouched = pause.asked == 0 and account.version == pause.version
        alone = is_untouched and starts_small(account, foreseen)
        if alone:
            # The lock of the account at the exchange comes first.
            await key_sharing.refuse_resume(session, account)
        if not await self._is_still(session, account, pause):
            return
        cut_off = await undeliverable.get(session, account.chat_id) is not None
        if not alone or cut_off or await accounts.has_unresolved(session, account.id):
            await self._ask(session, account, pause, foreseen)
            return
        now = self.clock.now()
        order = foreseen.plan.order if foreseen and foreseen.reason is None else None
        after = await accounts.change(session, account, paused=False)
        await audit.add_changes(session, account, after, at=now, user_id=pause.user_id)
        alert = PauseEnded(
            dry_run=account.settings.dry_run,
            symbol=account.settings.symbol,
            side=order.side if order else None,
            expected_quote=order.expected_quote if order else None,
        )
        key = f"pause_ended:{account.id}:{after.version}"
        await publish(session, account.chat_id, alert, key=key, now=now)
        logger.info("pause ended", extra={"account": account.id})

    async def _is_still(self, session: AsyncSession, account: Account, pause: TimedPause) -> bool:
        """True if no user, and no other process, did anything since; the account is locked then."""
        current = await accounts.locked(session, account.id)
        return (
            current.version == account.version
            and current.settings.paused
            and await timed_pauses.get(session, account.id) == pause
        )

    async def _ask(
        self, session: AsyncSession, account: Account, pause: TimedPause, foreseen: Foreseen | None
    ) -> None:
        """Trading stays paused."""
        now, asked = self.clock.now(), pause.asked + 1
        order = foreseen.plan.order if foreseen else None
        again_at = next_question(asked, now=now)
        alert = ResumeAsked(
            dry_run=account.settings.dry_run,
            symbol=account.settings.symbol,
            side=order.side if order else None,
            expected_quote=order.expected_quote if order else None,
            changed=account.version != pause.version,
            again_at=again_at,
        )
        key = f"resume_asked:{account.id}:{pause.ends_at.isoformat()}:{asked}"
        await publish(session, account.chat_id, alert, key=key, now=now)
        if again_at is None:
            await timed_pauses.forget(session, account.id)
        else:
            await timed_pauses.put(
                session, account.id, replace(pause, asked=asked, due_at=again_at)
            )
        logger.info("resume asked about", extra={"account": account.id})


def starts_small(account: Account, foreseen: Foreseen | None) -> bool:
    """True if what trading begins with needs no confirmation: it is small, on paper, or offered."""
    settings = account.settings
    if settings.dry_run or settings.autonomy is not TradingMode.AUTO:
        return True
    if foreseen is None or settings.fixed is None:
        return False
    return not is_big(
        moved(foreseen.plan, target=settings.fixed.target), worth=worth_of(foreseen.seen)
    )
