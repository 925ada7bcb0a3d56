"""`/buy` and `/sell`: the plan of one trade by hand, and the tap that makes it."""

from dataclasses import dataclass
from functools import partial

from bot.handlers.context import Handler, Routes
from bot.handlers.slices import SlicesHandler
from bot.interaction.confirmations import payload_of
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request
from bot.parsing.slices import TradeOverTime, parse_trade_over_time
from bot.views.halt import no_trade_in_a_halt_view
from bot.views.manual_trade import (
    manual_accepted_view,
    manual_failed_view,
    manual_form_view,
    manual_outdated_view,
    manual_plan_view,
    other_pair_view,
)
from bot.views.rebalance_plan import no_key_view, plan_blocked_view
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Confirmation, Refusal, RefusalReason
from engine.domain.market.pairs import Side, Symbol
from engine.domain.rebalancing.manual_trade import MANUAL, ManualTrade
from engine.domain.rebalancing.run_request import ManualOffer, offered
from engine.errors import Unavailable


@dataclass(frozen=True, eq=False)
class ManualTradeHandler(Handler):
    """A trade that the target does not ask for, at once or over time."""

    slices: SlicesHandler

    def routes(self) -> Routes:
        return Routes(
            commands={
                "buy": partial(self.trade, side=Side.BUY),
                "sell": partial(self.trade, side=Side.SELL),
            },
            taps={
                MANUAL: ConfirmationHandler(
                    self._confirmed,
                    choices=lambda question: _offer(question).buttons,
                    late=lambda question: manual_outdated_view(side=_offer(question).trade.side),
                )
            },
        )

    async def trade(  # noqa: PLR0911 - one return an outcome
        self, request: Request, *, side: Side
    ) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        if request.argument.strip().lower() == "stop":
            return await self.slices.stop(request, account, side=side)
        if (running := await self.slices.running(account)) is not None:
            return running
        if not request.argument.strip():
            await self.listen(request, request.command)
            return manual_form_view(account=account, side=side, is_listening=request.is_private)
        parser = partial(parse_trade_over_time, side=side, pair=account.settings.symbol)
        wanted: TradeOverTime | ManualTrade | Symbol | Message = await self.parse(request, parser)
        if isinstance(wanted, Message):
            return wanted
        if isinstance(wanted, str):
            return other_pair_view(account=account, wanted=wanted)
        if not account.can_trade:
            return no_key_view(account=account)
        overview = await self.ctx.overviews.of(account)
        if overview.unresolved is not None:
            return plan_blocked_view(account=account, unresolved=overview.unresolved)
        if isinstance(wanted, TradeOverTime):
            return await self.slices.plan(request, account, wanted)
        return await self._plan(request, account, wanted)

    async def _plan(self, request: Request, account: Account, trade: ManualTrade) -> Message:
        try:
            preview = await self.ctx.previews.preview(account, trade)
        except Unavailable:
            return manual_failed_view(account=account, side=trade.side)
        order, comes_to = preview.plan.order, preview.forecast
        offer, question_id = None, None
        if order is not None and comes_to is not None:
            offer = offered(account, trade, order, comes_to)
            if not account.halted:
                question_id = await self.ctx.confirmations.ask(request, kind=MANUAL, payload=offer)
        return manual_plan_view(
            account=account,
            trade=trade,
            plan=preview.plan,
            rules=preview.rules,
            forecast=comes_to,
            offer=offer,
            confirmation_id=question_id,
        )

    async def _confirmed(self, question: Confirmation, request: Request) -> Message | Refusal:
        account = await self.ctx.accounts.of(request.chat_id)
        if account.halted:
            return no_trade_in_a_halt_view(account=account)
        run = await self.ctx.accounts.confirm_run(
            question.id,
            chat_id=request.chat_id,
            user_id=request.user_id,
            message_id=request.message_id,
            option=request.option,
        )
        if not isinstance(run, Refusal):
            return manual_accepted_view(account=account, run=run)
        if run.why is RefusalReason.OUTDATED:
            return manual_outdated_view(side=_offer(question).trade.side)
        return run


def _offer(question: Confirmation) -> ManualOffer:
    return payload_of(question, ManualOffer)
