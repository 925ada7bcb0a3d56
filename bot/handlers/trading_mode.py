"""`/mode`, and the taps on a plan that was offered."""

from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.handlers.setting_change import SettingChangeFlow
from bot.handlers.trading import confirm_trade
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request, Response
from bot.views.alerts.approvals import ANSWERS, SKIP, TRADE, resting_view, skipped_view
from bot.views.trading_mode import mode_changed_view, mode_not_understood_view, mode_view
from engine.domain.accounts.confirmation import Confirmation, Refusal
from engine.domain.accounts.settings import TradingMode
from engine.domain.rebalancing.approval import OFFER


@dataclass(frozen=True, eq=False)
class TradingModeHandler(Handler):
    """How far the chat's account goes by itself."""

    setting_change: SettingChangeFlow

    def routes(self) -> Routes:
        return Routes(
            commands={"mode": self.mode},
            taps={OFFER: ConfirmationHandler(self._answered, choices=lambda _: len(ANSWERS))},
        )

    async def mode(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        if not request.argument:
            return mode_view(account=account, now=self.ctx.clock.now())
        try:
            wanted = TradingMode(request.argument.strip().lower())
        except ValueError:
            return mode_not_understood_view(account=account, typed_text=request.argument)
        change = await self.ctx.modes.change(account, wanted, user_id=request.user_id)
        echo = mode_changed_view(
            **await self.forecast(change.after),
            changed=change.before != change.after,
            under_way=change.under_way,
        )
        return await self.setting_change.with_undo(
            request, before=change.before, after=change.after, echo=echo
        )

    async def _answered(self, question: Confirmation, request: Request) -> Response | Refusal:
        account = await self.ctx.accounts.of(request.chat_id)
        if request.option == TRADE:
            return await confirm_trade(self.ctx, question, account, request)
        is_one, user_id = request.option == SKIP, request.user_id
        refusal = await self.ctx.modes.skip(
            question.id, account, user_id=user_id, everything=not is_one
        )
        return refusal or (skipped_view if is_one else resting_view)(account=account)
