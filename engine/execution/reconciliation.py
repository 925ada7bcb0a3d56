"""Looks up orders whose outcome is unknown until it is known; never repeats one.

A crash and a restart are the same path: whatever `engine/execution/executor.py` left unfinished is
found here, and its account places no other order until it is resolved.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.domain.accounts.account import Account
from engine.domain.alerts.alerts import OrderNeedsPerson, OrderNeverArrived
from engine.domain.execution.maker_first import deadline_of, rests
from engine.domain.execution.resting import LOOKS_APART
from engine.domain.orders.ledger import EndReason
from engine.domain.orders.order import (
    MISS_SPACING,
    MISSES_NEEDED,
    NEEDS_HUMAN_AFTER,
    NOTHING,
    STATUS_NEEDS_HUMAN_AFTER,
    UNRESOLVED,
    Order,
    OrderState,
    may_conclude_absence,
)
from engine.domain.orders.settlement import left_no_trace, shows
from engine.errors import OrderNotFound, Rejected, Unavailable
from engine.exchanges.interface import Exchange, OrderReport
from engine.execution.executor import OrderExecutor
from engine.notifications import pause_answers
from engine.notifications.publish import publish
from engine.storage.service import Service
from engine.storage.trading import orders

logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True, repr=False)
class OrderReconciler(Service):
    executor: OrderExecutor

    async def resolve(
        self,
        intent: Order,
        *,
        account: Account,
        exchange: Exchange,
        unwanted: EndReason | None = None,
    ) -> Order:
        """One attempt to learn what became of *intent*; returns it as far as it is known now. One
        that rests is cancelled if it is *unwanted* or its time is over.

        Calling it again later is always right. An error while looking is no information.
        """
        if intent.state not in UNRESOLVED:
            return intent
        if rests(intent):
            return await self._look_after(intent, account, exchange, unwanted)
        if intent.state is OrderState.SENDING:
            # We were stopped between the gate and the answer: it may or may not have left.
            intent = await self.executor.mark_unknown(
                intent, account, error="stopped while the order was being sent"
            )
        try:
            report = await exchange.order(intent.symbol, intent.client_order_id)
        except OrderNotFound:
            return await self._missed(intent, account=account, exchange=exchange)
        except (Unavailable, Rejected):
            return await self.escalate(intent, account, now=exchange.time())
        found = await self._found(intent, report, account=account, exchange=exchange)
        if rests(found):
            return await self._look_after(found, account, exchange, unwanted)
        return found

    async def _look_after(
        self, intent: Order, account: Account, exchange: Exchange, unwanted: EndReason | None
    ) -> Order:
        """However long an order rests, that is as it should be: a user is asked only where its
        cancellation is not proven.
        """
        followed = await self.executor.bounded.look_after(intent, exchange, unwanted=unwanted)
        intent, report = followed.intent, followed.report
        if report is not None:
            return await self.executor.record_fill(
                intent, report, account=account, exchange=exchange, late=intent.was_unclear
            )
        since = intent.cancelling_since
        if since is None or self.clock.now() - since < NEEDS_HUMAN_AFTER:
            return intent
        return await self._ask(intent, account)

    async def _found(
        self, intent: Order, report: OrderReport, *, account: Account, exchange: Exchange
    ) -> Order:
        if report.is_final or await self._is_filled(intent, report, exchange):
            return await self.executor.record_fill(
                intent, report, account=account, exchange=exchange, late=True
            )
        if intent.exchange_order_id is None:  # from now on "not found" proves nothing
            state = OrderState.ACKED if intent.state is OrderState.UNKNOWN else intent.state
            async with self.database.writing() as session:
                intent = await orders.move(
                    session, intent, state, exchange_order_id=report.exchange_order_id
                )
        if rests(intent):
            return intent
        if intent.priced is not None and not report.unknown_status:
            followed = await self.executor.bounded.cancel(intent, exchange)
            intent = followed.intent
            if followed.report is not None:
                return await self.executor.record_fill(
                    intent, followed.report, account=account, exchange=exchange, late=True
                )
        return await self.escalate(intent, account, report, now=exchange.time())

    async def _is_filled(self, intent: Order, report: OrderReport, exchange: Exchange) -> bool:
        """True if an order under an undocumented status is filled all the same.
        Its amounts, its fills and the balances must say so, and again a moment later.
        """
        if not report.unknown_status or not report.complete:
            return False
        filled = replace(intent, execution=report.execution)
        for is_first in (True, False):
            if not is_first:
                await self.clock.sleep(MISS_SPACING)
            try:
                seen = await exchange.order(intent.symbol, intent.client_order_id)
                fees = await exchange.fees(
                    intent.symbol,
                    report.exchange_order_id,
                    executed=report.execution.base_quantity,
                    sent_at=intent.sent_at or intent.created_at,
                )
                shown = shows(await exchange.holdings(), filled)
            except (Unavailable, Rejected):
                return False
            if seen != report or not fees.complete or not shown:
                return False
        return True

    async def _missed(self, intent: Order, *, account: Account, exchange: Exchange) -> Order:
        """Handle an order that the exchange does not find by its id.
        That counts only once it can no longer arrive, and only if the history does not know it
        either.
        """
        accepted_once, now = intent.exchange_order_id is not None, exchange.time()
        if accepted_once or not may_conclude_absence(intent, exchange_time=now):
            return await self.escalate(intent, account, now=now)
        if intent.missed_at is not None and now - intent.missed_at < MISS_SPACING:
            return intent
        try:
            report = await look_in_history(intent, exchange)
        except OrderNotFound:
            return await self._count_miss(intent, account=account, exchange=exchange, now=now)
        except (Unavailable, Rejected):
            return await self.escalate(intent, account, now=exchange.time())
        return await self._found(intent, report, account=account, exchange=exchange)

    async def _count_miss(
        self, intent: Order, *, account: Account, exchange: Exchange, now: datetime
    ) -> Order:
        """Count a miss in both look-ups; after two the order never arrived.
        Not if the balances look as if it had been filled.
        """
        try:
            silent = left_no_trace(await exchange.holdings(), intent, now=now)
        except (Unavailable, Rejected):
            silent = False
        if not silent:
            return await self.escalate(intent, account, now=exchange.time())
        if intent.misses + 1 < MISSES_NEEDED:
            async with self.database.writing() as session:
                return await orders.move(
                    session, intent, intent.state, misses=intent.misses + 1, missed_at=now
                )
        return await self._never_arrived(intent, account)

    async def _never_arrived(self, intent: Order, account: Account) -> Order:
        now = self.clock.now()
        async with self.database.writing() as session:
            gone = await orders.move(session, intent, OrderState.NOT_EXECUTED, resolved_at=now)
            await pause_answers.settle(session, gone)
            alert = OrderNeverArrived(
                dry_run=intent.dry_run,
                symbol=intent.symbol,
                side=intent.side,
                expected_quote=intent.expected_quote,
            )
            key = f"order:{intent.client_order_id}:never"
            await publish(session, account.chat_id, alert, key=key, now=now)
        self.executor.live.settled(account.id, gone.client_order_id)
        return gone

    async def escalate(
        self,
        intent: Order,
        account: Account,
        report: OrderReport | None = None,
        *,
        now: datetime | None = None,
    ) -> Order:
        """Ask the user about an order unclear for 15 minutes, or 1 under an unknown status.
        The status is *report*'s. *now* is the exchange's time, if known.
        """
        waited = (now or self.clock.now()) - (intent.sent_at or intent.created_at)
        status = report.unknown_status if report else ""
        patience = STATUS_NEEDS_HUMAN_AFTER if status else NEEDS_HUMAN_AFTER
        if intent.state is OrderState.NEEDS_HUMAN or rests(intent) or waited < patience:
            return intent
        return await self._ask(intent, account, report)

    async def _ask(
        self, intent: Order, account: Account, report: OrderReport | None = None
    ) -> Order:
        status = report.unknown_status if report else ""
        execution = report.execution if report else NOTHING
        logger.error("order needs manual resolution", extra={"order": intent.client_order_id})
        async with self.database.writing() as session:
            intent = await orders.move(session, intent, OrderState.NEEDS_HUMAN)
            alert = OrderNeedsPerson(
                dry_run=intent.dry_run,
                symbol=intent.symbol,
                side=intent.side,
                expected_quote=intent.expected_quote,
                client_order_id=intent.client_order_id,
                status=status,
                base_quantity=execution.base_quantity,
                quote_amount=execution.quote_amount,
                rests=intent.order_type.may_rest,
            )
            key = f"order:{intent.client_order_id}:person"
            await publish(session, account.chat_id, alert, key=key, now=self.clock.now())
        return intent


async def look_in_history(intent: Order, exchange: Exchange) -> OrderReport:
    """Find an order in the history that is not found by its id. Raises as the interface does."""
    return await exchange.order_in_history(
        intent.symbol, intent.client_order_id, sent_at=intent.sent_at or intent.created_at
    )


def next_look(intent: Order, *, now: datetime) -> timedelta:
    """Returns the wait until the next look-up: a quarter of the order's age, from 2 to 30 s. One that
    rests is looked up rarely, and at its deadline. *now* is the exchange's time.
    """
    if rests(intent) and intent.cancelling_since is None:
        return max(min(LOOKS_APART, deadline_of(intent) - now), timedelta(milliseconds=100))
    waited = now - (intent.sent_at or intent.created_at)
    return min(max(waited / 4, timedelta(seconds=2)), timedelta(seconds=30))
