"""Queries of what the ledger of value is made of: trades, balance changes, and what is held now."""

import json
from bisect import bisect_left
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    Select,
    Text,
    and_,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncResult, AsyncSession

from engine.clock import from_millis
from engine.domain.accounts.account import Account
from engine.domain.market.balances import LastSeen
from engine.domain.market.pairs import USDT, Asset, Side, Symbol, base_of, symbol_of
from engine.domain.orders.order import Order
from engine.domain.profit.entries import (
    Change,
    Corrections,
    Doubt,
    Event,
    PairChange,
    Prices,
    Trade,
)
from engine.domain.profit.report import ProfitReport, Reckoning
from engine.domain.profit.steps import Held, booked
from engine.storage.models.trading import BalanceChangeRow, OrderRow
from engine.storage.trading import balance_changes, flow_corrections, orders, token_stays
from engine.storage.trading.token_stays import Stays, changes_of, trades_of

_NO_PRICES = Prices({})
_at = attrgetter("at")
_SIDES = {side.value: side for side in Side}
_json = json.JSONDecoder().raw_decode
FEES_NAMED = func.rtrim(OrderRow.fees, '0123456789.-"} ')
"""The fees of an order as JSON, up to the last of their assets: few differ."""
# Told apart at a glance: to name the fees of 100,000 takes twice as long.
_FEE_IN_USDT = and_(func.substr(OrderRow.fees, 1, 8) == '{"USDT":', OrderRow.fees.not_like("%,%"))
# As nearly all have: {"USDT": "0.01"}.
_IN_USDT, _AMOUNT = '{"USDT": "', slice(10, -2)
# More at once would live long enough for the garbage collector to look at them again and again.
_A_PAGE = 500


@dataclass(frozen=True, slots=True)
class Records:
    """*first* is when the first record of the account was made."""

    first: datetime
    held: Held
    corrections: Corrections


async def records(session: AsyncSession, account: Account) -> Records | None:
    """Returns what is known of the account's kind of money; None where nothing is."""
    known = await _held(session, account)
    if known is None:
        return None
    held, at = known
    firsts = [
        await session.scalar(select(at).where(*where).order_by(at).limit(1))
        for at, where in (
            (OrderRow.created_at, trades_of(account)),
            (BalanceChangeRow.at, changes_of(account)),
        )
    ]
    begun = min((first for first in firsts if first is not None), default=at)
    corrections = await flow_corrections.of(session, account.id, dry_run=account.settings.dry_run)
    return Records(min(begun, at), held, corrections)


async def priced(
    session: AsyncSession, account: Account, held: Held, *, since: datetime
) -> Mapping[Asset, Symbol]:
    """Returns the assets that need a price from *since* on, and the pair that tells it."""
    query = (
        select(OrderRow.symbol, FEES_NAMED)
        .where(or_(OrderRow.symbol != symbol_of(held.base_asset), ~_FEE_IN_USDT))
        .where(*trades_of(account), OrderRow.created_at >= since)
        .distinct()
    )
    changes = await token_stays.changes(session, account, held, since=since)
    assets = {*held.tokens, *(asset for change in changes for asset in change.tokens)}
    moved = select(BalanceChangeRow.asset).where(
        *changes_of(account), BalanceChangeRow.at >= since
    )
    assets |= {Asset(asset) for asset in await session.scalars(moved.distinct())}
    for symbol, fees in await session.execute(query):
        assets |= {base_of(symbol), *fee_assets(fees)}
    return {asset: symbol_of(asset) for asset in sorted(assets - {USDT})}


def fee_assets(named: str | None) -> Iterable[Asset]:
    """Returns the assets of FEES_NAMED."""
    return _json(f'{named}""}}')[0] if named and named != "{" else ()


async def report(
    session: AsyncSession,
    account: Account,
    known: Records,
    *,
    prices: Prices,
    since: datetime,
    until: datetime,
) -> ProfitReport | None:
    """Returns the report of the account's events from *since* on, which are read some at a time;
    what is *known* was read in the same transaction.
    """
    stays = await token_stays.of(session, account, known.held, since=since)
    reckoning = Reckoning(
        now=known.held,
        opening=stays.opening,
        prices=prices,
        since=since,
        until=until,
        corrections=known.corrections,
    )
    async with aclosing(events(session, account, known.held, since=since, stays=stays)) as pages:
        async for page in pages:
            reckoning.take(page)
    found = reckoning.report()
    unclear = (await orders.unresolved_of(session, [account.id])).get(account.id)
    if found is None or unclear is None or unclear.dry_run != account.settings.dry_run:
        return found
    return replace(found, doubts=found.doubts | {Doubt.ORDER_UNCLEAR})


async def events(
    session: AsyncSession,
    account: Account,
    held: Held,
    *,
    since: datetime,
    stays: Stays | None = None,
) -> AsyncGenerator[Sequence[Event]]:
    """Yields trades and changes up to what is *held*, from *since* on, oldest first. Of the same
    moment the change comes first: the trade was planned on what it left. *stays* are read if they
    are not given.
    """
    if stays is None:
        stays = await token_stays.of(session, account, held, since=since)
    queries = (
        select(*_TRADE)
        .where(*trades_of(account), OrderRow.created_at >= since)
        .order_by(OrderRow.created_at, OrderRow.id),
        select(*_CHANGE)
        .where(*changes_of(account), BalanceChangeRow.at >= since)
        .order_by(BalanceChangeRow.at, BalanceChangeRow.id),
    )
    async with AsyncExitStack() as stack:
        trades, changes = [
            await stack.enter_async_context(_streamed(session, query)) for query in queries
        ]
        moves = await stack.enter_async_context(aclosing(_moves(changes, stays.pairs)))
        change = await anext(moves, None)
        async for page in trades.partitions():
            found, begin = _trades(page), 0
            while change is not None and change.at <= found[-1].at:
                end = bisect_left(found, change.at, begin, key=_at)
                yield [*found[begin:end], change]
                begin, change = end, await anext(moves, None)
            yield found[begin:]
        while change is not None:
            yield [change]
            change = await anext(moves, None)


@asynccontextmanager
async def _streamed(
    session: AsyncSession, query: Select[*tuple[Any, ...]]
) -> AsyncGenerator[AsyncResult[*tuple[Any, ...]]]:
    # As rows of the table: of 100,000, the session would take as long again as the database.
    connection = await session.connection()
    rows = await connection.stream(query, execution_options={"yield_per": _A_PAGE})
    try:
        yield rows
    finally:
        await rows.close()


def trade_of(order: Order) -> Trade | None:
    """Returns what the ledger knows of *order*; None where nothing was filled."""
    if not order.execution.base_quantity:
        return None
    return Trade(
        order.client_order_id,
        order.created_at,
        order.symbol,
        order.side,
        order.execution.base_quantity,
        order.execution.quote_amount,
        order.price,
        order.fees.by_asset if order.fees else {},
        order.fees is not None and order.fees.complete,
        order.quote_before,
        order.base_before,
    )


# Read as they are stored: of 100,000 trades, the types' own checks would take longer than the rest.
_ORDERS, _CHANGES = OrderRow.__table__.c, BalanceChangeRow.__table__.c
_TRADE: tuple[Any, ...] = (
    _ORDERS.client_order_id,
    type_coerce(_ORDERS.created_at, BigInteger),
    _ORDERS.symbol,
    *(
        type_coerce(column, Text)
        for column in (
            _ORDERS.side,
            _ORDERS.executed_base,
            _ORDERS.executed_quote,
            _ORDERS.price,
            _ORDERS.quote_before,
            _ORDERS.base_before,
        )
    ),
    _ORDERS.fees,
    type_coerce(_ORDERS.fees_complete, Integer),
)
_CHANGE = [_CHANGES[name] for name in ("at", "asset", "before", "after", "price")]


def _trades(rows: Iterable[Any]) -> Sequence[Trade]:
    """Of rows with the columns above, as quickly as 100,000 of them need it."""
    return [
        Trade._make(
            (
                client_order_id,
                from_millis(created_ms),
                symbol,
                _SIDES[side],
                Decimal(base),
                Decimal(quote),
                None if price is None else Decimal(price),
                _fees(fees) if fees else {},
                fees is not None and bool(fees_complete),
                Decimal(quote_before),
                Decimal(base_before),
            )
        )
        for (
            client_order_id,
            created_ms,
            symbol,
            side,
            base,
            quote,
            price,
            quote_before,
            base_before,
            fees,
            fees_complete,
        ) in rows
    ]


async def _moves(
    changes: AsyncResult[*tuple[Any, ...]], pairs: Sequence[PairChange]
) -> AsyncGenerator[Change | PairChange]:
    waiting = deque(pairs)
    async for row in changes:
        change = Change._make(row)
        while waiting and waiting[0].at < change.at:
            yield waiting.popleft()
        yield change
    for pair in waiting:
        yield pair


def _fees(text: str) -> Mapping[Asset, Decimal]:
    if text.startswith(_IN_USDT):
        try:  # `suppress` would take as long again
            return {USDT: Decimal(text[_AMOUNT])}
        except InvalidOperation:
            pass  # there are more
    return {Asset(asset): Decimal(amount) for asset, amount in _json(text)[0].items()}


async def _held(session: AsyncSession, account: Account) -> tuple[Held, datetime] | None:
    """What the account was last seen to hold, by a check or after a fill, and when. Another pair's,
    where the account has not been looked at since the change.
    """
    key = account.id, account.settings.dry_run
    base = base_of(account.settings.symbol)
    seen = (await balance_changes.last_seen_of(session, [account.id])).get(key)
    last = select(OrderRow).where(*trades_of(account))
    row = await session.scalar(
        last.order_by(OrderRow.created_at.desc(), OrderRow.id.desc()).limit(1)
    )
    fill = orders.intent_of(row) if row else None
    if seen is not None and USDT in seen.amounts and not seen.is_of({USDT, base}):
        return await _held_of_several(session, account, seen, fill)
    if seen is not None and base in seen.amounts and (not fill or fill.created_at < seen.at):
        return Held(base, seen.amounts[USDT], seen.amounts[base]), seen.at
    trade = trade_of(fill) if fill else None
    if fill is None or trade is None:
        return None
    done = booked(trade, _NO_PRICES)
    quote, tokens = fill.quote_after, fill.base_after
    if quote is None or tokens is None:  # the balances were slow to show it
        quote = trade.quote_before + done.quote_change
        tokens = trade.base_before + done.base_change
    if seen is None:  # forgotten with the key: what came and went since is known nevertheless
        later = await session.execute(
            select(BalanceChangeRow.asset, BalanceChangeRow.before, BalanceChangeRow.after).where(
                BalanceChangeRow.account_id == account.id,
                BalanceChangeRow.dry_run.is_(account.settings.dry_run),
                BalanceChangeRow.at > fill.created_at,
            )
        )
        for asset, before, after in later:
            if asset == USDT:
                quote += after - before
            else:
                tokens += after - before
    return Held(base_of(fill.symbol), quote, tokens), fill.created_at


async def _held_of_several(
    session: AsyncSession, account: Account, seen: LastSeen, last: Order | None
) -> tuple[Held, datetime]:
    """What was *seen* last of all that was traded then, and what our fills did since."""
    amounts, at, settings = dict(seen.amounts), seen.at, account.settings
    if last is not None and last.created_at >= seen.at:
        fills = await orders.fills_since(
            session, account.id, since=seen.at, dry_run=settings.dry_run
        )
        for fill in fills:
            trade = trade_of(fill)
            if trade is None:
                continue
            done, base, at = booked(trade, _NO_PRICES), base_of(fill.symbol), fill.created_at
            amounts[USDT] = fill.quote_after or fill.quote_before + done.quote_change
            for asset, fee in trade.fees.items():
                if asset in amounts and asset not in {USDT, base}:
                    amounts[asset] -= fee
            if base in amounts:
                amounts[base] = fill.base_after or fill.base_before + done.base_change
    order = {asset: place for place, asset in enumerate(settings.assets)}
    first, *others = sorted(
        amounts.keys() - {USDT}, key=lambda asset: (order.get(asset, len(order)), asset)
    )
    beside = {asset: amounts[asset] for asset in others}
    return Held(first, amounts[USDT], amounts[first], beside), at
