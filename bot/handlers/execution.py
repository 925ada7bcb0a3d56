"""`/execution` and `/slippage`."""

from bot.handlers.context import Handler, Routes
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.parsing.execution import parse_execution, parse_slippage
from bot.views.execution import (
    execution_changed_view,
    execution_view,
    slippage_changed_view,
    slippage_view,
)


class ExecutionHandler(Handler):
    """How the chat's account sends its orders."""

    def routes(self) -> Routes:
        return Routes(commands={"execution": self.execution, "slippage": self.slippage})

    async def execution(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        if not request.argument:
            return execution_view(account=account)
        mode = await self.parse(request, parse_execution)
        if isinstance(mode, Message):
            return mode
        change = await self.ctx.accounts.change(account, user_id=request.user_id, execution=mode)
        return execution_changed_view(account=change.after, changed=change.before != change.after)

    async def slippage(self, request: Request) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        if not request.argument:
            return slippage_view(account=account)
        slippage = await self.parse(request, parse_slippage)
        if isinstance(slippage, Message):
            return slippage
        change = await self.ctx.accounts.change(
            account, user_id=request.user_id, slippage=slippage
        )
        return slippage_changed_view(account=change.after, changed=change.before != change.after)
