"""`/chart`: pictures of the account, with buttons for other spans and other pictures."""

import asyncio
from dataclasses import dataclass

from bot.handlers.context import Handler, Routes
from bot.interaction.callback_data import ChartKind, ChartPage
from bot.interaction.message import Message
from bot.interaction.request import Photo, Request
from bot.rendering.image_process import NotDrawn
from bot.views.chart import chart_view, no_chart_view, not_drawn_view, unknown_chart_view
from bot.views.charts.theme import Theme
from engine.accounts.profit import NoReport
from engine.domain.accounts.account import Account
from engine.domain.profit.spans import Span

_KINDS = {kind.value: kind for kind in ChartKind}
_SPANS = {span.value: span for span in Span}


@dataclass(frozen=True, eq=False)
class ChartHandler(Handler):
    def routes(self) -> Routes:
        return Routes(commands={"chart": self.chart}, pages={ChartPage: self._page})

    async def chart(self, request: Request) -> Message | Photo:
        kind, span = ChartKind.VALUE, Span.MONTH
        for word in request.argument.lower().split():
            if word in _KINDS:
                kind = _KINDS[word]
            elif word in _SPANS:
                span = _SPANS[word]
            else:
                return unknown_chart_view(typed_text=request.argument)
        return await self._page(request, ChartPage(kind, span))

    async def _page(self, request: Request, page: ChartPage) -> Message | Photo:
        account = await self.ctx.accounts.of(request.chat_id)
        found = await self.ctx.profits.report(account, page.span)
        if isinstance(found, NoReport):
            return no_chart_view(account=account, why=found)
        theme = await self._theme(request, account)
        # Thousands of points take a while, in which other chats are answered.
        picture = await asyncio.to_thread(
            chart_view, account=account, found=found, page=page, theme=theme
        )
        try:
            image = await self.ctx.images.draw(picture.svg)
        except NotDrawn:
            return not_drawn_view(picture.caption)
        return Photo(image, picture.caption)

    async def _theme(self, request: Request, account: Account) -> Theme:
        """The owner's choice is for the owner's chat."""
        if request.is_shared:
            return Theme.DARK
        settings = await self.ctx.alert_preferences.settings(account)
        return Theme.LIGHT if settings.light_pictures else Theme.DARK
