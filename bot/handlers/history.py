"""`/history`: pages of trades and movements, and each trade's story behind its number."""

from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.interaction.callback_data import HistoryPage, TradeDetailsPage
from bot.interaction.message import Message
from bot.interaction.request import Request
from bot.parsing.settings import NotUnderstood, Topic, parse_history_rows
from bot.views.history import history_view
from bot.views.settings import not_understood_view
from bot.views.trade_details import story_gone_view, story_view
from engine.domain.orders.order import ClientOrderId, Order, Trigger
from engine.storage.accounts import members
from engine.storage.chat import confirmations
from engine.storage.trading import history, orders


@dataclass(frozen=True, eq=False)
class HistoryHandler(Handler):
    def routes(self) -> Routes:
        return Routes(
            commands={"history": self.history},
            pages={HistoryPage: self._page, TradeDetailsPage: self._story},
        )

    async def history(self, ask: Request) -> Message:
        try:
            size = parse_history_rows(ask.argument)
        except NotUnderstood:
            return not_understood_view(topic=Topic.HISTORY, typed_text=ask.argument)
        return await self._page(ask, HistoryPage(page=0, size=size))

    async def _page(self, ask: Request, page: HistoryPage) -> Message:
        account = await self.ctx.accounts.of(ask.chat_id)
        async with self.ctx.database.reading() as session:
            found = await history.page(
                session, account.id, most=page.size + 1, skip=page.page * page.size
            )
        return history_view(
            account=account,
            events=found[: page.size],
            page=page.page,
            size=page.size,
            has_more=len(found) > page.size,
        )

    async def _story(self, ask: Request, story: TradeDetailsPage) -> Message:
        """Of a trade of this chat: an id alone opens no other chat's books."""
        account = await self.ctx.accounts.of(ask.chat_id)
        async with self.ctx.database.reading() as session:
            order = await orders.get(session, ClientOrderId(story.client_order_id))
        back = HistoryPage(page=story.page, size=story.size)
        if order is None or order.account_id != account.id:
            return story_gone_view(back=back)
        return story_view(
            account=account, order=order, asked_by=await self._asked_by(ask, order), back=back
        )

    async def _asked_by(self, ask: Request, order: Order) -> str | None:
        """A person's run has the id of the tap that confirmed it."""
        if order.trigger is not Trigger.PERSON:
            return None
        async with self.ctx.database.reading() as session:
            user_id = await confirmations.answered_by(session, order.run_id, chat_id=ask.chat_id)
            if user_id is None:
                return None
            name = await members.name_in(session, chat_id=ask.chat_id, user_id=user_id)
        return name or f"User {user_id}"
