"""`/execution` and `/slippage`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.handlers.setting_change import SettingChangeFlow
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.parsing.execution import parse_execution, parse_slippage
from bot.parsing.settings import Topic
from bot.views.execution import execution_view, orders_changed_view, slippage_view
from engine.domain.execution.bound import ExecutionMode, Slippage

PARSERS: Mapping[Topic, Callable[[str], ExecutionMode | Slippage]] = {
    Topic.EXECUTION: parse_execution,
    Topic.SLIPPAGE: parse_slippage,
}
"""Of the topics that are set here; each has the name of the field that it sets."""
_VIEWS = {Topic.EXECUTION: execution_view, Topic.SLIPPAGE: slippage_view}


@dataclass(frozen=True, eq=False)
class ExecutionHandler(Handler):
    """How the chat's account sends its orders."""

    setting_change: SettingChangeFlow

    def routes(self) -> Routes:
        return Routes(commands={topic.value: self._typed for topic in PARSERS})

    async def set(self, request: Request, *, in_panel: bool) -> Message:
        """Set what the request's argument says. *in_panel*: answer with the panel's page."""
        account, topic = await self.ctx.accounts.of(request.chat_id), Topic(request.command)
        value = await self.parse(request, PARSERS[topic])
        if isinstance(value, Message):
            return value
        return await self.setting_change.field(
            request,
            account,
            topic,
            {topic.value: value},
            in_panel=in_panel,
            echo=lambda change, forecast: orders_changed_view(
                **forecast, topic=topic, changed=change.before != change.after
            ),
        )

    async def _typed(self, request: Request) -> Message:
        if request.argument:
            return await self.set(request, in_panel=False)
        account = await self.ctx.accounts.of(request.chat_id)
        return _VIEWS[Topic(request.command)](account=account)
