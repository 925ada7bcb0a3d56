"""`/limits`: what holds back the bot whatever it plans."""

from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.handlers.setting_change import SettingChangeFlow
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.parsing.settings import Topic, parse_limits
from bot.views.limits import limits_changed_view, limits_view
from engine.accounts.account_service import Change


@dataclass(frozen=True, eq=False)
class LimitsHandler(Handler):
    setting_change: SettingChangeFlow

    def routes(self) -> Routes:
        return Routes(commands={"limits": self.limits})

    async def limits(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        if not request.argument:
            recent = await self.ctx.limits.recent(account)
            rules = await self.ctx.previews.known_rules(account)
            may_set = self.may_set(request)
            if may_set:
                await self.listen(request, Topic.LIMITS.value)
            return limits_view(
                account=account,
                recent=recent,
                rules=rules,
                may_set=may_set,
                is_listening=may_set and request.is_private,
            )
        return await self.set_limits(request, in_panel=False)

    async def set_limits(self, request: Request, *, in_panel: bool) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        values = await self.parse(request, parse_limits)
        if isinstance(values, Message):
            return values
        change = await self.ctx.limits.change(account, user_id=request.user_id, **values)
        if in_panel:
            made = Change(change.before, change.after)
            return await self.setting_change.echo(request, Topic.LIMITS, made, in_panel=True)
        echo = limits_changed_view(
            **await self.forecast(change.after),
            changed=change.before != change.after,
            recent=change.recent,
        )
        return await self.setting_change.with_undo(
            request, before=change.before, after=change.after, echo=echo
        )
