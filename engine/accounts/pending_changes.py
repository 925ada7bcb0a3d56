"""Changes that wait for a confirmation, and undoing one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.accounts import key_sharing
from engine.accounts.account_service import Change
from engine.accounts.order_in_the_way import refuse_unresolved
from engine.accounts.trading_mode import start_over
from engine.domain.accounts.account import Account
from engine.domain.accounts.audit import changes
from engine.domain.accounts.confirmation import Refusal
from engine.domain.accounts.settings import TradingMode
from engine.domain.accounts.settings_change import SettingsPatch
from engine.domain.rebalancing.pending_change import PendingChange
from engine.notifications.changes import tell_others
from engine.storage.accounts import accounts, audit
from engine.storage.chat import confirmations
from engine.storage.serialization import from_json
from engine.storage.service import Service
from engine.storage.trading import run_requests


@dataclass(frozen=True, slots=True)
class StaleChange:
    """Nothing was changed: *account* is not any more as it was when the change was proposed."""

    account: Account


class PendingChanges(Service):
    async def carry_out(
        self, confirmation_id: str, *, chat_id: int, user_id: int, action: str
    ) -> Change | StaleChange | Refusal:
        """A tap on the button of a Proposal: use it up and do what it says, in one step.

        *action* is what the audit trail calls it. Raises OrderUnresolved where an order needs the
        pair or the kind of money as it is; then the button is not used up.
        """
        now = self.clock.now()
        async with self.database.writing() as session:
            taken = await confirmations.take(
                session, confirmation_id, chat_id=chat_id, user_id=user_id, now=now
            )
            if isinstance(taken, Refusal):
                return taken
            proposal = from_json(taken.payload, PendingChange)
            current = await _settled(session, chat_id, proposal.wanted)
            if not proposal.holds(current):
                return StaleChange(current)
            after = await _apply(session, current, proposal.wanted, now=now)
            detail = ", ".join(
                f"{change.setting} {change.detail}" for change in changes(current, after)
            )
            await audit.record(
                session, current.chat_id, user_id, action, detail, subject=current.uuid, at=now
            )
            await tell_others(session, current, after, user_id=user_id, now=now)
        return Change(current, after)

    async def start(
        self, confirmation_id: str, *, chat_id: int, user_id: int, asking: bool
    ) -> Change | StaleChange | Refusal:
        """A tap on "Start": use it up and resume, in one step; *asking*: in the mode that asks.

        Raises AccountElsewhere as `AccountService.resume`; then the button is not used up.
        """
        now = self.clock.now()
        async with self.database.writing() as session:
            taken = await confirmations.take(
                session, confirmation_id, chat_id=chat_id, user_id=user_id, now=now
            )
            if isinstance(taken, Refusal):
                return taken
            proposal = from_json(taken.payload, PendingChange)
            account = await _of(session, chat_id)
            await key_sharing.refuse_resume(session, account)
            current = await accounts.locked(session, account.id)
            if not proposal.holds(current):
                return StaleChange(current)
            mode = TradingMode.ASK if asking else current.settings.autonomy
            if asking:
                await start_over(session, current.id, mode, now=now)
            after = await accounts.change(session, current, paused=False, autonomy=mode)
            await audit.add_changes(session, current, after, at=now, user_id=user_id)
            await tell_others(session, current, after, user_id=user_id, now=now)
        return Change(current, after)


async def _settled(session: AsyncSession, chat_id: int, wanted: SettingsPatch) -> Account:
    """Returns the account, locked until the transaction ends."""
    account = await _of(session, chat_id)
    if wanted.symbol is not None or wanted.dry_run is not None:
        await refuse_unresolved(session, account.id)
    return await accounts.locked(session, account.id)


async def _of(session: AsyncSession, chat_id: int) -> Account:
    account = await accounts.acting_for(session, chat_id)
    if account is None:
        raise LookupError(f"chat {chat_id} has no account")
    return account


async def _apply(
    session: AsyncSession, current: Account, wanted: SettingsPatch, *, now: datetime
) -> Account:
    if wanted.symbol is not None or wanted.dry_run is not None:
        await run_requests.drop(session, current.id)
    if wanted.autonomy is not None:
        await start_over(session, current.id, wanted.autonomy, now=now)
    after = await accounts.change(session, current, **wanted.for_settings())
    if wanted.limits is not None and wanted.limits != after.limits:
        after = await accounts.set_limits(session, after, wanted.limits)
    return after
