"""Follows an order with a price to its end, and cancels it where it rests too long.

The steps are those of `engine/domain/execution/resting.py`: "cancelling" is stored before the
cancellation leaves, no answer to it is believed, and only a look-up ends the order. One that may
rest holds up nobody: it is looked after again at each check until its deadline.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from engine.domain.execution.maker_first import deadline_of
from engine.domain.execution.maker_order import RESTS_FOR
from engine.domain.execution.resting import (
    IOC_ENDS_WITHIN,
    LOOK_PAUSES,
    RestingOrder,
    RestingState,
    after,
    next_action,
    restarted,
)
from engine.domain.execution.resting_steps import (
    CancellingStored,
    DeleteAnswered,
    LookUp,
    NotSeen,
    Seen,
    SendDelete,
    StoreCancelling,
    Wait,
)
from engine.domain.orders.ledger import EndReason
from engine.domain.orders.order import Order
from engine.errors import OutcomeUnknown, Rejected, Unavailable
from engine.exchanges.interface import Exchange, OrderReport
from engine.storage.service import Service
from engine.storage.trading import orders
from engine.streaming.live_accounts import LiveAccounts
from engine.timeouts import Timing

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Followed:
    """The *intent* as it is stored now, and the *report* of its end; None while it may still fill."""

    intent: Order
    report: OrderReport | None


@dataclass(eq=False, kw_only=True, repr=False)
class BoundedOrderFollower(Service):
    """It waits for an order's end as long as `settle_for`, but not while the order may rest. What
    *live* tells of the end hurries the look-up.
    """

    timing: Timing
    live: LiveAccounts

    async def follow(self, intent: Order, exchange: Exchange) -> Followed:
        """Look up an order that the exchange has just taken until it has ended, or rests."""
        now, may_rest = self.clock.steady(), intent.order_type.may_rest
        fresh = RestingOrder(
            deadline=now + (RESTS_FOR if may_rest else IOC_ENDS_WITHIN),
            may_rest=may_rest,
            state=RestingState.RESTING,
            looked=True,
            next_at=now + LOOK_PAUSES[0] if may_rest else now,
        )
        return await self._through(fresh, intent, exchange)

    async def look_after(
        self, intent: Order, exchange: Exchange, *, unwanted: EndReason | None
    ) -> Followed:
        """Look up an order that may rest, and cancel it if it is *unwanted* or its time is over."""
        now = self.clock.steady()
        is_cancelling = intent.cancelling_since is not None
        left = RestingOrder(
            deadline=now + (deadline_of(intent) - exchange.time()),
            state=RestingState.CANCELLING if is_cancelling else RestingState.RESTING,
            unwanted=unwanted,
        )
        return await self._through(restarted(left), intent, exchange)

    async def cancel(self, intent: Order, exchange: Exchange) -> Followed:
        """End an order that was found open: a restart or a lost answer left it so."""
        now = self.clock.steady()
        is_cancelling = intent.cancelling_since is not None
        left = RestingOrder(
            deadline=now,
            may_rest=intent.order_type.may_rest,
            state=RestingState.CANCELLING if is_cancelling else RestingState.RESTING,
        )
        return await self._through(restarted(left), intent, exchange)

    async def _through(  # noqa: C901, PLR0912 - one case a step
        self, order: RestingOrder, intent: Order, exchange: Exchange
    ) -> Followed:
        until = self.clock.steady() + self.timing.settle_for
        while True:
            now = self.clock.steady()
            match next_action(order, now=now):
                case LookUp():
                    order, report, _ = await self._looked_up(order, intent, exchange)
                    if report is not None:
                        return Followed(intent, report)
                case StoreCancelling(reason) if order.may_rest:
                    intent = await self._store_cancelling(intent, reason)
                    order = after(order, CancellingStored(reason), now=self.clock.steady())
                case StoreCancelling(reason):
                    # It may have ended since the last look, and only an open one is cancelled.
                    order, report, is_open = await self._looked_up(order, intent, exchange)
                    if report is not None:
                        return Followed(intent, report)
                    if is_open:
                        intent = await self._store_cancelling(intent, reason)
                        order = after(order, CancellingStored(reason), now=self.clock.steady())
                    elif not await self._waits(intent, order.next_at, until=until):
                        return Followed(intent, None)
                case SendDelete():
                    if now >= until:
                        return Followed(intent, None)
                    await _delete(intent, exchange)
                    order = after(order, DeleteAnswered(), now=self.clock.steady())
                case Wait(at):
                    if order.may_rest and order.state is RestingState.RESTING and order.looks:
                        return Followed(intent, None)
                    if not await self._waits(intent, at, until=until):
                        return Followed(intent, None)
                    if at is not None and self.clock.steady() < at:  # its end was told
                        order = replace(order, next_at=None)
                case action:
                    raise ValueError(f"an open order has no {type(action).__name__}")

    async def _looked_up(
        self, order: RestingOrder, intent: Order, exchange: Exchange
    ) -> tuple[RestingOrder, OrderReport | None, bool]:
        """Returns the order after one look, the report of its end, and whether it was seen open."""
        report = await look_up(intent, exchange)
        now = self.clock.steady()
        if report is None or report.unknown_status:
            return after(order, NotSeen(), now=now), None, False
        seen = Seen(report.execution, is_final=report.is_final, complete=report.complete)
        order = after(order, seen, now=now)
        is_over = order.state is RestingState.ENDED
        return order, report if is_over else None, not report.is_final

    async def _store_cancelling(self, intent: Order, reason: EndReason) -> Order:
        extra = {"order": intent.client_order_id}
        if intent.order_type.may_rest:
            logger.info("cancelling order", extra=extra)
        else:
            logger.warning("order rests", extra=extra)
        async with self.database.writing() as session:
            return await orders.move(
                session,
                intent,
                intent.state,
                cancelling_since=self.clock.now(),
                end_reason=reason,
            )

    async def _waits(self, intent: Order, at: datetime | None, *, until: datetime) -> bool:
        """Sleep until *at*, or the order's end is told; False where *at* is later than *until*."""
        if at is None or at > until:
            return False
        await self.live.sleep(intent.account_id, at - self.clock.steady())
        return True


async def look_up(intent: Order, exchange: Exchange) -> OrderReport | None:
    """Returns the exchange's report of the order; None where it gives no information."""
    try:
        return await exchange.order(intent.symbol, intent.client_order_id)
    except (Unavailable, Rejected):
        return None


async def _delete(intent: Order, exchange: Exchange) -> None:
    """Whatever is answered, only a look-up tells what became of the order."""
    with suppress(Unavailable, Rejected, OutcomeUnknown):
        await exchange.cancel(intent.symbol, intent.client_order_id)
