"""`/target`: shows the target, reads another one, and begins a basket by buttons."""

from dataclasses import dataclass

from bot.handlers.basket_builder import BasketBuilder
from bot.handlers.context import Handler, Routes
from bot.handlers.target_card import TargetWish
from bot.handlers.target_change import TargetChangeFlow
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.parsing.settings import Ambiguous, Topic
from bot.parsing.targets import parse_any_target
from bot.views.target import target_view
from engine.domain.targets.target import Target
from engine.errors import Unavailable
from engine.rebalancing.target_preview import TargetLook

_BUILD = "build"


@dataclass(frozen=True, eq=False)
class TargetHandler(Handler):
    change: TargetChangeFlow
    builder: BasketBuilder

    def routes(self) -> Routes:
        return Routes(commands={Topic.GOAL.value: self.target})

    async def target(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        typed = request.argument.strip()
        if typed.lower() == _BUILD:
            return await self.builder.begin(request)
        if not typed:
            await self.listen(request, Topic.GOAL.value)
            try:
                look = await self.ctx.target_previews.look(account)
            except Unavailable:
                look = None
            shown = look if isinstance(look, TargetLook) else None
            return target_view(account=account, look=shown, is_listening=request.is_private)
        basket = account.settings.targeting.basket
        assets = [asset for asset, _ in basket.parts] if basket else []

        def parser(text: str) -> Target | Ambiguous:
            return parse_any_target(text, basket=assets)

        wanted: Target | Message = await self.parse(request, parser)
        if isinstance(wanted, Message):
            return wanted
        return await self.change.propose(request, account, TargetWish(target=wanted))
