"""`/schedule` and `/cooldown`: when trades may happen."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.handlers.context import Handler, Routes
from bot.handlers.setting_change import SettingChangeFlow
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.parsing.settings import Topic
from bot.parsing.target_settings import parse_cooldown, parse_crash_guard, parse_schedule
from bot.views.crash_guard import (
    crash_guard_changed_view,
    crash_guard_lifted_view,
    crash_guard_view,
)
from bot.views.pacing import (
    cooldown_changed_view,
    cooldown_view,
    schedule_changed_view,
    schedule_view,
)
from engine.domain.accounts.account import Account
from engine.domain.targets.pacing import Pacing
from engine.domain.targets.timing import When


@dataclass(frozen=True, eq=False)
class PacingHandler(Handler):
    setting_change: SettingChangeFlow

    def routes(self) -> Routes:
        return Routes(
            commands={
                "schedule": self.schedule,
                "cooldown": self.cooldown,
                "crashguard": self.crash_guard,
            }
        )

    async def schedule(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        if not request.argument:
            is_listening = await self._listens(request, Topic.SCHEDULE)
            return schedule_view(
                account=account, now=self.ctx.clock.now(), is_listening=is_listening
            )
        wish = await self.parse(request, parse_schedule)
        if isinstance(wish, Message):
            return wish
        schedule, when = (None, When.THRESHOLD) if wish is None else (wish.schedule, wish.when)
        pacing = replace(account.settings.pacing, schedule=schedule, when=when)
        return await self._set(request, account, pacing, schedule_changed_view)

    async def cooldown(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        if not request.argument:
            is_listening = await self._listens(request, Topic.COOLDOWN)
            return cooldown_view(account=account, is_listening=is_listening)
        rest = await self.parse(request, parse_cooldown)
        if isinstance(rest, Message):
            return rest
        pacing = replace(account.settings.pacing, cooldown=rest)
        return await self._set(request, account, pacing, cooldown_changed_view)

    async def crash_guard(self, request: Request) -> Message:
        account, now = await self.ctx.accounts.of(request.chat_id), self.ctx.clock.now()
        if not request.argument:
            is_listening = await self._listens(request, Topic.CRASH_GUARD)
            return crash_guard_view(account=account, now=now, is_listening=is_listening)
        if request.argument.strip().lower() == "lift":
            lifted = await self.ctx.accounts.lift_guard(account, user_id=request.user_id)
            was_acting = lifted.before.buying_stopped_at is not None
            return crash_guard_lifted_view(account=lifted.after, was_acting=was_acting)
        guard = await self.parse(request, parse_crash_guard)
        if isinstance(guard, Message):
            return guard
        pacing = replace(account.settings.pacing, crash_guard=guard)
        change = await self.ctx.accounts.change(account, user_id=request.user_id, pacing=pacing)
        echo = crash_guard_changed_view(
            account=change.after, changed=change.before != change.after, now=now
        )
        return await self.setting_change.with_undo(
            request, before=change.before, after=change.after, echo=echo
        )

    async def _listens(self, request: Request, topic: Topic) -> bool:
        if not self.may_set(request):
            return False
        await self.listen(request, topic.value)
        return request.is_private

    async def _set(
        self, request: Request, account: Account, pacing: Pacing, view: Callable[..., Message]
    ) -> Message:
        change = await self.ctx.accounts.change(account, user_id=request.user_id, pacing=pacing)
        echo = view(**await self.forecast(change.after), changed=change.before != change.after)
        return await self.setting_change.with_undo(
            request, before=change.before, after=change.after, echo=echo
        )
