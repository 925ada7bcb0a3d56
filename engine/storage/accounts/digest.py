"""Queries of a digest's contents."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.accounts.account import Account
from engine.domain.alerts.alerts import IncidentAlert
from engine.domain.market.decimals import ZERO, decimal_from_text
from engine.domain.market.pairs import USDT, Asset, Side
from engine.storage.models.queues import OutboxRow
from engine.storage.models.trading import BalanceRow, OrderRow
from engine.storage.statements import count_rows
from engine.storage.trading import orders


@dataclass(frozen=True, slots=True)
class DigestTrades:
    """*bought* and *sold* are USDT before fees; *small* were worth less than the asked size."""

    trades: int
    bought: Decimal
    sold: Decimal
    fees: Mapping[Asset, Decimal]
    fees_complete: bool
    small: int


async def trades(
    session: AsyncSession, account: Account, *, since: datetime, until: datetime, smallest: Decimal
) -> DigestTrades:
    """Returns trades of the account's kind of money from *since* to before *until*.
    What falls on the very moment of a digest is left to the next one.
    """
    found = await session.execute(
        select(
            OrderRow.side, OrderRow.executed_quote, OrderRow.fees, OrderRow.fees_complete
        ).where(
            OrderRow.account_id == account.id,
            OrderRow.dry_run.is_(account.settings.dry_run),
            OrderRow.resolved_at >= since,
            OrderRow.resolved_at < until,
            orders.IS_TRADE,
        )
    )
    rows = found.all()
    return DigestTrades(
        trades=len(rows),
        bought=sum((row.executed_quote for row in rows if row.side is Side.BUY), ZERO),
        sold=sum((row.executed_quote for row in rows if row.side is Side.SELL), ZERO),
        fees=_added([row.fees for row in rows if row.fees is not None]),
        fees_complete=all(row.fees is not None and row.fees_complete for row in rows),
        small=sum(row.executed_quote < smallest for row in rows),
    )


async def troubles_told(
    session: AsyncSession, account: Account, *, since: datetime, until: datetime
) -> int:
    """Returns how many incident messages the chat got."""
    return await count_rows(
        session,
        OutboxRow.chat_id == account.chat_id,
        OutboxRow.kind == IncidentAlert.stored_as,
        OutboxRow.created_at >= since,
        OutboxRow.created_at < until,
    )


async def quote_held(session: AsyncSession, account: Account) -> Decimal | None:
    """The USDT that the account was last seen to hold, by a check or after a fill."""
    dry_run = account.settings.dry_run
    seen = await session.get(BalanceRow, (account.id, dry_run, USDT))
    fills = await orders.last_fills_of(session, [account.id])
    last = fills.get((account.id, dry_run))
    if last is not None and (seen is None or seen.at <= last.created_at):
        return last.quote_after
    return seen.amount if seen else None


def _added(fees: Sequence[str]) -> Mapping[Asset, Decimal]:
    total: dict[Asset, Decimal] = {}
    for text in fees:
        for asset, amount in json.loads(text).items():
            total[Asset(asset)] = total.get(Asset(asset), ZERO) + decimal_from_text(amount)
    return total
