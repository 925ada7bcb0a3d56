"""Ensures that one chat trades an exchange account: two would undo each other's trades.

Every function works inside the caller's transaction. The lock of an account at the exchange comes
before those of our accounts, so that no two transactions wait for each other.
"""

import hashlib
import logging
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.alerts.key_alerts import MoneyShared
from engine.domain.orders.order import AccountId
from engine.errors import AccountElsewhere
from engine.notifications.publish import publish
from engine.storage.accounts import accounts, exchange_accounts
from engine.storage.trading import run_requests

logger = logging.getLogger(__name__)


def account_print(number: str) -> str:
    """Returns the stored hash of an exchange account's number."""
    return hashlib.sha256(f"mexc account {number}".encode()).hexdigest()


async def refuse_second(session: AsyncSession, account: Account, *, number: str | None) -> None:
    """Before *account* gets a key of the account with *number*; None: that is not known.

    Raises AccountElsewhere if another chat has a key of it.
    """
    if number is None:
        return
    same = account_print(number)
    await exchange_accounts.lock(session, same)
    holders = await exchange_accounts.holders(session, same)
    if any(holder.id != account.id for holder in holders):
        raise AccountElsewhere("another chat trades this account")


async def connected(
    session: AsyncSession, *, key_print: str, number: str | None, now: datetime
) -> None:
    """Record a stored key; where *number* is None, the daily key inspection reads it."""
    if number is not None:
        await exchange_accounts.learn(
            session, key_print=key_print, account_print=account_print(number), connected_at=now
        )


async def refuse_resume(session: AsyncSession, account: Account) -> None:
    """Raises AccountElsewhere where another chat trades the same money, or connected it earlier."""
    same = await exchange_accounts.print_of(session, account)
    if account.settings.dry_run or same is None:
        return
    await exchange_accounts.lock(session, same)
    is_earlier = True
    for holder in await exchange_accounts.holders(session, same):
        if holder.id == account.id:
            is_earlier = False
        elif not holder.dry_run and (is_earlier or not holder.paused):
            raise AccountElsewhere("another chat trades this account")


async def found(session: AsyncSession, account: Account, *, number: str, now: datetime) -> None:
    """Record the exchange account of a key; the chat that connected it second is paused."""
    key_print = await exchange_accounts.key_print(session, account)
    if key_print is None:
        return  # another key by now, which was asked about when it came
    same = account_print(number)
    await exchange_accounts.lock(session, same)
    await exchange_accounts.learn(
        session,
        key_print=key_print,
        account_print=same,
        connected_at=await exchange_accounts.connected_at(session, account),
    )
    holders = await exchange_accounts.holders(session, same)
    for later in [holder for holder in holders if not holder.dry_run][1:]:
        await _stop(session, later.id, now=now)


async def _stop(session: AsyncSession, account_id: AccountId, *, now: datetime) -> None:
    before, stopped = await pause(session, account_id)
    logger.warning("account traded by another chat", extra={"account": account_id})
    alert = MoneyShared(dry_run=before.settings.dry_run, key_tail=before.key_tail or "")
    key = f"shared:{account_id}:{before.version if stopped else 0}"
    await publish(session, before.chat_id, alert, key=key, now=now)


async def pause(session: AsyncSession, account_id: AccountId) -> tuple[Account, bool]:
    """Pause trading, with the run that was confirmed; the account before, and whether it traded.

    A pause that would have been lifted by itself stays from now on.
    """
    before = await accounts.get(session, account_id)
    if before.settings.paused:
        await accounts.unmark_pause(session, account_id)
        return before, False
    await accounts.change(session, before, paused=True)
    await run_requests.drop(session, account_id)
    return before, True
