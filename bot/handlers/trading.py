"""`/pause`, and `/rebalance` with its tap."""

from dataclasses import dataclass
from functools import partial

from bot.handlers.context import Handler, HandlerContext, Routes
from bot.interaction.confirmations import REBALANCE
from bot.interaction.message import Message, to_payload
from bot.interaction.request import ConfirmationHandler, Request, TrackedMessage
from bot.parsing.plain_words import pause_time
from bot.views.halt import no_trade_in_a_halt_view
from bot.views.pause_resume import may_fill_line, paused_view
from bot.views.portfolio_plan import portfolio_accepted_view, portfolio_plan_view
from bot.views.rebalance_plan import (
    no_key_view,
    plan_accepted_view,
    plan_blocked_view,
    plan_failed_view,
    plan_paused_view,
    plan_view,
)
from bot.views.slices import slices_running_view
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Confirmation, Refusal
from engine.domain.orders.order import Order
from engine.domain.rebalancing.run_request import RunOffer, WholePlan
from engine.errors import Unavailable
from engine.notifications.pause_answers import PauseAnswer
from engine.rebalancing.portfolio_planning import Planned


@dataclass(frozen=True, eq=False)
class TradingHandler(Handler):
    def routes(self) -> Routes:
        return Routes(
            commands={"pause": self.pause, "stop": self.pause, "rebalance": self.rebalance},
            taps={REBALANCE: ConfirmationHandler(self._confirmed)},
        )

    async def pause(self, request: Request) -> Message | TrackedMessage:
        """Whatever stands behind the command, trading is paused."""
        cancelling = self.ctx.cancellation.begin(request.chat_id)
        account = await self.ctx.accounts.of(request.chat_id)
        length = pause_time(request.argument)
        ends_at = self.ctx.clock.now() + length if length and account.can_trade else None
        change = await self.ctx.accounts.pause(
            request.chat_id, user_id=request.user_id, first=cancelling, ends_at=ends_at
        )
        answer = paused_view(
            account=change.after,
            already=change.before == change.after,
            unresolved=change.under_way,
            called_off=change.called_off,
            slices_ended=change.slices_ended,
            cancelled=cancelling.names,
            ends_at=ends_at,
            no_time="" if length else request.argument,
        )
        if (order := change.under_way) is None:
            return answer
        return TrackedMessage(answer, partial(self._shown, request.chat_id, order, answer))

    async def _shown(self, chat_id: int, order: Order, answer: Message, message_id: int) -> None:
        """The answer is edited when the order's end is known."""
        kept = PauseAnswer(
            chat_id=chat_id,
            message_id=message_id,
            payload=to_payload(answer),
            doubt=may_fill_line(order),
        )
        await self.ctx.pause_answers.shown(order.client_order_id, kept)

    async def rebalance(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        if not account.can_trade:
            return no_key_view(account=account)
        overview = await self.ctx.overviews.of(account)
        if overview.slices is not None:
            return slices_running_view(account=account, progress=overview.slices)
        if overview.unresolved is not None:
            return plan_blocked_view(account=account, unresolved=overview.unresolved)
        if account.settings.fixed is None:
            return await self._whole_plan(request, account)
        try:
            preview = await self.ctx.previews.preview(account)
        except Unavailable:
            return plan_failed_view(account=account)
        order = preview.plan.order
        question_id = None
        if order is not None and not account.stopped:
            offer = RunOffer.of(account, order)
            question_id = await self.ctx.confirmations.ask(request, kind=REBALANCE, payload=offer)
        return plan_view(
            account=account,
            plan=preview.plan,
            rules=preview.rules,
            forecast=preview.forecast,
            seen=preview.seen,
            confirmation_id=question_id,
        )

    async def _whole_plan(self, request: Request, account: Account) -> Message:
        """One card for all trades of a portfolio."""
        try:
            planned = await self.ctx.target_previews.plan(account)
        except Unavailable:
            return plan_failed_view(account=account)
        question_id = None
        if isinstance(planned, Planned) and planned.plan.legs and not account.stopped:
            offer = RunOffer.of(account, WholePlan(planned.plan.legs))
            question_id = await self.ctx.confirmations.ask(request, kind=REBALANCE, payload=offer)
        return portfolio_plan_view(account=account, planned=planned, confirmation_id=question_id)

    async def _confirmed(self, question: Confirmation, request: Request) -> Message | Refusal:
        account = await self.ctx.accounts.of(request.chat_id)
        return await confirm_trade(
            self.ctx, question, account, request, message_id=request.message_id
        )


async def confirm_trade(
    ctx: HandlerContext,
    question: Confirmation,
    account: Account,
    request: Request,
    *,
    message_id: int | None = None,
) -> Message | Refusal:
    """The engine prices it again and trades it, or reports why not in *message_id*."""
    if account.halted:
        return no_trade_in_a_halt_view(account=account)
    if account.settings.paused:
        return plan_paused_view(account=account)
    run = await ctx.accounts.confirm_run(
        question.id, chat_id=request.chat_id, user_id=request.user_id, message_id=message_id
    )
    if isinstance(run, Refusal):
        return run
    if account.settings.fixed is None:
        return portfolio_accepted_view(account=account)
    return plan_accepted_view(account=account, side=run.side, expected_quote=run.expected_quote)
