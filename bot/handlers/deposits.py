"""The taps on the question what to do with USDT that arrived."""

from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.handlers.setting_change import SettingChangeFlow
from bot.interaction.request import ConfirmationHandler, Request, Response
from bot.views.alerts.balance_changes import CHOICES, LEAVE, left_view
from engine.domain.accounts.confirmation import Confirmation, Refusal
from engine.rebalancing.balance_changes import DEPOSIT


@dataclass(frozen=True, eq=False)
class DepositsHandler(Handler):
    """It has no command: "Trade it" is /rebalance, and /settarget sets any target."""

    setting_change: SettingChangeFlow

    def routes(self) -> Routes:
        return Routes(
            taps={DEPOSIT: ConfirmationHandler(self._answered, choices=lambda _: len(CHOICES))}
        )

    async def _answered(self, question: Confirmation, request: Request) -> Response | Refusal:
        if request.option != LEAVE:
            return await self.setting_change.keep_deposit(question, request)
        taken = await self.ctx.confirmations.take(question.id, request)
        if isinstance(taken, Refusal):
            return taken
        return left_view(account=await self.ctx.accounts.of(request.chat_id))
