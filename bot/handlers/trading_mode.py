"""`/mode`, and the taps on a plan that was offered."""

from collections.abc import Mapping

from bot.handlers.setting_change import SettingChangeFlow
from bot.interaction.callback_data import Choose, Confirm
from bot.interaction.message import Message
from bot.interaction.request import Command, ConfirmationHandler, PageHandler, Request, Response
from bot.views.alerts.approvals import ANSWERS, SKIP, TRADE, resting_view, skipped_view
from bot.views.halt import no_trade_in_a_halt_view
from bot.views.rebalance_plan import plan_accepted_view, plan_paused_view
from bot.views.trading_mode import mode_changed_view, mode_not_understood_view, mode_view
from engine.accounts.account_service import AccountService
from engine.accounts.overview import AccountOverviews
from engine.accounts.trading_mode import TradingModes
from engine.clock import Clock
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import TradingMode
from engine.rebalancing.preview import Previews
from engine.storage.chat.confirmations import Confirmation, Refusal
from engine.storage.trading.approvals import OFFER


class TradingModeHandler:
    """How far the chat's account goes by itself."""

    def __init__(
        self,
        *,
        accounts: AccountService,
        modes: TradingModes,
        changing: SettingChangeFlow,
        previews: Previews,
        situations: AccountOverviews,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._modes = modes
        self._changing = changing
        self._previews = previews
        self._situations = situations
        self._clock = clock

    @property
    def commands(self) -> Mapping[str, Command]:
        return {"mode": self.mode}

    @property
    def taps(self) -> Mapping[str, ConfirmationHandler]:
        return {OFFER: ConfirmationHandler(self._answered, choices=lambda _: len(ANSWERS))}

    @property
    def pages(self) -> Mapping[type, PageHandler]:
        return {}

    async def mode(self, ask: Request) -> Message:
        account = await self._accounts.of(ask.chat_id)
        if not ask.argument:
            return mode_view(account=account, now=self._clock.now())
        try:
            wanted = TradingMode(ask.argument.strip().lower())
        except ValueError:
            return mode_not_understood_view(account=account, typed_text=ask.argument)
        change = await self._modes.change(account, wanted, user_id=ask.user_id)
        outlook = await self._previews.outlook(change.after, self._situations.look)
        echo = mode_changed_view(
            account=change.after,
            changed=change.before != change.after,
            now=self._clock.now(),
            look=outlook.look,
            rules=outlook.rules,
            foreseen=outlook.foreseen,
            under_way=change.under_way,
        )
        return await self._changing.with_undo(
            ask, before=change.before, after=change.after, echo=echo
        )

    async def _answered(
        self, question: Confirmation, press: Confirm | Choose, ask: Request
    ) -> Response | Refusal:
        account = await self._accounts.of(ask.chat_id)
        match press.index if isinstance(press, Choose) else TRADE:
            case index if index == TRADE:
                return await self._trade(question, account, ask)
            case index if index == SKIP:
                refusal = await self._modes.skip(question.id, account, user_id=ask.user_id)
                return refusal or skipped_view(account=account)
            case _:
                refusal = await self._modes.rest(question.id, account, user_id=ask.user_id)
                return refusal or resting_view(account=account)

    async def _trade(
        self, question: Confirmation, account: Account, ask: Request
    ) -> Message | Refusal:
        """As the tap under `/rebalance`: the engine prices it anew, trades it or says why not."""
        if account.halted:
            return no_trade_in_a_halt_view(account=account)
        if account.settings.paused:
            return plan_paused_view(account=account)
        run = await self._accounts.confirm_run(
            question.id, chat_id=ask.chat_id, user_id=ask.user_id
        )
        if isinstance(run, Refusal):
            return run
        return plan_accepted_view(
            account=account, side=run.side, expected_quote=run.expected_quote
        )
