"""The settings of a chat, one command each: read, asked about where unclear, set, echoed."""

from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.handlers.setting_change import SettingChangeFlow
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.parsing.settings import PARSERS, Topic
from bot.views.settings import ask_view, not_checked_view, pair_unavailable_view
from engine.domain.accounts.account import Account
from engine.domain.market.pairs import Symbol
from engine.errors import PairUnavailable, Unavailable

_FIELDS = {
    Topic.THRESHOLD: "threshold",
    Topic.INTERVAL: "interval",
    Topic.COUNTING: "counting",
    Topic.PAIR: "symbol",
}


@dataclass(frozen=True, eq=False)
class SettingsHandler(Handler):
    """The chat's own settings, as typed commands."""

    setting_change: SettingChangeFlow

    def routes(self) -> Routes:
        return Routes(
            commands={topic.value: self._typed for topic in PARSERS if topic is not Topic.LIMITS}
        )

    async def set(self, request: Request, topic: Topic, *, in_panel: bool) -> Message:
        """Set what the request's argument says. *in_panel*: answer with the panel's page."""
        account = await self.ctx.accounts.of(request.chat_id)
        if not request.argument.strip():
            await self.listen(request, topic.value)
            return ask_view(
                topic=topic,
                settings=account.settings,
                is_listening=request.is_private,
                tokens=self.ctx.previews.tokens_of(account),
            )
        value = await self.parse(request, PARSERS[topic])
        if isinstance(value, Message):
            return value
        match topic:
            case Topic.TARGET:
                return await self.setting_change.target(request, account, value, in_panel=in_panel)
            case Topic.DRY_RUN:
                return await self.setting_change.dry_run(
                    request, account, on=value, in_panel=in_panel
                )
            case Topic.PAIR:
                listed = await self._listed(request, account, value)
                if isinstance(listed, Message):
                    return listed
                value = listed
            case _:
                pass
        return await self.setting_change.field(
            request, account, topic, {_FIELDS[topic]: value}, in_panel=in_panel
        )

    async def _typed(self, request: Request) -> Message:
        return await self.set(request, Topic(request.command), in_panel=False)

    async def _listed(self, request: Request, account: Account, typed: Symbol) -> Symbol | Message:
        """The pair as the exchange lists it for this chat's key; a refusal where it does not."""
        upper = Symbol(typed.upper())
        # Of some letters upper() would make ASCII, which names another token.
        forms = [typed] if upper.isascii() else dict.fromkeys([typed, upper])
        for symbol in forms:
            try:
                if symbol != account.settings.symbol:
                    await self.ctx.previews.rules(account, symbol)
            except PairUnavailable:
                continue
            except Unavailable:
                return not_checked_view(settings=account.settings, wanted=symbol)
            return symbol
        await self.listen(request, Topic.PAIR.value)
        return pair_unavailable_view(account=account, wanted=typed)
