"""Queries of hourly closes, one row for all accounts of a pair."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import BigInteger, Text, and_, func, literal, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import from_millis
from engine.domain.market.candles import HourlyClose
from engine.domain.market.pairs import USDT, Symbol
from engine.domain.profit.entries import PriceLine
from engine.storage.column_types import Moment
from engine.storage.models.accounts import AccountRow
from engine.storage.models.trading import (
    BalanceChangeRow,
    BalanceRow,
    CandleRangeRow,
    CandleRow,
    OrderRow,
)
from engine.storage.statements import insert_into, update

CAN_TRADE = or_(AccountRow.dry_run, AccountRow.sealed_key.is_not(None))
IS_HELD = BalanceRow.account_id == AccountRow.id, BalanceRow.dry_run == AccountRow.dry_run


async def is_due(
    session: AsyncSession,
    symbol: Symbol,
    *,
    since: datetime,
    until: datetime,
    asked_before: datetime,
) -> bool:
    """True if hours from *since* to *until* were not asked for, and may be now."""
    row = await session.get(CandleRangeRow, symbol)
    if row is None:
        return True
    is_short = row.until < until or row.since > since or row.since == row.until
    return row.asked_at <= asked_before and is_short


async def claim(
    session: AsyncSession, symbol: Symbol, *, newest: datetime, now: datetime, lease: timedelta
) -> tuple[datetime, datetime] | None:
    """Claim the pair's next request for *lease*; returns the hours asked for so far, up to *newest*
    where there are none. None where another process has it, or a request that failed is too recent.
    """
    long_ago = now - lease
    await session.execute(
        insert_into(session, CandleRangeRow)
        .values(symbol=symbol, since=newest, until=newest, asked_at=long_ago)
        .on_conflict_do_nothing(index_elements=["symbol"])
    )
    claimed = await session.execute(
        update(CandleRangeRow)
        .where(CandleRangeRow.symbol == symbol, CandleRangeRow.asked_at <= long_ago)
        .values(asked_at=now)
        .returning(CandleRangeRow.since, CandleRangeRow.until)
    )
    row = claimed.one_or_none()
    return None if row is None else (row.since, row.until)


async def store(
    session: AsyncSession,
    symbol: Symbol,
    closes: Sequence[HourlyClose],
    *,
    since: datetime,
    until: datetime,
    asked_at: datetime,
) -> None:
    """Store *closes*; all hours from *since* to *until* were asked for now."""
    if closes:
        await session.execute(
            insert_into(session, CandleRow).on_conflict_do_nothing(
                index_elements=["symbol", "at"]
            ),
            [{"symbol": symbol, "at": one.at, "close": one.price} for one in closes],
        )
    await session.execute(
        update(CandleRangeRow)
        .where(CandleRangeRow.symbol == symbol)
        .values(since=since, until=until, asked_at=asked_at)
    )


async def postpone(session: AsyncSession, symbol: Symbol, *, asked_at: datetime) -> None:
    """The request failed: the next one counts from *asked_at*."""
    await session.execute(
        update(CandleRangeRow).where(CandleRangeRow.symbol == symbol).values(asked_at=asked_at)
    )


async def prices(
    session: AsyncSession, symbol: Symbol, *, since: datetime, until: datetime
) -> PriceLine:
    """Returns the closes from *since* to *until*, and the last one before."""
    before = (
        select(func.max(CandleRow.at))
        .where(CandleRow.symbol == symbol, CandleRow.at <= since)
        .scalar_subquery()
    )
    found = await session.execute(
        select(type_coerce(CandleRow.at, BigInteger), type_coerce(CandleRow.close, Text))
        .where(
            CandleRow.symbol == symbol,
            CandleRow.at >= func.coalesce(before, literal(since, Moment)),
            CandleRow.at <= until,
        )
        .order_by(CandleRow.at)
    )
    times, closes = [], []
    for millis, close in found:
        times.append(from_millis(millis))
        closes.append(Decimal(close))
    return PriceLine(times, closes)


async def pairs_traded(session: AsyncSession) -> Mapping[Symbol, datetime | None]:
    """Returns each pair in use, and when an account that trades it now first recorded anything."""
    records = [
        select(func.min(at)).where(account_id == AccountRow.id).correlate(AccountRow)
        for at, account_id in (
            (OrderRow.created_at, OrderRow.account_id),
            (BalanceChangeRow.at, BalanceChangeRow.account_id),
        )
    ]
    firsts = [func.min(first.scalar_subquery()) for first in records]
    of_pairs = select(AccountRow.symbol, *firsts).where(CAN_TRADE).group_by(AccountRow.symbol)
    # Several tokens are those whose balances were seen.
    of_tokens = (
        select(BalanceRow.asset + USDT, *firsts)
        .join(AccountRow, and_(*IS_HELD))
        .where(CAN_TRADE, BalanceRow.asset != USDT)
        .group_by(BalanceRow.asset)
    )
    found: dict[Symbol, datetime | None] = {}
    for query in (of_pairs, of_tokens):
        for symbol, *times in await session.execute(query):
            known = [at for at in (*times, found.get(Symbol(symbol))) if at is not None]
            found[Symbol(symbol)] = min(known, default=None)
    return found
