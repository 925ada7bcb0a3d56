"""The order protocol: written down, sent once, looked up when in doubt, booked with its alert.

    planned -> sending -> acked -> filled | partial | unfilled
                       -> rejected | dropped (provably never left)
                       -> unknown -> (engine/execution/reconciliation.py)

An order with a price that rests all the same stays acked until it is cancelled
(engine/execution/bounded_orders.py).

Every arrow is committed before the next step, so a crash at any point leaves a row that
`engine/execution/reconciliation.py` can finish. One POST per intent, ever.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.domain.accounts.account import Account
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.alerts.alerts import OrderUnclear, trade_settled
from engine.domain.execution.bound import is_old
from engine.domain.execution.capability import Lesson, refuses_type
from engine.domain.market.balances import Holdings
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import USDT, Asset, OrderType, base_of
from engine.domain.orders.order import (
    AccountId,
    ClientOrderId,
    Order,
    OrderState,
    Trigger,
    coin_of,
    settled_state,
)
from engine.domain.rebalancing.check_result import CheckResult
from engine.domain.rebalancing.decision import DecisionInputs
from engine.domain.rebalancing.leg_order import LegInputs
from engine.domain.rebalancing.run_request import RunRequest
from engine.domain.runs.stored_run import PortfolioRun
from engine.domain.targets.timing import SlotStep
from engine.errors import BadData, ClockRefused, LeaseLost, OutcomeUnknown, Rejected, Unavailable
from engine.exchanges.interface import Exchange, OrderReport, OrderRequest
from engine.execution.bounded_orders import BoundedOrderFollower, look_up
from engine.execution.fills import NOTHING_READ, lacks_fees, late_fees, read_end, until_released
from engine.execution.order_types import learn, learn_from_end
from engine.notifications import incidents, pause_answers
from engine.notifications.publish import publish
from engine.storage.accounts import accounts, audit
from engine.storage.accounts import incidents as stored_incidents
from engine.storage.coordination import leases
from engine.storage.service import Service
from engine.storage.trading import (
    check_results,
    order_types,
    orders,
    run_requests,
    runs,
    sliced_trades,
)
from engine.streaming.live_accounts import LiveAccounts
from engine.timeouts import Timing

logger = logging.getLogger(__name__)

# The exchange's code for a price further from the market than it allows.
PRICE_OUT_OF_RANGE = 30087

# How long to wait before asking again after an order the exchange has just taken.
_FIRST_PAUSE = timedelta(milliseconds=250)
_LONGEST_PAUSE = timedelta(seconds=2)


@dataclass(eq=False, kw_only=True, repr=False)
class OrderExecutor(Service):
    """*owner* is this process's name in the leases; *live* what the streams tell."""

    timing: Timing
    owner: str
    live: LiveAccounts

    def __post_init__(self) -> None:
        self.bounded = BoundedOrderFollower(
            database=self.database, clock=self.clock, timing=self.timing, live=self.live
        )
        # What coin beside the pair's own paid an account's last fee.
        self._fee_coins: dict[AccountId, Asset | None] = {}
        # What showed the fill of a leg, until the next one is planned from it.
        self._shown: dict[ClientOrderId, Holdings] = {}

    async def execute(
        self,
        intent: Order,
        *,
        account: Account,
        exchange: Exchange,
        read_at: datetime,
        look: CheckResult,
        inputs: DecisionInputs | LegInputs,
        request: RunRequest | None = None,
        run: PortfolioRun | None = None,
        slot: SlotStep | None = None,
    ) -> Order:
        """Execute *intent* once; returns it as far as it got. Its *inputs* are stored with it, and
        the *run* it is a leg of, which tells of it. Let out, it ends its set time, the *slot*.

        *read_at* is when the data it was planned on was read, by the clock's `steady`. *request* is
        the user's tap, which may have expired; the settings that change with it are stored where
        the order is let out. Raises LeaseLost or BadData if it may not be sent (any more),
        Unavailable if it provably never left, ClockRefused if only the time stamp was wrong: in
        all of them nothing was traded and that is recorded. A refusal or an unclear outcome is
        reported to the chat and is no exception: the intent comes back as REJECTED or UNKNOWN.
        """
        async with self.database.writing() as session:
            if run is not None:
                await runs.put(session, run)
            await orders.add(session, intent, inputs, mode=account.settings.execution)
            if intent.slice_number is not None:
                await sliced_trades.begin(
                    session, intent, owner=self.owner, now=self.database.now()
                )
            await check_results.put(session, account.id, look)
        sending = await self._start(
            intent, account=account, exchange=exchange, read_at=read_at, request=request, slot=slot
        )
        self.live.ordered(account.id, sending.client_order_id)
        try:
            exchange_order_id = await exchange.place(OrderRequest.of(sending))
        except (Unavailable, ClockRefused) as e:  # the check measures the clock and retries
            await self._drop(sending, error=str(e))
            raise
        except Rejected as e:
            return await self._refused(sending, account, e)
        except OutcomeUnknown as e:
            return await self.mark_unknown(sending, account, error=str(e))
        async with self.database.writing() as session:
            acked = await orders.move(
                session,
                sending,
                OrderState.ACKED,
                exchange_order_id=exchange_order_id,
                acknowledged_at=self.clock.now(),
            )
        return await self.await_fill(acked, account=account, exchange=exchange, late=False)

    async def _start(
        self,
        intent: Order,
        *,
        account: Account,
        exchange: Exchange,
        read_at: datetime,
        request: RunRequest | None,
        slot: SlotStep | None,
    ) -> Order:
        is_old, sending = False, None
        manual = request.manual if request is not None else None
        async with self.database.writing() as session:
            await orders.hold_account(session, account.id, changes=bool(manual and manual.changes))
            # Judged now: the writer's turn and the lock may both have been waited for.
            is_old = self.clock.steady() - read_at > self.timing.data_age
            if not is_old and (request is None or self.clock.now() <= request.expires_at):
                sending = await orders.start_sending(
                    session,
                    intent,
                    now=self.database.now(),
                    owner=self.owner,
                    margin=self.timing.send_margin,
                    account=account,
                    sent_at=exchange.time(),
                )
            if sending is not None:
                if slot is not None:
                    await check_results.note_slot(session, account, slot.slot.at)
                # From here on the order itself answers the user's tap.
                await run_requests.drop(session, account.id, confirmation_id=intent.run_id)
                if manual is not None and manual.changes:
                    changed = await accounts.change(session, account, **manual.changes)
                    await audit.add_changes(
                        session, account, changed, at=self.clock.now(), user_id=manual.user_id
                    )
        if is_old:
            await self._drop(intent, error="the data grew old")
            async with self.database.reading() as session:
                now, fence = self.database.now(), intent.fence
                is_ours = await leases.is_held(
                    session, account.id, owner=self.owner, fence=fence, now=now
                )
            if not is_ours:  # then we slept, and nothing is wrong
                raise LeaseLost(f"account {account.id} has another owner by now")
            raise BadData("the balances and prices are too old to trade on")
        if sending is None:
            await self._drop(intent, error="the account changed hands or wishes")
            raise LeaseLost(f"account {account.id} changed before its order left")
        return sending

    async def must_plan_again(
        self,
        intent: Order,
        *,
        book: OrderBook,
        is_untried: bool,
        account: Account,
        exchange: Exchange,
    ) -> bool:
        """True if the exchange takes no such order, or the *book* of one with a price has grown old."""
        if intent.priced is None:
            return False
        if is_untried and not await self.try_type(intent, account=account, exchange=exchange):
            return True
        return is_old(book, now=self.clock.now())

    async def try_type(self, intent: Order, *, account: Account, exchange: Exchange) -> bool:
        """Ask the exchange whether it would take an order of that type, which places none.
        False where it does not, and that is stored; the live order answers all other doubts.
        """
        asked = replace(intent, sent_at=exchange.time())
        try:
            await exchange.try_order(OrderRequest.of(asked))
        except Rejected as e:
            if not refuses_type(e.code, e.message):
                return True
            async with self.database.writing() as session:
                await learn(session, account, intent, Lesson.REFUSED, now=self.clock.now())
            return False
        except Unavailable:
            return True
        return True

    async def mark_unknown(self, intent: Order, account: Account, *, error: str) -> Order:
        """Mark an order whose outcome is unknown, alert the chat, and leave it to recovery."""
        logger.warning("order unclear", extra={"order": intent.client_order_id})
        async with self.database.writing() as session:
            unknown = await orders.move(session, intent, OrderState.UNKNOWN, error=error)
            alert = OrderUnclear(
                dry_run=intent.dry_run,
                symbol=intent.symbol,
                side=intent.side,
                expected_quote=intent.expected_quote,
            )
            key = f"order:{intent.client_order_id}:unclear"
            await publish(session, account.chat_id, alert, key=key, now=self.clock.now())
        return unknown

    async def await_fill(
        self, intent: Order, *, account: Account, exchange: Exchange, late: bool
    ) -> Order:
        """Follow an accepted order until it has ended, then book it.

        Returns the intent unchanged if the exchange does not answer or the order stays open for
        `settle_for`; recovery continues from there.
        """
        if intent.priced is not None:
            followed = await self.bounded.follow(intent, exchange)
            if followed.report is None:
                return followed.intent
            return await self.record_fill(
                followed.intent, followed.report, account=account, exchange=exchange, late=late
            )
        deadline = self.clock.steady() + self.timing.settle_for
        pause = _FIRST_PAUSE
        while True:
            report = await look_up(intent, exchange)
            if report is not None and report.is_final:
                return await self.record_fill(
                    intent, report, account=account, exchange=exchange, late=late
                )
            if self.clock.steady() + pause > deadline:
                return intent
            await self.live.sleep(intent.account_id, pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def take_balances(self, leg: Order) -> Holdings | None:
        """Returns the balances that showed the fill of *leg*, once; None where none did."""
        return self._shown.pop(leg.client_order_id, None)

    async def record_fill(
        self,
        intent: Order,
        report: OrderReport,
        *,
        account: Account,
        exchange: Exchange,
        late: bool,
    ) -> Order:
        """Write an order's end down: amounts, fees, balances after, and the alert, together."""
        state = settled_state(report.execution, complete=report.complete)
        end = NOTHING_READ
        if intent.order_type.may_rest:
            async with self.database.reading() as session:
                locked = await order_types.locked_before(session, intent)
            end = await until_released(intent, exchange, self.clock, locked=locked)
        if state is not OrderState.UNFILLED:
            coin = self._fee_coins.get(account.id)
            streamed = self.live.fills_of(account.id, intent.client_order_id)
            end = await read_end(
                intent, report, exchange, self.clock, coin=coin, streamed=streamed
            )
            self._fee_coins[account.id] = coin_of(end.fees, intent.symbol)
        after, now = end.after, self.clock.now()
        if after is not None and intent.leg is not None and not late:
            self._shown[intent.client_order_id] = after
        async with self.database.writing() as session:
            settled = await orders.move(
                session,
                intent,
                state,
                exchange_order_id=report.exchange_order_id,
                execution=report.execution,
                fees=end.fees,
                final_mid=end.mid,
                fee_price=end.fee_price,
                quote_after=after.of(USDT).total if after else None,
                base_after=after.of(base_of(intent.symbol)).total if after else None,
                resolved_at=now,
            )
            await pause_answers.settle(session, settled)
            await learn_from_end(session, account, settled, now=now)
            if state is OrderState.UNFILLED and intent.order_type.may_rest:
                # The next plan trades at once: of no interest where nobody was alarmed.
                if intent.was_unclear:
                    alert = trade_settled(settled, late=True)
                    key = f"order:{intent.client_order_id}:{state.value}"
                    await publish(session, account.chat_id, alert, key=key, now=now)
            elif state is OrderState.UNFILLED:
                kind, asked = IncidentKind.NOT_FILLED, _is_awaited(intent)
                await incidents.record(session, account, kind=kind, now=now, asked=asked)
            else:
                # The end of a run, or of the slices, tells of them.
                is_part = intent.slice_number is not None and not late
                if not is_part and not await runs.is_open(session, settled):
                    alert = trade_settled(settled, late=late)
                    key = f"order:{intent.client_order_id}:{state.value}"
                    await publish(session, account.chat_id, alert, key=key, now=now)
                trouble = await stored_incidents.get(session, account.id)
                calm = self.timing.calm(account.settings.interval)
                await incidents.resolve(session, account, trouble, now=now, calm=calm)
                await incidents.judge_fill(session, account, settled, now=now)
        self.live.settled(account.id, settled.client_order_id, after=after, begun=end.begun)
        return settled

    async def learn_late_fees(self, fill: Order | None, exchange: Exchange) -> None:
        """Book the fees of the last *fill* that the exchange had not shown when it ended."""
        if fill is None or not lacks_fees(fill, now=self.clock.now()):
            return
        fees = await late_fees(fill, exchange)
        if fees is not None:
            async with self.database.writing() as session:
                await orders.learn_fees(session, fill, fees)

    async def _refused(self, intent: Order, account: Account, error: Rejected) -> Order:
        now = self.clock.now()
        self.live.settled(account.id, intent.client_order_id)
        async with self.database.writing() as session:
            refused = await orders.move(
                session, intent, OrderState.REJECTED, error=str(error), resolved_at=now
            )
            await pause_answers.settle(session, refused)
            if intent.priced is not None and refuses_type(error.code, error.message):
                await learn(session, account, intent, Lesson.REFUSED, now=now)
                return refused
            # A maker would have traded at once, or the order that follows it meets the same.
            if must_narrow(refused) or intent.order_type.may_rest:
                return refused
            await incidents.record(
                session,
                account,
                kind=incidents.kind_of(error),
                detail=error.message,
                now=now,
                asked=_is_awaited(intent),
            )
        return refused

    async def _drop(self, intent: Order, *, error: str) -> None:
        async with self.database.writing() as session:
            now, dropped = self.clock.now(), OrderState.DROPPED
            gone = await orders.move(session, intent, dropped, error=error, resolved_at=now)
            await pause_answers.settle(session, gone)
        self.live.settled(gone.account_id, gone.client_order_id)


def _is_awaited(intent: Order) -> bool:
    """True if a user waits for what becomes of this very order."""
    return intent.trigger is Trigger.PERSON and intent.slice_number is None


def must_narrow(intent: Order) -> bool:
    """True if the exchange refused the order's bound as too far away, and one nearer to the middle is
    tried: once, and where no user's tap is used up by it. Whoever sends the legs of a run counts
    for itself.
    """
    return (
        intent.state is OrderState.REJECTED
        and intent.order_type is OrderType.IOC
        and (intent.attempt == 1 or intent.leg is not None)
        and intent.trigger is Trigger.INTERVAL
        and (intent.error or "").startswith(f"{PRICE_OUT_OF_RANGE}:")
    )
