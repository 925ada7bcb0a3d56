"""Use cases of the trading mode: choose it, and postpone an offer."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.accounts.account_service import Change
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Refusal
from engine.domain.accounts.deposits import DepositChoice
from engine.domain.accounts.settings import TradingMode
from engine.domain.orders.order import AccountId
from engine.domain.rebalancing.approval import QUIET, ApprovalState
from engine.storage.accounts import accounts, audience, audit
from engine.storage.chat import confirmations
from engine.storage.coordination import leases
from engine.storage.service import Service
from engine.storage.trading import approvals, orders


async def start_over(
    session: AsyncSession, account_id: AccountId, autonomy: TradingMode, *, now: datetime
) -> None:
    """Reset what was skipped or postponed under another mode, and withdraw its open offer.
    A deposit that waits for the answer that the other mode needs is traded under *autonomy*.
    """
    account = await accounts.get(session, account_id)
    at_once = account.settings.deposits.choice is DepositChoice.NOW
    if account.waiting is not None and at_once and autonomy is TradingMode.AUTO:
        await accounts.wait_with(session, account, None)
    await audience.ask_not_before(session, account_id, None)
    offer = await approvals.last(session, account_id)
    if offer is not None:
        await confirmations.call_off(session, offer.id, now=now)
        await approvals.forget(session, account_id)


class TradingModes(Service):
    async def change(self, account: Account, autonomy: TradingMode, *, user_id: int) -> Change:
        """Set the mode: after this returns, no order leaves that it would not send.
        Except one under way. Choosing the same mode again forgets what was skipped or postponed.
        """
        now = self.clock.now()
        async with self.database.writing() as session:
            before = await accounts.get(session, account.id)
            after = await accounts.change(session, before, autonomy=autonomy)
            await start_over(session, account.id, autonomy, now=now)
            after = await accounts.get(session, account.id)
            unresolved = await orders.unresolved_of(session, [account.id])
            if before != after:
                detail = f"{before.settings.autonomy.value} -> {autonomy.value}"
                await audit.record(
                    session, account.chat_id, user_id, "mode", detail, subject=account.uuid, at=now
                )
            await leases.wake(session, account.id)
        return Change(before, after, unresolved.get(account.id))

    async def skip(
        self, offer_id: str, account: Account, *, user_id: int, everything: bool = False
    ) -> Refusal | None:
        """Skip a drift: it is not offered again for an hour; with *everything* nothing is."""
        now = self.clock.now()
        async with self.database.writing() as session:
            taken = await confirmations.take(
                session, offer_id, chat_id=account.chat_id, user_id=user_id, now=now
            )
            if isinstance(taken, Refusal):
                return taken
            await approvals.answered(session, account.id, offer_id, ApprovalState.SKIPPED, now)
            if everything:
                await audience.ask_not_before(session, account.id, now + QUIET)
            detail = "no offers for an hour" if everything else "skipped"
            await audit.record(
                session, account.chat_id, user_id, "offer", detail, subject=account.uuid, at=now
            )
        return None
