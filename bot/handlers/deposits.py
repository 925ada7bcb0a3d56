"""The taps on the question what to do with USDT that arrived."""

from collections.abc import Mapping

from bot.handlers.setting_change import SettingChangeFlow
from bot.interaction.callback_data import Choose, Confirm
from bot.interaction.confirmations import Confirmations
from bot.interaction.request import Command, ConfirmationHandler, PageHandler, Request, Response
from bot.views.alerts.balance_changes import CHOICES, LEAVE, left_view
from engine.accounts.account_service import AccountService
from engine.rebalancing.balance_changes import DEPOSIT
from engine.storage.chat.confirmations import Confirmation, Refusal


class DepositsHandler:
    """It has no command: "Trade it" is /rebalance, and /settarget sets any target."""

    def __init__(
        self, *, accounts: AccountService, changing: SettingChangeFlow, questions: Confirmations
    ) -> None:
        self._accounts = accounts
        self._changing = changing
        self._questions = questions

    @property
    def commands(self) -> Mapping[str, Command]:
        return {}

    @property
    def taps(self) -> Mapping[str, ConfirmationHandler]:
        return {DEPOSIT: ConfirmationHandler(self._answered, choices=lambda _: len(CHOICES))}

    @property
    def pages(self) -> Mapping[type, PageHandler]:
        return {}

    async def _answered(
        self, question: Confirmation, press: Confirm | Choose, ask: Request
    ) -> Response | Refusal:
        if not (isinstance(press, Choose) and press.index == LEAVE):
            return await self._changing.keep_deposit(question, ask)
        taken = await self._questions.take(question.id, ask)
        if isinstance(taken, Refusal):
            return taken
        return left_view(account=await self._accounts.of(ask.chat_id))
