"""Queries of what the ledger of value is made of: trades, balance changes, and what is held now."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Text, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import from_millis
from engine.domain.accounts.account import Account
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Side, Symbol, base_of
from engine.domain.orders.order import ClientOrderId, Order
from engine.domain.profit.entries import Change, Corrections, Prices, Trade
from engine.domain.profit.ledger import Held, booked
from engine.storage.models.trading import BalanceChangeRow, OrderRow
from engine.storage.trading import balance_changes, flow_corrections, orders

_NO_PRICES = Prices({})
_SIDES = {side.value: side for side in Side}


@dataclass(frozen=True, slots=True)
class Records:
    """*first* is when the first record of the account was made, *events* are oldest first."""

    first: datetime
    held: Held
    events: Sequence[Trade | Change]
    corrections: Corrections

    @property
    def priced(self) -> Sequence[tuple[Asset, Symbol]]:
        """The assets that need a price, and the pair that tells it."""
        trades = [event for event in self.events if isinstance(event, Trade)]
        assets = {self.held.base_asset, *(base_of(trade.symbol) for trade in trades)}
        assets |= {asset for trade in trades for asset in trade.fees}
        return [(asset, symbol_of(asset)) for asset in sorted(assets - {USDT})]


async def records(
    session: AsyncSession, account: Account, *, since: datetime | None
) -> Records | None:
    """Returns the records from *since* on of the account's kind of money; None where there are none."""
    known = await _held(session, account)
    if known is None:
        return None
    held, at = known
    mine = (
        OrderRow.account_id == account.id,
        OrderRow.dry_run.is_(account.settings.dry_run),
        orders.IS_TRADE,
        OrderRow.executed_base != ZERO,
    )
    moved = (
        BalanceChangeRow.account_id == account.id,
        BalanceChangeRow.dry_run.is_(account.settings.dry_run),
    )
    firsts = [
        await session.scalar(select(at).where(*where).order_by(at).limit(1))
        for at, where in (
            (OrderRow.created_at, mine),
            (BalanceChangeRow.at, moved),
        )
    ]
    trades = select(*_TRADE).where(*mine).order_by(OrderRow.created_at, OrderRow.id)
    changes = select(
        BalanceChangeRow.at,
        BalanceChangeRow.asset,
        BalanceChangeRow.before,
        BalanceChangeRow.after,
        BalanceChangeRow.price,
    ).where(*moved)
    if since is not None:
        trades = trades.where(OrderRow.created_at >= since)
        changes = changes.where(BalanceChangeRow.at >= since)
    events: list[Trade | Change] = [
        Change(row.at, Asset(row.asset), row.before, row.after, row.price)
        for row in await session.execute(
            changes.order_by(BalanceChangeRow.at, BalanceChangeRow.id)
        )
    ]
    # Of the same moment the change first: the trade was planned on what it left.
    events += [_trade(*row) for row in await session.execute(trades)]
    events.sort(key=lambda event: event.at)
    begun = min((first for first in firsts if first is not None), default=at)
    corrections = await flow_corrections.of(session, account.id, dry_run=account.settings.dry_run)
    return Records(min(begun, at), held, events, corrections)


def symbol_of(asset: Asset) -> Symbol:
    return Symbol(f"{asset}{USDT}")


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
_TRADE: tuple[Any, ...] = (
    OrderRow.client_order_id,
    type_coerce(OrderRow.created_at, BigInteger),
    OrderRow.symbol,
    type_coerce(OrderRow.side, Text),
    *(
        type_coerce(column, Text)
        for column in (
            OrderRow.executed_base,
            OrderRow.executed_quote,
            OrderRow.price,
            OrderRow.quote_before,
            OrderRow.base_before,
        )
    ),
    OrderRow.fees,
    OrderRow.fees_complete,
)


def _trade(  # the columns above
    client_order_id: str,
    created_ms: int,
    symbol: str,
    side: str,
    base: str,
    quote: str,
    price: str | None,
    quote_before: str,
    base_before: str,
    fees: str | None,
    fees_complete: bool,
) -> Trade:
    return Trade(
        ClientOrderId(client_order_id),
        from_millis(created_ms),
        Symbol(symbol),
        _SIDES[side],
        Decimal(base),
        Decimal(quote),
        None if price is None else Decimal(price),
        {} if fees is None else _fees(fees),
        fees is not None and fees_complete,
        Decimal(quote_before),
        Decimal(base_before),
    )


def _fees(text: str) -> Mapping[Asset, Decimal]:
    found: Mapping[str, Any] = json.loads(text)
    return {Asset(asset): Decimal(amount) for asset, amount in found.items()}


async def _held(session: AsyncSession, account: Account) -> tuple[Held, datetime] | None:
    """What the account was last seen to hold, by a check or after a fill, and when. Another pair's,
    where the account has not been looked at since the change.
    """
    key = account.id, account.settings.dry_run
    base = base_of(account.settings.symbol)
    seen = (await balance_changes.last_seen_of(session, [account.id])).get(key)
    fill = (await orders.last_fills_of(session, [account.id])).get(key)
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
