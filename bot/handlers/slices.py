"""`/buy` and `/sell` over time: the plan, the tap that begins it, and the rest that is stopped."""

from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.interaction.confirmations import payload_of
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request
from bot.parsing.slices import TradeOverTime
from bot.views.halt import no_trade_in_a_halt_view
from bot.views.manual_trade import manual_failed_view, manual_outdated_view
from bot.views.slices import (
    slices_begun_view,
    slices_plan_view,
    slices_running_view,
    slices_stopped_view,
)
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Confirmation, Refusal, RefusalReason
from engine.domain.market.pairs import Side
from engine.domain.rebalancing.slices.plan import SLICED, SlicesOffer
from engine.errors import Unavailable
from engine.rebalancing.slices_preview import preview_slices


@dataclass(frozen=True, eq=False)
class SlicesHandler(Handler):
    def routes(self) -> Routes:
        return Routes(
            taps={
                SLICED: ConfirmationHandler(
                    self._confirmed,
                    choices=lambda question: _offer(question).buttons,
                    late=lambda question: manual_outdated_view(side=_offer(question).trade.side),
                )
            }
        )

    async def running(self, account: Account) -> Message | None:
        """How far a trade over time is: meanwhile there is no other plan."""
        if account.slicing_until is None:
            return None
        progress = (await self.ctx.overviews.of(account)).slices
        return (
            None if progress is None else slices_running_view(account=account, progress=progress)
        )

    async def plan(self, request: Request, account: Account, wanted: TradeOverTime) -> Message:
        try:
            preview = await preview_slices(self.ctx.previews, account, wanted.trade, wanted.span)
        except Unavailable:
            return manual_failed_view(account=account, side=wanted.trade.side)
        question_id = None
        if preview.offer is not None and not account.halted:
            question_id = await self.ctx.confirmations.ask(
                request, kind=SLICED, payload=preview.offer
            )
        return slices_plan_view(
            preview=preview,
            side=wanted.trade.side,
            span=wanted.span,
            now=self.ctx.clock.now(),
            confirmation_id=question_id,
        )

    async def stop(self, request: Request, account: Account, *, side: Side) -> Message:
        stopped = await self.ctx.slices.stop(account, user_id=request.user_id)
        overview = await self.ctx.overviews.of(account)  # with what left before the stop
        return slices_stopped_view(
            account=account, side=side, stopped=stopped, unresolved=overview.unresolved
        )

    async def _confirmed(self, question: Confirmation, request: Request) -> Message | Refusal:
        account = await self.ctx.accounts.of(request.chat_id)
        if account.halted:
            return no_trade_in_a_halt_view(account=account)
        offer = _offer(question)
        side = offer.trade.side
        try:
            preview = await preview_slices(self.ctx.previews, account, offer.trade, offer.span)
        except Unavailable:
            return manual_failed_view(account=account, side=side)
        if preview.sized is None or preview.offer is None:
            return slices_plan_view(
                preview=preview,
                side=side,
                span=offer.span,
                now=self.ctx.clock.now(),
                confirmation_id=None,
            )
        run = await self.ctx.slices.begin(
            account,
            question.id,
            preview.sized,
            preview.offer,
            chat_id=request.chat_id,
            user_id=request.user_id,
            message_id=request.message_id,
            option=request.option,
        )
        if not isinstance(run, Refusal):
            return slices_begun_view(account=account, run=run, now=self.ctx.clock.now())
        if run.why is RefusalReason.OUTDATED:
            return manual_outdated_view(side=side)
        return run


def _offer(question: Confirmation) -> SlicesOffer:
    return payload_of(question, SlicesOffer)
