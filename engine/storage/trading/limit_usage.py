"""Queries of the usage of limits, and whether an order is within them.

Days and hours are the exchange's, which signed each order's time stamp: a host's clock that is set
ahead opens no new day.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from engine.domain.accounts.account import Account
from engine.domain.accounts.risk_limits import DAY, HOUR, LimitsInForce, Recent
from engine.domain.market.decimals import CENT
from engine.domain.orders.order import AccountId, Order, OrderState
from engine.domain.rebalancing.limit_checks import known_price
from engine.storage.models.trading import OrderRow
from engine.storage.trading import check_results

# In all other states nothing was sent, or nothing was traded.
_TRADED_OR_MAY_HAVE = frozenset(
    {
        OrderState.SENDING,
        OrderState.ACKED,
        OrderState.UNKNOWN,
        OrderState.NEEDS_HUMAN,
        OrderState.FILLED,
        OrderState.PARTIAL,
        OrderState.SET_ASIDE,
    }
)
# A burst of refused orders counts too.
_SENT = frozenset(OrderState) - {OrderState.PLANNED, OrderState.DROPPED}

_Past = aliased(OrderRow)


async def recent(session: AsyncSession, account: Account, *, now: datetime) -> Recent:
    """Returns the account's usage for its present kind of money; *now* is the exchange's time."""
    dry_run = account.settings.dry_run
    cents = await session.scalar(select(_turnover(account.id, dry_run=dry_run, until=now)))
    sent = await session.scalar(select(_sent(account.id, dry_run=dry_run, until=now)))
    seen = await check_results.seen_of(session, account.id, account.settings.symbol)
    last, jump = (None, None) if seen is None else (seen.price, seen.jump)
    price, jump = known_price(last, jump, now=now)
    return Recent(
        turnover=(cents or 0) * CENT, orders=sent or 0, price=price, last=last, jump=jump
    )


def kept(
    intent: Order, limits: LimitsInForce, *, until: datetime
) -> Sequence[ColumnElement[bool]]:
    """Conditions on *intent*'s own row, in whole numbers, equal to `limit_checks.py`.
    It is sent at *until*, by the exchange's time.
    """
    account_id, dry_run = intent.account_id, intent.dry_run
    turnover = _turnover(account_id, dry_run=dry_run, until=until)
    return (
        OrderRow.worth_cents <= limits.order_cents,
        turnover + OrderRow.worth_cents <= limits.day_cents,
        _sent(account_id, dry_run=dry_run, until=until) < limits.orders_per_hour,
        OrderRow.move_bp <= limits.move_bp,
    )


def _turnover(account_id: AccountId, *, dry_run: bool, until: datetime) -> ScalarSelect[int]:
    total = select(func.coalesce(func.sum(_Past.worth_cents), 0))
    where = _sent_within(DAY, account_id, dry_run=dry_run, until=until)
    return total.where(*where, _Past.state.in_(_TRADED_OR_MAY_HAVE)).scalar_subquery()


def _sent(account_id: AccountId, *, dry_run: bool, until: datetime) -> ScalarSelect[int]:
    where = _sent_within(HOUR, account_id, dry_run=dry_run, until=until)
    return select(func.count()).where(*where, _Past.state.in_(_SENT)).scalar_subquery()


def _sent_within(
    length: timedelta, account_id: AccountId, *, dry_run: bool, until: datetime
) -> Sequence[ColumnElement[bool]]:
    """The account's orders sent in that time.
    It covers stamps of a clock that was ahead (on paper it is the host's), but not unlimited.
    """
    return (
        _Past.account_id == account_id,
        _Past.dry_run.is_(dry_run),
        _Past.sent_at > until - length,
        _Past.sent_at < until + DAY,
    )
