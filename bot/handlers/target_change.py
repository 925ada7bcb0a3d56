"""Sets a target of any kind: says first what it would do, and sets it after a tap."""

from dataclasses import dataclass
from decimal import Decimal

from bot.handlers.context import Handler, Routes
from bot.handlers.setting_change import SettingChangeFlow
from bot.handlers.target_card import TargetWish, ask_to_set, covers, look_at
from bot.interaction.confirmations import SELL_WHOLE, SET_TARGET, payload_of
from bot.interaction.message import Message
from bot.interaction.request import ConfirmationHandler, Request
from bot.parsing.settings import Topic
from bot.views.target import (
    sells_whole_view,
)
from engine.domain.accounts.account import Account
from engine.domain.accounts.confirmation import Confirmation, Refusal
from engine.domain.market.pairs import Asset
from engine.domain.portfolio.consequence import Consequence
from engine.domain.rebalancing.pending_change import PendingChange
from engine.domain.targets.target import Basket, FixedUsdt, Target
from engine.rebalancing.target_preview import TargetLook


@dataclass(frozen=True, eq=False)
class TargetChangeFlow(Handler):
    setting_change: SettingChangeFlow

    def routes(self) -> Routes:
        return Routes(
            taps={
                SET_TARGET: ConfirmationHandler(self._set),
                SELL_WHOLE: ConfirmationHandler(self.ctx.confirmations.once(self._sale_agreed)),
            },
        )

    async def propose(
        self, request: Request, account: Account, wish: TargetWish, *, sale_agreed: bool = False
    ) -> Message:
        """What the target would do, with a button that sets it; or why it cannot be set."""
        target, settings = wish.target, account.settings
        if target == settings.target:
            return await self.setting_change.field(
                request, account, Topic.TARGET, {"target": target}, in_panel=False
            )
        if isinstance(target, FixedUsdt) and isinstance(settings.target, FixedUsdt):
            return await self.setting_change.target(
                request, account, target.quote_amount, in_panel=False
            )
        look = await look_at(self.ctx, account, target)
        if isinstance(look, Message):
            return look
        sold = _sold_whole(target, look)
        if sold and not sale_agreed:
            question_id = await self.ctx.confirmations.ask(request, kind=SELL_WHOLE, payload=wish)
            return sells_whole_view(account=account, sold=sold, confirmation_id=question_id)
        return await ask_to_set(self.ctx, request, account, wish, look)

    async def _sale_agreed(self, question: Confirmation, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        wish = payload_of(question, TargetWish)
        return await self.propose(request, account, wish, sale_agreed=True)

    async def _set(self, question: Confirmation, request: Request) -> Message | Refusal:
        """The prices are read again: where more than was shown would be traded, it is shown first."""
        proposal = payload_of(question, PendingChange)
        account = await self.ctx.accounts.of(request.chat_id)
        target = proposal.wanted.target
        if target is not None and proposal.holds(account):
            look = await look_at(self.ctx, account, target)
            if isinstance(look, TargetLook) and not covers(proposal, look):
                taken = await self.ctx.confirmations.take(question.id, request)
                if isinstance(taken, Refusal):
                    return taken
                wish = TargetWish(target=target)
                return await ask_to_set(self.ctx, request, account, wish, look)
        return await self.setting_change.carry_out(question, request, action="target")


def _sold_whole(target: Target, look: TargetLook) -> list[tuple[Asset, Decimal]]:
    """The tokens that lose all they have, and what that is worth."""
    if not isinstance(target, Basket) or not isinstance(look.found, Consequence):
        return []
    values = look.found.plan.values
    return [(asset, values[asset]) for asset in target.sold_out if values[asset]]
