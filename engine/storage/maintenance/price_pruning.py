"""Deletes hourly prices that no account's history can need any more.

A history begins with the account's first record, and needs the prices of every pair and fee in it.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from engine.domain.market.candles import HOUR, whole_hour
from engine.domain.market.pairs import USDT, Asset, Symbol, symbol_of
from engine.storage.models.accounts import AccountRow, AuditRow
from engine.storage.models.trading import (
    BalanceChangeRow,
    BalanceRow,
    CandleRangeRow,
    CandleRow,
    OrderRow,
)
from engine.storage.statements import delete, update
from engine.storage.trading.token_stays import TOKENS_CHANGED, tokens_named
from engine.storage.trading.value_events import FEES_NAMED, fee_assets

# The price of a moment may be one of long before.
_ROOM = timedelta(days=1)
# A request that was claimed lately may still store what it reads.
_LEASE = timedelta(minutes=2)


async def unneeded(session: AsyncSession, *, before: datetime) -> Mapping[Symbol, datetime]:
    """Returns the pairs with hours that nobody needs, and until when; none from *before* on."""
    stored = await session.execute(
        select(CandleRangeRow.symbol, CandleRangeRow.since).where(CandleRangeRow.since < before)
    )
    ranges = {Symbol(symbol): since for symbol, since in stored}
    if not ranges:
        return {}
    needed = await _needed(session)
    ends = {
        symbol: whole_hour(min(before, needed[symbol] - _ROOM) if symbol in needed else before)
        for symbol in ranges
    }
    return {symbol: end for symbol, end in ends.items() if ranges[symbol] < end}


async def prune(
    session: AsyncSession, symbol: Symbol, *, end: datetime, now: datetime, most: int
) -> int:
    """Delete up to *most* prices of hours before *end*, the oldest first; returns how many rows."""
    known = await session.execute(
        select(CandleRangeRow.until)
        .where(CandleRangeRow.symbol == symbol, CandleRangeRow.asked_at <= now - _LEASE)
        .with_for_update()
    )
    if (until := known.scalar_one_or_none()) is None:
        return 0
    oldest = (
        select(CandleRow.at)
        .where(CandleRow.symbol == symbol, CandleRow.at < end)
        .order_by(CandleRow.at)
        .limit(most)
    )
    deleted = await session.scalars(
        delete(CandleRow)
        .where(CandleRow.symbol == symbol, CandleRow.at.in_(oldest))
        .returning(CandleRow.at)
    )
    hours = deleted.all()
    this = CandleRangeRow.symbol == symbol
    # What is gone may be asked for again, should somebody need it after all.
    since = max(hours) + HOUR if len(hours) == most else end
    if since < until:
        await session.execute(update(CandleRangeRow).where(this).values(since=since))
        return len(hours)
    await session.execute(delete(CandleRangeRow).where(this))
    return len(hours) + 1


async def _needed(session: AsyncSession) -> Mapping[Symbol, datetime]:
    """Since when somebody's history has each pair."""
    records = [
        select(func.min(at)).where(account_id == AccountRow.id).scalar_subquery()
        for at, account_id in (
            (OrderRow.created_at, OrderRow.account_id),
            (BalanceChangeRow.at, BalanceChangeRow.account_id),
            (BalanceRow.at, BalanceRow.account_id),
        )
    ]
    begun: dict[int, datetime] = {}
    of_chats: defaultdict[int, list[int]] = defaultdict(list)
    pairs: set[tuple[int, str]] = set()
    for account_id, chat_id, symbol, *times in await session.execute(
        select(AccountRow.id, AccountRow.chat_id, AccountRow.symbol, *records)
    ):
        of_chats[chat_id].append(account_id)
        if (first := min((at for at in times if at is not None), default=None)) is not None:
            begun[account_id] = first
            pairs.add((account_id, symbol))
    for account_id, symbol, fees in await session.execute(
        select(OrderRow.account_id, OrderRow.symbol, FEES_NAMED).distinct()
    ):
        pairs |= {
            (account_id, symbol),
            *((account_id, symbol_of(one)) for one in fee_assets(fees)),
        }
    for account_id, asset in await session.execute(
        select(BalanceChangeRow.account_id, BalanceChangeRow.asset).distinct()
    ):
        if asset != USDT:
            pairs.add((account_id, symbol_of(Asset(asset))))
    for chat_id, subject, detail in await session.execute(
        select(AuditRow.chat_id, AuditRow.subject, AuditRow.detail).where(*TOKENS_CHANGED)
    ):
        tokens = {one for text in detail.split(" -> ") for one in tokens_named(subject, text)}
        pairs |= {(one, symbol_of(asset)) for one in of_chats[chat_id] for asset in tokens}
    needed: dict[Symbol, datetime] = {}
    for account_id, name in pairs:
        if (since := begun.get(account_id)) is not None:  # else it began just now
            symbol = Symbol(name)
            needed[symbol] = min(needed.get(symbol, since), since)
    return needed
