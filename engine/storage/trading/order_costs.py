"""Queries of what orders cost: the oldest first, some at a time."""

import json
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Text, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from engine.clock import from_millis
from engine.domain.accounts.account import Account
from engine.domain.execution.bound import ExecutionMode
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Side, Symbol, base_of
from engine.domain.orders.order import OrderState
from engine.domain.profit.costs import SettledOrder, fee_in_quote
from engine.domain.profit.entries import Prices
from engine.storage.models.trading import OrderRow
from engine.storage.trading.value_events import FEES_NAMED, fee_assets

_HAS_ENDED = OrderRow.state.in_({OrderState.FILLED, OrderState.PARTIAL, OrderState.UNFILLED})
_SIDES = {side.value: side for side in Side}
_MODES = {None: ExecutionMode.MARKET} | {mode.value: mode for mode in ExecutionMode}
# More at once would live long enough for the garbage collector to look at them again and again.
_A_PAGE = 500
_IN_USDT, _QUOTES_OF_ONE_FEE = '{"USDT": "', 4
_ORDERS = OrderRow.__table__.c
# Read as they are stored: of 100,000 orders, the types' own checks would take longer than the rest.
_COLUMNS: tuple[Any, ...] = (
    *(type_coerce(_ORDERS[name], BigInteger) for name in ("created_at", "book_at")),
    _ORDERS.symbol,
    *(
        type_coerce(_ORDERS[name], Text)
        for name in (
            *("side", "executed_base", "executed_quote", "base_quantity", "bound_quantity"),
            *("quote_amount", "price", "bid", "ask", "final_mid", "fees", "fee_price"),
            "execution_mode",
        )
    ),
    type_coerce(_ORDERS.fees_complete, Integer),
    _ORDERS.slice_number,
)


async def fee_coins(
    session: AsyncSession, account: Account, *, since: datetime
) -> Sequence[Asset]:
    """Returns the coins that paid fees of the account's orders and whose price was not kept."""
    rows = await session.execute(
        select(OrderRow.symbol, FEES_NAMED)
        .where(*_of(account, since), OrderRow.fee_price.is_(None))
        .distinct()
    )
    found = {
        asset
        for symbol, named in rows
        for asset in fee_assets(named)
        if asset not in (USDT, base_of(symbol))
    }
    return sorted(found)


async def settled(
    session: AsyncSession, account: Account, *, since: datetime, coins: Prices
) -> AsyncGenerator[Sequence[SettledOrder]]:
    """Yields the account's orders that have ended, from *since* on."""
    query = select(*_COLUMNS).where(*_of(account, since))
    # As rows of the table: of 100,000, the session would take as long again as the database.
    connection = await session.connection()
    rows = await connection.stream(
        query.order_by(_ORDERS.created_at, _ORDERS.id),
        execution_options={"yield_per": _A_PAGE},
    )
    try:
        async for page in rows.partitions():
            yield [_order(*row, coins=coins) for row in page]
    finally:
        await rows.close()


def _of(account: Account, since: datetime) -> Sequence[ColumnElement[bool]]:
    return (
        OrderRow.account_id == account.id,
        OrderRow.dry_run.is_(account.settings.dry_run),
        OrderRow.created_at >= since,
        _HAS_ENDED,
    )


def _order(  # the columns above
    created_ms: int,
    book_ms: int | None,
    symbol: Symbol,
    side: str,
    base: str,
    quote: str,
    base_quantity: str | None,
    bound_quantity: str | None,
    quote_amount: str | None,
    price: str | None,
    bid: str | None,
    ask: str | None,
    final: str | None,
    fees: str | None,
    fee_price: str | None,
    mode: str | None,
    fees_complete: int,
    slice_number: int | None,
    *,
    coins: Prices,
) -> SettledOrder:
    at, executed = from_millis(created_ms), Decimal(quote)
    mid = None
    if book_ms is None:
        mid = _maybe(price)
    elif bid is not None and ask is not None:
        mid = (Decimal(bid) + Decimal(ask)) / 2
    fee: Decimal | None = ZERO
    if executed:
        fee = None if fees is None else _fee(fees, symbol, at, mid, fee_price, coins)
    return SettledOrder(
        at,
        _SIDES[side],
        Decimal(base),
        executed,
        _maybe(bound_quantity or base_quantity),
        _maybe(quote_amount),
        mid,
        _maybe(final),
        fee or ZERO,
        fee is not None and (bool(fees_complete) or not executed),
        _MODES[mode],
        slice_number,
    )


def _fee(
    text: str,
    symbol: Symbol,
    at: datetime,
    mid: Decimal | None,
    kept: str | None,
    coins: Prices,
) -> Decimal | None:
    if text.startswith(_IN_USDT) and text.count('"') == _QUOTES_OF_ONE_FEE:  # as nearly all
        return Decimal(text[len(_IN_USDT) : -2])
    return fee_in_quote(
        {Asset(asset): Decimal(amount) for asset, amount in json.loads(text).items()},
        at=at,
        base_asset=base_of(symbol),
        mid=mid,
        kept=_maybe(kept),
        coins=coins,
    )


def _maybe(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
