"""Logs the work: one INFO line per decision, order, fill and setting change.

Event names with amounts and ids in `extra`, for both formats and `/logs`. No secrets. A check
inside the band logs nothing.
"""

import logging
from collections.abc import Mapping
from decimal import Context
from typing import Any, assert_never

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from engine.domain.accounts.account import PAPER, Account
from engine.domain.accounts.audit import FieldChange
from engine.domain.market.decimals import plain
from engine.domain.orders.order import AccountId, Order, OrderState
from engine.domain.rebalancing.check_result import (
    REASON_TAGS,
    AwaitingApproval,
    AwaitingSettlement,
    CheckFailed,
    CheckResult,
    Decision,
    NoTrade,
    OrderPending,
    OrderPlaced,
    PlanChanged,
)
from engine.domain.rebalancing.planner import InsideBand, OverLimit, Reason

logger = logging.getLogger(__name__)

LIVE = "live"
_SHORT = Context(prec=8)
_EVENTS: Mapping[OrderState, str] = {
    OrderState.SENDING: "order sent",
    OrderState.FILLED: "order filled",
    OrderState.PARTIAL: "order filled",
    OrderState.UNFILLED: "order not filled",
    OrderState.REJECTED: "order refused",
    OrderState.DROPPED: "order not sent",
    OrderState.NOT_EXECUTED: "order never arrived",
    OrderState.SET_ASIDE: "order set aside",
}


def decided(session: AsyncSession, account_id: AccountId, look: CheckResult) -> None:
    """Log a check's decision after its commit, before the order leaves; none inside the band."""
    if (facts := _facts(look.verdict)) is None:
        return
    seen = {} if look.seen is None else {"held_usdt": plain(look.seen.held)}
    pair = {} if look.seen is None else {"pair": look.seen.symbol}
    about = {"account": account_id, **pair, "money": PAPER if look.funds == PAPER else LIVE}
    target = {} if look.target is None else {"target_usdt": plain(look.target)}
    extra = {**about, **facts, **seen, **target}
    _once_committed(session, "check decided", extra)


def order_moved(session: AsyncSession, order: Order) -> None:
    """The order's new state, once that is committed; states on the way are not worth a line."""
    name = _EVENTS.get(order.state)
    if name is None:
        return
    facts = {
        "account": order.account_id,
        "order": order.client_order_id,
        "pair": order.symbol,
        "money": PAPER if order.dry_run else LIVE,
        "side": order.side.value.lower(),
        **(_sent(order) if order.state is OrderState.SENDING else _ended(order)),
    }
    _once_committed(session, name, facts)


def setting_changed(
    session: AsyncSession, change: FieldChange, *, account: Account, user_id: int
) -> None:
    """Log a change after its commit. Of a key the last four characters are shown."""
    facts = {
        "account": account.id,
        "setting": change.setting,
        "before": change.before,
        "after": change.after,
        "user": user_id,
    }
    _once_committed(session, "setting changed", facts)


def preference_changed(
    session: AsyncSession, *, chat_id: int, user_id: int, setting: str, detail: str
) -> None:
    """Log a change of a chat's alert preferences after its commit."""
    facts = {"chat_id": chat_id, "setting": setting, "detail": detail, "user": user_id}
    _once_committed(session, "setting changed", facts)


def _once_committed(session: AsyncSession, name: str, facts: Mapping[str, Any]) -> None:
    def log(_: Session) -> None:
        logger.info(name, extra=dict(facts))

    event.listen(session.sync_session, "after_commit", log, once=True)


def _facts(verdict: Decision) -> dict[str, Any] | None:
    match verdict:
        case OrderPlaced():
            return _trade("order", verdict) | {"order": verdict.client_order_id}
        case AwaitingApproval():
            return _trade("left_to_user", verdict) | {"mode": verdict.autonomy.value}
        case PlanChanged():
            return _trade("plan_changed", verdict)
        case NoTrade(reason=InsideBand()):
            return None
        case NoTrade():
            return {"decision": "no_order", "reason": _named(verdict.reason)}
        case OrderPending() | AwaitingSettlement() | CheckFailed():
            return None  # the order's own lines say it, or the warning of a failed check
        case _:
            assert_never(verdict)


def _trade(decision: str, verdict: OrderPlaced | AwaitingApproval | PlanChanged) -> dict[str, Any]:
    return {
        "decision": decision,
        "side": verdict.side.value.lower(),
        "amount_usdt": plain(verdict.expected_quote),
    }


def _named(reason: Reason) -> str:
    name = REASON_TAGS[type(reason)]
    return f"{name}:{reason.kind.value}" if isinstance(reason, OverLimit) else name


def _sent(order: Order) -> dict[str, Any]:
    asked = (
        {"quantity": plain(order.base_quantity)}
        if order.base_quantity is not None
        else {"amount_usdt": plain(order.expected_quote)}
    )
    return {**asked, "trigger": order.trigger.value}


def _ended(order: Order) -> dict[str, Any]:
    done = order.execution
    if done.average_price is None:
        return {"error": order.error} if order.error else {}
    fees = order.fees.by_asset if order.fees else {}
    facts = {
        "quantity": plain(done.base_quantity),
        "quote_usdt": plain(done.quote_amount),
        "price": plain(_SHORT.plus(done.average_price)),
        "fee": "+".join(f"{plain(fee)}{asset}" for asset, fee in fees.items()) or None,
        "held_usdt": None if order.quote_after is None else plain(order.quote_after),
        "exchange_order": order.exchange_order_id,
    }
    return {name: fact for name, fact in facts.items() if fact is not None}
