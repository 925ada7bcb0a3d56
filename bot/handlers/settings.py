"""The settings of a chat, one command each: read, asked about where unclear, set, echoed."""

from contextlib import suppress
from dataclasses import dataclass

from bot.handlers.context import AccountForecast, Handler, Routes
from bot.handlers.setting_change import SettingChangeFlow
from bot.interaction.confirmations import CHOICE
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.parsing.settings import PARSERS, Ambiguous, NotUnderstood, Topic, parse_target
from bot.parsing.target_settings import SETTING_PARSERS
from bot.parsing.targets import parse_any_target
from bot.views.settings import ask_view, changed_view, not_checked_view, pair_unavailable_view
from bot.views.target import points_to_view
from engine.accounts.account_service import Change
from engine.domain.accounts.account import Account
from engine.domain.market.pairs import Symbol
from engine.domain.targets.notation import target_text
from engine.domain.targets.target import FixedUsdt
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
        value = await self.parse(request, SETTING_PARSERS[topic])
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
            request,
            account,
            topic,
            {_FIELDS[topic]: value},
            in_panel=in_panel,
            echo=self._interval_echo if topic is Topic.INTERVAL else None,
        )

    def _interval_echo(self, change: Change, forecast: AccountForecast) -> Message:
        every = self.ctx.overviews.every(change.after)
        before = change.before.settings
        return changed_view(topic=Topic.INTERVAL, **forecast, before=before, every=every)

    async def _typed(self, request: Request) -> Message:
        topic = Topic(request.command)
        if topic is Topic.TARGET and (other := _other_kind(request.argument)) is not None:
            account = await self.ctx.accounts.of(request.chat_id)
            payload = [Topic.GOAL.value, other]
            question_id = await self.ctx.confirmations.ask(request, kind=CHOICE, payload=payload)
            return points_to_view(account=account, option=other, confirmation_id=question_id)
        return await self.set(request, topic, in_panel=False)

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


def _other_kind(text: str) -> str | None:
    """The target of another kind that *text* is, as /target takes it."""
    try:
        parse_target(text)
    except NotUnderstood:
        with suppress(NotUnderstood):
            meant = parse_any_target(text)
            if not isinstance(meant, Ambiguous | FixedUsdt):
                return target_text(meant)
    return None
