"""Queries of orders: stored before they are sent, and all that is known of them since."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, func, or_, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from engine import work_log
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import TradingMode
from engine.domain.execution.bound import ExecutionMode
from engine.domain.market.pairs import OrderType
from engine.domain.orders.ledger import TopOfBook
from engine.domain.orders.order import (
    LEGAL,
    AccountId,
    ClientOrderId,
    Execution,
    Fees,
    Order,
    OrderState,
    PricedTerms,
    end_reason_of,
)
from engine.domain.rebalancing.decision import PLANNER_VERSION, REPLAYABLE, DecisionInputs
from engine.domain.rebalancing.leg_order import (
    LEG_PLANNER_VERSION,
    REPLAYABLE_LEGS,
    LegInputs,
    StoredLeg,
    replayed_leg,
)
from engine.domain.rebalancing.limit_checks import worth_cents
from engine.domain.rebalancing.replay import (
    NotReplayed,
    PlannerTag,
    Replay,
    StoredDecision,
    WhyNot,
    replayed,
)
from engine.domain.rebalancing.slices.run import SlicedRun
from engine.errors import LeaseLost
from engine.storage.models.accounts import AccountRow
from engine.storage.models.coordination import LeaseRow
from engine.storage.models.trading import UNRESOLVED_SQL, OrderRow
from engine.storage.row_mapping import columns_of, from_row
from engine.storage.serialization import readable, to_short_json
from engine.storage.statements import count_rows, update
from engine.storage.trading import approvals, limit_usage, run_requests, sliced_trades
from engine.storage.trading.order_fees import fee_columns, fees_from_json

IS_UNRESOLVED = text(f"{OrderRow.__tablename__}.{UNRESOLVED_SQL}")
IS_TRADE = OrderRow.state.in_({OrderState.FILLED, OrderState.PARTIAL})
# Built once: each check asks it.
_LAST_FILLS = select(OrderRow).where(
    OrderRow.id.in_(
        select(func.max(OrderRow.id))
        .where(OrderRow.account_id.in_(bindparam("account_ids", expanding=True)), IS_TRADE)
        .group_by(OrderRow.account_id, OrderRow.dry_run)
    )
)


class AlreadyIntended(LeaseLost):
    """The same decision was stored before: nothing may be sent for it again."""


async def add(
    session: AsyncSession,
    intent: Order,
    inputs: DecisionInputs | LegInputs | None = None,
    *,
    mode: ExecutionMode | None = None,
) -> None:
    """Store *intent* with the *inputs* of its decision, so that it can be replayed, and its *mode*.
    Raises AlreadyIntended if its run and attempt are known.
    """
    decision = None
    if isinstance(inputs, LegInputs):
        decision = to_short_json(StoredLeg(LEG_PLANNER_VERSION, inputs))
    elif inputs is not None:
        decision = to_short_json(StoredDecision(PLANNER_VERSION, inputs))
    try:
        async with session.begin_nested():
            session.add(OrderRow(**_columns(intent), inputs=decision, execution_mode=mode))
    except IntegrityError as e:
        raise AlreadyIntended(intent.client_order_id) from e


async def hold_account(
    session: AsyncSession, account_id: AccountId, *, changes: bool = False
) -> None:
    """Lock the account's row, for the gate: a pause or a halt committed before this is seen there,
    and one that comes later waits until the order is "sending" and can report that. *changes*: the
    account will be changed in this transaction.

    It also holds back any other gate of the account, so the orders that the limits count are all
    committed. The lock may be waited for: what has an age is judged after it.
    """
    await session.execute(
        select(AccountRow.id)
        .where(AccountRow.id == account_id)
        .with_for_update(key_share=not changes)
    )


async def start_sending(
    session: AsyncSession,
    intent: Order,
    *,
    now: ColumnElement[Any],
    owner: str,
    margin: timedelta,
    account: Account,
    sent_at: datetime,
) -> Order | None:
    """The last gate before an order leaves, in one statement: planned -> sending. The account is
    held by `hold_account`.

    None, and nothing changed, unless *owner* holds the account under the intent's fence for at
    least *margin* longer, the account is exactly as it was planned for (its version), not paused
    (but for a trade by hand) and not halted, trades by itself or a user confirmed the trade, no
    other order of it is unresolved, no trade over time runs unless this is its slice, and this one
    keeps within its limits. *now* is the database's
    clock, *sent_at* the exchange's time that will be signed.
    """
    held = exists().where(
        LeaseRow.account_id == account.id,
        LeaseRow.owner == owner,
        LeaseRow.fence == intent.fence,
        LeaseRow.lease_until > now + margin // timedelta(milliseconds=1),
    )
    unchanged = exists().where(
        AccountRow.id == account.id,
        AccountRow.version == account.version,
        AccountRow.halted.is_(False),
        *_permitted(intent),
    )
    try:
        async with session.begin_nested():
            moved = await session.execute(
                update(OrderRow)
                .where(
                    OrderRow.client_order_id == intent.client_order_id,
                    OrderRow.state == OrderState.PLANNED,
                    held,
                    unchanged,
                    *limit_usage.kept(intent, account.limits_in_force, until=sent_at),
                )
                .values(state=OrderState.SENDING, sent_at=sent_at)
                .returning(OrderRow.id)
            )
    except IntegrityError:  # the one-unresolved index: another order is in the way
        return None
    if moved.scalar_one_or_none() is None:
        return None
    sending = replace(intent, state=OrderState.SENDING, sent_at=sent_at)
    work_log.order_moved(session, sending)
    return sending


def _permitted(intent: Order) -> Sequence[ColumnElement[bool]]:
    if intent.slice_number is not None:
        return (sliced_trades.lets_out(intent),)
    return (
        AccountRow.slicing_until.is_(None),
        or_(AccountRow.paused.is_(False), run_requests.is_manual(intent)),
        or_(AccountRow.autonomy == TradingMode.AUTO, approvals.asked_for(intent)),
    )


async def move(session: AsyncSession, intent: Order, state: OrderState, **facts: Any) -> Order:
    """Record that *intent* is now in *state*, with what was learned.

    Raises ValueError for an illegal step, LeaseLost if the row is not in the state *intent* says
    (only another owner of the account can have moved it): then nothing is changed.
    """
    if state is not intent.state and state not in LEGAL[intent.state]:
        raise ValueError(f"an order cannot go from {intent.state.value} to {state.value}")
    reason = end_reason_of(intent, state) or intent.end_reason
    moved = replace(intent, state=state, **({"end_reason": reason} | facts))
    result = await session.execute(
        update(OrderRow)
        .where(OrderRow.client_order_id == intent.client_order_id, OrderRow.state == intent.state)
        .values(**_columns(moved))
        .returning(OrderRow.id)
    )
    if result.scalar_one_or_none() is None:
        raise LeaseLost(f"order {intent.client_order_id} is not {intent.state.value} any more")
    if state is not intent.state:
        work_log.order_moved(session, moved)
    return moved


async def learn_fees(session: AsyncSession, order: Order, fees: Fees) -> None:
    """Store what is known by now of an order's *fees*, unless all was known before."""
    await session.execute(
        update(OrderRow)
        .where(
            OrderRow.client_order_id == order.client_order_id,
            or_(OrderRow.fees.is_(None), OrderRow.fees_complete.is_(False)),
        )
        .values(**fee_columns(fees))
    )


async def drop_planned(
    session: AsyncSession, account_ids: Sequence[AccountId], *, now: datetime
) -> None:
    """Drop these accounts' orders that were never sent (a crash before the gate).

    One that another process has in its gate this very moment is left to it: waiting for it would
    hold up all accounts, and the order's own row says who was first.
    """
    planned = (
        select(OrderRow.id)
        .where(OrderRow.account_id.in_(account_ids), OrderRow.state == OrderState.PLANNED)
        .with_for_update(skip_locked=True)
    )
    await session.execute(
        update(OrderRow)
        .where(OrderRow.id.in_(planned))
        .values(state=OrderState.DROPPED, resolved_at=now)
    )


async def get(session: AsyncSession, client_order_id: ClientOrderId) -> Order | None:
    row = await session.scalar(select(OrderRow).where(OrderRow.client_order_id == client_order_id))
    return None if row is None else intent_of(row)


async def locked(session: AsyncSession, client_order_id: ClientOrderId) -> Order:
    """Returns a stored order, which nobody moves before the transaction ends."""
    query = select(OrderRow).where(OrderRow.client_order_id == client_order_id)
    row = (await session.scalars(query.with_for_update())).one()
    return intent_of(row)


async def replay(session: AsyncSession, client_order_id: ClientOrderId) -> Replay | None:
    """Returns the order's decision, made again from its stored inputs; None without such an order."""
    query = select(OrderRow).where(OrderRow.client_order_id == client_order_id)
    row = await session.scalar(query.options(undefer(OrderRow.inputs)))
    return None if row is None else replay_of(intent_of(row), row.inputs)


def replay_of(order: Order, text: str | None) -> Replay:
    """Returns what becomes of the decision that *text*, the row's inputs, has."""
    if text is None:
        return NotReplayed(order, WhyNot.NOT_STORED)
    tag = readable(text, PlannerTag)
    if tag is not None and tag.planner in REPLAYABLE_LEGS:
        leg = readable(text, StoredLeg)
        return (
            NotReplayed(order, WhyNot.UNREADABLE)
            if leg is None
            else replayed_leg(order, leg.inputs)
        )
    if tag is not None and tag.planner not in REPLAYABLE:
        return NotReplayed(order, WhyNot.OTHER_PLANNER, tag.planner)
    decision = readable(text, StoredDecision)
    if decision is None:
        return NotReplayed(order, WhyNot.UNREADABLE)
    return replayed(order, decision.inputs)


async def unresolved_of(
    session: AsyncSession, account_ids: Sequence[AccountId]
) -> Mapping[AccountId, Order]:
    rows = await session.scalars(
        select(OrderRow).where(OrderRow.account_id.in_(account_ids), IS_UNRESOLVED)
    )
    return {AccountId(row.account_id): intent_of(row) for row in rows}


async def of_slices(
    session: AsyncSession, account_id: AccountId, run: SlicedRun
) -> Sequence[Order]:
    """The orders of a trade over time so far."""
    rows = await session.scalars(
        select(OrderRow).where(sliced_trades.are_of(account_id, run)).order_by(OrderRow.id)
    )
    return [intent_of(row) for row in rows]


async def last_fills_of(
    session: AsyncSession, account_ids: Sequence[AccountId]
) -> Mapping[tuple[AccountId, bool], Order]:
    """The newest order with a fill, by account and by whether it was on paper."""
    rows = await session.scalars(_LAST_FILLS, {"account_ids": account_ids})
    return {(AccountId(row.account_id), row.dry_run): intent_of(row) for row in rows}


async def fills_since(
    session: AsyncSession, account_id: AccountId, *, since: datetime, dry_run: bool
) -> Sequence[Order]:
    """Returns the account's orders with a fill that were created from then on, oldest first."""
    rows = await session.scalars(
        select(OrderRow)
        .where(
            OrderRow.account_id == account_id,
            OrderRow.dry_run.is_(dry_run),
            OrderRow.created_at >= since,
            IS_TRADE,
        )
        .order_by(OrderRow.id)
    )
    return [intent_of(row) for row in rows]


async def last_trade(session: AsyncSession, account_id: AccountId) -> Order | None:
    """The newest order with fills."""
    row = await session.scalar(
        select(OrderRow)
        .where(OrderRow.account_id == account_id, IS_TRADE)
        .order_by(OrderRow.id.desc())
        .limit(1)
    )
    return None if row is None else intent_of(row)


async def count_refused(session: AsyncSession, account_id: AccountId, *, since: datetime) -> int:
    """Returns how many orders in a row, with no fill between, were refused since *since*."""
    last_fill = (
        select(func.coalesce(func.max(OrderRow.id), 0))
        .where(OrderRow.account_id == account_id, IS_TRADE)
        .scalar_subquery()
    )
    return await count_rows(
        session,
        OrderRow.account_id == account_id,
        OrderRow.state == OrderState.REJECTED,
        OrderRow.resolved_at >= since,
        OrderRow.id > last_fill,
    )


def _columns(intent: Order) -> dict[str, Any]:
    return columns_of(intent, "execution", "fees", "priced", "top") | {
        "worth_cents": worth_cents(intent.most_quote),
        "executed_base": intent.execution.base_quantity,
        "executed_quote": intent.execution.quote_amount,
        **fee_columns(intent.fees),
        **_priced_columns(intent.priced),
        **_top_columns(intent.top),
    }


def _top_columns(top: TopOfBook | None) -> Mapping[str, Any]:
    return {
        "bid": None if top is None else top.bid,
        "ask": None if top is None else top.ask,
        "book_at": None if top is None else top.read_at,
        "depth": None if top is None else top.depth,
    }


def _priced_columns(priced: PricedTerms | None) -> Mapping[str, Any]:
    return {
        "order_type": OrderType.MARKET if priced is None else priced.order_type,
        "bound": None if priced is None else priced.price,
        "bound_quantity": None if priced is None else priced.base_quantity,
        "expected_average": None if priced is None else priced.average,
        "widened": priced is not None and priced.widened,
        "guard": None if priced is None else priced.guard,
        "expected_cost_bp": None if priced is None else priced.cost_bp,
    }


def _priced(row: OrderRow) -> PricedTerms | None:
    if row.bound is None or row.bound_quantity is None or row.expected_average is None:
        return None
    return PricedTerms(
        order_type=row.order_type,
        price=row.bound,
        base_quantity=row.bound_quantity,
        average=row.expected_average,
        widened=row.widened,
        guard=row.guard,
        cost_bp=row.expected_cost_bp,
    )


def intent_of(row: OrderRow) -> Order:
    return from_row(
        Order,
        row,
        execution=Execution(row.executed_base, row.executed_quote),
        fees=None if row.fees is None else fees_from_json(row.fees, complete=row.fees_complete),
        priced=_priced(row),
        top=None if row.book_at is None else TopOfBook(row.bid, row.ask, row.book_at, row.depth),
    )
