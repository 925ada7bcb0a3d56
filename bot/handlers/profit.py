"""`/profit`: what an account made in a span, and what only holding had made."""

from dataclasses import dataclass, replace
from datetime import date

from bot.handlers.context import Handler, Routes
from bot.handlers.flows import FLOWS, FlowsHandler
from bot.interaction.callback_data import ProfitPage
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.parsing.spans import parse_span
from bot.views.costs import COSTS, costs_view
from bot.views.profit import no_profit_view, profit_view
from engine.accounts.profit import NoReport
from engine.domain.profit.spans import Span


@dataclass(frozen=True, eq=False)
class ProfitHandler(Handler):
    flows: FlowsHandler

    def routes(self) -> Routes:
        return Routes(commands={"profit": self.profit}, pages={ProfitPage: self._page})

    async def profit(self, request: Request) -> Message:
        word, _, rest = request.argument.strip().partition(" ")
        if word.lower() in FLOWS:
            return await self.flows.typed(replace(request, argument=rest))
        if word.lower() == COSTS:
            account = await self.ctx.accounts.of(request.chat_id)
            return costs_view(account=account, report=await self.ctx.profits.costs(account))
        span: Span | date | Message = await self.parse(request, parse_span)
        return span if isinstance(span, Message) else await self._report(request, span)

    async def _page(self, request: Request, page: ProfitPage) -> Message:
        return await self._report(request, page.span)

    async def _report(self, request: Request, span: Span | date) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        found = await self.ctx.profits.report(account, span)
        if isinstance(found, NoReport):
            return no_profit_view(account=account, reason=found)
        return profit_view(account=account, found=found, span=span)
