"""Queries for files: all trades and flows of an account, oldest first, by page."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, undefer

from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.flows import Flow
from engine.domain.market.decimals import EXACT_OR_LESS
from engine.domain.market.pairs import USDT, Asset
from engine.domain.orders.order import AccountId, Order
from engine.domain.profit.entries import Corrections, FlowKey, FlowKind
from engine.storage.models.trading import BalanceChangeRow, OrderRow
from engine.storage.row_mapping import from_row
from engine.storage.statements import count_rows
from engine.storage.trading import flow_corrections, orders
from engine.storage.trading.order_fees import fills_from_json

# Of the same moment the flow comes first: what came in may have been traded at once.
_FLOW, _TRADE = 0, 1


class Position(NamedTuple):
    """Where a page ended."""

    at: datetime
    kind: int
    row_id: int


class Counted(NamedTuple):
    trades: int
    flows: int


async def count(
    session: AsyncSession, account_id: AccountId, *, real_only: bool = False
) -> Counted:
    flows = _flows(account_id, real_only=real_only).subquery()
    return Counted(
        trades=await count_rows(session, *_traded(account_id, real_only=real_only)),
        flows=await session.scalar(select(func.count()).select_from(flows)) or 0,
    )


async def after(
    session: AsyncSession,
    account_id: AccountId,
    *,
    last: Position | None,
    most: int,
    real_only: bool = False,
) -> tuple[Sequence[Order | Flow], Position | None]:
    """Returns the next *most* trades, with their fills, and flows after *last*, and where they end.
    However many came before, a page costs the same: nothing is skipped over.
    """
    traded = select(literal(_TRADE).label("kind"), OrderRow.id, OrderRow.created_at.label("at"))
    pages = [
        _page(
            traded.where(*_traded(account_id, real_only=real_only)),
            _TRADE,
            OrderRow.created_at,
            OrderRow.id,
            last=last,
            most=most,
        ),
        _page(
            _flows(account_id, real_only=real_only),
            _FLOW,
            BalanceChangeRow.at,
            func.min(BalanceChangeRow.id),
            last=last,
            most=most,
        ),
    ]
    both = union_all(*(select(page.subquery()) for page in pages)).subquery()
    found = await session.execute(
        select(both.c.at, both.c.kind, both.c.id)
        .order_by(both.c.at, both.c.kind, both.c.id)
        .limit(most)
    )
    keys = [Position(at, kind, row_id) for at, kind, row_id in found]
    known = await _trades(session, keys) | await _flows_of(session, account_id, keys)
    return [known[key.kind, key.row_id] for key in keys], keys[-1] if keys else last


def _traded(account_id: AccountId, *, real_only: bool) -> list[ColumnElement[bool]]:
    wanted = [OrderRow.account_id == account_id, orders.IS_TRADE]
    return [*wanted, OrderRow.dry_run.is_(False)] if real_only else wanted


def _flows(account_id: AccountId, *, real_only: bool) -> Select[int, int, datetime]:
    """One row for each reading that showed a flow, under the number of its first change."""
    query = select(
        literal(_FLOW).label("kind"),
        func.min(BalanceChangeRow.id).label("id"),
        BalanceChangeRow.at.label("at"),
    ).where(BalanceChangeRow.account_id == account_id)
    if real_only:
        query = query.where(BalanceChangeRow.dry_run.is_(False))
    return query.group_by(BalanceChangeRow.at, BalanceChangeRow.dry_run)


def _page(
    query: Select[int, int, datetime],
    kind: int,
    at: InstrumentedAttribute[datetime],
    row_id: SQLColumnExpression[int],
    *,
    last: Position | None,
    most: int,
) -> Select[int, int, datetime]:
    if last is not None:
        # The first condition is what both databases find in the index.
        query = query.where(at >= last.at)
        if kind < last.kind:
            query = query.where(at > last.at)
        elif kind == last.kind:
            later = or_(at > last.at, and_(at == last.at, row_id > last.row_id))
            query = query.having(later) if kind == _FLOW else query.where(later)
    return query.order_by(at, row_id).limit(most)


async def _trades(
    session: AsyncSession, keys: Sequence[Position]
) -> dict[tuple[int, int], Order | Flow]:
    ids = [key.row_id for key in keys if key.kind == _TRADE]
    query = select(OrderRow).where(OrderRow.id.in_(ids)).options(undefer(OrderRow.fills))
    rows = await session.scalars(query)
    return {(_TRADE, row.id): _with_fills(orders.intent_of(row), row.fills) for row in rows}


def _with_fills(order: Order, text: str | None) -> Order:
    if order.fees is None or text is None:
        return order
    return replace(order, fees=replace(order.fees, fills=fills_from_json(text)))


async def _flows_of(
    session: AsyncSession, account_id: AccountId, keys: Sequence[Position]
) -> dict[tuple[int, int], Order | Flow]:
    moments = [key.at for key in keys if key.kind == _FLOW]
    rows = await session.scalars(
        select(BalanceChangeRow)
        .where(BalanceChangeRow.account_id == account_id, BalanceChangeRow.at.in_(moments))
        .order_by(BalanceChangeRow.id)
    )
    groups: dict[tuple[datetime, bool], list[BalanceChangeRow]] = {}
    for row in rows:
        groups.setdefault((row.at, row.dry_run), []).append(row)
    said = {
        dry_run: await flow_corrections.of(session, account_id, dry_run=dry_run)
        for dry_run in {dry_run for _, dry_run in groups}
    }
    return {
        (_FLOW, of_one[0].id): _flow(of_one, said[dry_run])
        for (_, dry_run), of_one in groups.items()
    }


def _flow(rows: Sequence[BalanceChangeRow], said: Corrections) -> Flow:
    changes = [from_row(BalanceChange, row) for row in rows]
    prices = {Asset(row.asset): row.price for row in rows if row.price is not None}
    is_one_token = len({row.asset for row in rows} - {USDT}) <= 1
    return Flow(
        at=rows[0].at,
        dry_run=rows[0].dry_run,
        changes=sorted(changes, key=lambda change: change.asset != USDT),
        price=next(iter(prices.values()), None) if is_one_token else None,
        prices={} if is_one_token else prices,
        corrections={
            one.asset: correction for one in changes if (correction := said.get(_key(one)))
        },
    )


def _key(change: BalanceChange) -> FlowKey:
    units = EXACT_OR_LESS.subtract(change.after, change.before)
    return FlowKey(FlowKind.MOVED, change.asset, change.at, units)
