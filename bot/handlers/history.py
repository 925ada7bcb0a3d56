"""`/history`: pages of trades and movements, and each trade's story behind its number."""

from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.interaction.callback_data import HistoryPage, TradeDetailsPage
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.parsing.settings import parse_history_rows
from bot.views.history import history_view
from bot.views.trade_details import story_gone_view, story_view
from engine.domain.orders.order import ClientOrderId


@dataclass(frozen=True, eq=False)
class HistoryHandler(Handler):
    def routes(self) -> Routes:
        return Routes(
            commands={"history": self.history},
            pages={HistoryPage: self._page, TradeDetailsPage: self._story},
        )

    async def history(self, request: Request) -> Message:
        size = await self.parse(request, parse_history_rows)
        if isinstance(size, Message):
            return size
        return await self._page(request, HistoryPage(page=0, size=size))

    async def _page(self, request: Request, page: HistoryPage) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        found = await self.ctx.records.events(
            account, most=page.size + 1, skip=page.page * page.size
        )
        return history_view(
            account=account,
            events=found[: page.size],
            page=page.page,
            size=page.size,
            has_more=len(found) > page.size,
        )

    async def _story(self, request: Request, story: TradeDetailsPage) -> Message:
        account = await self.ctx.accounts.of(request.chat_id)
        order = await self.ctx.records.order(account, ClientOrderId(story.client_order_id))
        back = HistoryPage(page=story.page, size=story.size)
        if order is None:
            return story_gone_view(back=back)
        asked_by = await self.ctx.records.asked_by(account, order)
        name = (asked_by[1] or f"User {asked_by[0]}") if asked_by else None
        return story_view(
            account=account,
            order=order,
            asked_by=name,
            back=back,
            worth=await self.ctx.profits.worth(order),
            cost=await self.ctx.profits.cost(order),
        )
