"""Queries of which accounts hold keys of the same exchange account, and share its balance."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.orders.order import AccountId
from engine.storage.coordination import key_values
from engine.storage.models.accounts import AccountRow, AuditRow, ExchangeAccountRow
from engine.storage.statements import delete

_LOCK = "exchange_account:{}"


@dataclass(frozen=True, slots=True)
class Holder:
    """An account of ours with a key of that account at the exchange, connected at that time."""

    id: AccountId
    connected_at: datetime
    dry_run: bool
    paused: bool


async def key_print(session: AsyncSession, account: Account) -> str | None:
    """None if the account has another key by now, or none."""
    query = select(AccountRow.key_print).where(
        AccountRow.id == account.id, AccountRow.sealed_key == account.sealed_key
    )
    return await session.scalar(query)


async def lock(session: AsyncSession, account_print: str) -> None:
    """Lock an exchange account: no other transaction reads or changes its keys meanwhile."""
    await key_values.locked(session, _LOCK.format(account_print))


async def learn(
    session: AsyncSession, *, key_print: str, account_print: str, connected_at: datetime
) -> None:
    """Twice is once; keys that no account has any more are forgotten meanwhile."""
    kept = select(AccountRow.key_print).where(AccountRow.key_print.is_not(None))
    await session.execute(
        delete(ExchangeAccountRow).where(
            ExchangeAccountRow.account_print == account_print,
            ExchangeAccountRow.key_print.not_in(kept),
        )
    )
    await session.merge(
        ExchangeAccountRow(
            key_print=key_print, account_print=account_print, connected_at=connected_at
        )
    )


async def holders(session: AsyncSession, account_print: str) -> list[Holder]:
    """Returns the accounts with a key of one exchange account, the first connected first."""
    query = (
        select(
            AccountRow.id, ExchangeAccountRow.connected_at, AccountRow.dry_run, AccountRow.paused
        )
        .join(ExchangeAccountRow, ExchangeAccountRow.key_print == AccountRow.key_print)
        .where(ExchangeAccountRow.account_print == account_print)
        .order_by(ExchangeAccountRow.connected_at, AccountRow.id)
    )
    return [
        Holder(AccountId(id_), at, dry_run=dry_run, paused=paused)
        for id_, at, dry_run, paused in await session.execute(query)
    ]


async def print_of(session: AsyncSession, account: Account) -> str | None:
    """The account at the exchange that the account's key belongs to, where that is known."""
    query = (
        select(ExchangeAccountRow.account_print)
        .join(AccountRow, AccountRow.key_print == ExchangeAccountRow.key_print)
        .where(AccountRow.id == account.id)
    )
    return await session.scalar(query)


async def connected_at(session: AsyncSession, account: Account) -> datetime:
    """Returns when the account's key was connected, according to the audit."""
    connected = select(func.max(AuditRow.at)).where(
        AuditRow.chat_id == account.chat_id,
        AuditRow.action == "key",
        AuditRow.detail.not_like("% -> none"),
    )
    found = await session.scalar(connected)
    if found is not None:
        return found
    return (await session.get_one(AccountRow, account.id)).created_at
