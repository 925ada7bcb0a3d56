"""Runs a trade over time: which slice a check is to trade, and what its end changes.

Each slice goes the way of a trade by hand. Its number is stored with its order, before that leaves:
a slice whose process died is looked up or missed, and never sent again.
"""

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from engine.domain.accounts.incidents import Incident, IncidentKind
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.slices_alerts import SlicedTradeOver
from engine.domain.execution.slices import DueSlice, NextSlice, SlicesOver
from engine.domain.market.balances import Holdings
from engine.domain.rebalancing.check_input import CheckInput, SliceDue
from engine.domain.rebalancing.slices.run import SlicedRun, done_by, slice_trade
from engine.errors import LeaseLost
from engine.notifications.publish import publish
from engine.storage.accounts import accounts, audit
from engine.storage.coordination import leases
from engine.storage.service import Service
from engine.storage.trading import orders, sliced_trades

AT_ONCE = timedelta(seconds=1)

logger = logging.getLogger(__name__)


@dataclass(eq=False, kw_only=True, repr=False)
class SlicedTrades(Service):
    """*owner* is this process's name in the leases."""

    owner: str

    async def check(
        self, duty: CheckInput, run: SlicedRun, holdings: Holdings, *, fence: int
    ) -> CheckInput | timedelta:
        """Returns the check's input with the slice that it is to trade, or the time to its next look.
        Where the trade is over, that is told.
        """
        account, now = duty.account, self.clock.now()
        async with self.database.reading() as session:
            done = done_by(await orders.of_slices(session, account.id, run))
        match step := run.step(done, now=now):
            case DueSlice():
                due = SliceDue(
                    step.number,
                    run.count,
                    run.run_id(step.number),
                    slice_trade(run.trade, step.amount),
                )
                # What else was confirmed is not traded meanwhile.
                return replace(duty, due=due, request=None)
            case NextSlice():
                return min(max(step.at - now, AT_ONCE), account.settings.interval)
            case SlicesOver():
                held = account.settings.held(holdings)
                await self.finish(duty, run, fence=fence, held=held, over=step)
                return AT_ONCE

    def next_in(self, duty: CheckInput, run: SlicedRun, again_in: timedelta | None) -> timedelta:
        """Returns when to look after the slice of *duty*: the next one is due then, at the latest."""
        soon = again_in or duty.account.settings.interval
        if duty.due is None:
            return soon
        left = run.trade.due_at(duty.due.number + 1) - self.clock.now()
        return min(max(left, AT_ONCE), soon)

    async def finish(
        self,
        duty: CheckInput,
        run: SlicedRun,
        *,
        fence: int,
        held: Decimal | None = None,
        over: SlicesOver | None = None,
    ) -> None:
        """Tell that the trade is over, and pause trading or set the target as was said before it
        began: in one transaction, once. *held* is the balance where it was read. Without *over* it
        was ended by a user or a change. Raises LeaseLost where the account is another process's.
        """
        account, now = duty.account, self.clock.now()
        async with self.database.writing() as session:
            current = await accounts.locked(session, account.id)
            if not await leases.is_held(
                session, account.id, owner=self.owner, fence=fence, now=self.database.now()
            ):
                raise LeaseLost(f"account {account.id} has another owner by now")
            stored = (await sliced_trades.of_accounts(session, [account.id])).get(account.id)
            if stored is None or not await sliced_trades.drop(session, account.id, run):
                return
            # What becomes of the target may have been changed since the check began.
            run = replace(run, target=stored.target, pauses=stored.pauses)
            done = done_by(await orders.of_slices(session, account.id, run))
            if over is None:
                ended = run.step(done, now=now)
                if not isinstance(ended, SlicesOver):
                    raise LeaseLost(f"the slices of account {account.id} are not over")
                over = ended
            changes = run.changes(done, end=over.end, settings=current.settings, held=held)
            after = await accounts.change(session, current, **changes) if changes else current
            await audit.add_changes(session, current, after, at=now, user_id=run.user_id)
            await accounts.note_slices(session, after, until=None)
            alert = SlicedTradeOver(
                dry_run=run.dry_run,
                symbol=run.symbol,
                side=run.trade.side,
                end=over.end,
                slices=run.count,
                orders=done.orders,
                base_quantity=done.base_quantity,
                quote_amount=done.quote_amount,
                fees=done.fees,
                fees_complete=done.fees_complete,
                cost=done.cost,
                left=over.left,
                in_base=run.trade.in_base,
                target=run.target if "target" in changes else None,
                by_itself=after.settings.autonomy is TradingMode.AUTO,
            )
            await publish(
                session, account.chat_id, alert, key=f"slices:{run.plan_id}:over", now=now
            )
        logger.info(
            "slices over",
            extra={"account": account.id, "end": over.end.value, "slices": done.orders},
        )


def over_by_a_look(trouble: Incident | None) -> Incident | None:
    """Returns *trouble*, unless only a trade shows that it is over: slices may be refused in a row."""
    refused = trouble is not None and trouble.kind is IncidentKind.ORDER_REFUSED
    return None if refused else trouble
