"""`/chart`: pictures of the account, with buttons for other spans and other pictures."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.handlers.context import Handler, Routes
from bot.interaction.callback_data import ChartKind, ChartPage
from bot.interaction.message import Message
from bot.interaction.request import Photo, Request, Toast
from bot.rendering.image_process import NotDrawn
from bot.views.chart import (
    chart_view,
    no_chart_view,
    no_drift_view,
    not_drawn_view,
    unknown_chart_view,
)
from bot.views.charts.portfolio_parts import has_drift
from bot.views.charts.theme import Theme
from engine.accounts.profit import NoReport
from engine.domain.accounts.account import Account
from engine.domain.profit.spans import Span

_KINDS = {kind.value: kind for kind in ChartKind}
_SPANS = {span.value: span for span in Span}
# Who taps a button twice within this time wants one picture.
_TWICE = timedelta(seconds=3)
_ALREADY = Toast("")


@dataclass(frozen=True, eq=False)
class ChartHandler(Handler):
    """*_begun* is when a button that sends a picture was tapped, by its message and what it asks
    for; *_wanted* the newest picture to show in the place of a message.
    """

    _begun: dict[tuple[int, int, str], datetime] = field(default_factory=dict)
    _wanted: dict[tuple[int, int], ChartPage] = field(default_factory=dict)

    def routes(self) -> Routes:
        return Routes(commands={"chart": self.chart}, pages={ChartPage: self._page})

    async def chart(self, request: Request) -> Message | Photo | Toast:
        kind, span = ChartKind.VALUE, Span.MONTH
        for word in request.argument.lower().split():
            if word in _KINDS:
                kind = _KINDS[word]
            elif word in _SPANS:
                span = _SPANS[word]
            else:
                account = await self.ctx.accounts.of(request.chat_id)
                return unknown_chart_view(account=account, typed_text=request.argument)
        tap = request.chat_id, request.message_id, request.argument
        if self._is_repeated(tap) and request.is_shown:
            return _ALREADY
        try:
            return await self._drawn(request, kind, span)
        except BaseException:  # the same update may come again
            self._begun.pop(tap, None)
            raise

    async def _page(self, request: Request, page: ChartPage) -> Message | Photo | Toast:
        """Taps on two buttons of one message end with the second one's picture."""
        place = request.chat_id, request.message_id
        self._wanted[place] = page
        try:
            answer = await self._drawn(request, page.kind, page.span)
            return answer if self._wanted.get(place) is page else _ALREADY
        finally:
            if self._wanted.get(place) is page:
                del self._wanted[place]

    def _is_repeated(self, tap: tuple[int, int, str]) -> bool:
        now = self.ctx.clock.steady()
        for old in [one for one, at in self._begun.items() if now - at > _TWICE]:
            del self._begun[old]
        if tap in self._begun:
            return True
        self._begun[tap] = now
        return False

    async def _drawn(self, request: Request, kind: ChartKind, span: Span) -> Message | Photo:
        account = await self.ctx.accounts.of(request.chat_id)
        if kind is ChartKind.DRIFT and not has_drift(account):
            return no_drift_view(account=account, span=span)
        found = await self.ctx.profits.report(account, span)
        if isinstance(found, NoReport):
            return no_chart_view(account=account, why=found)
        theme = await self._theme(request, account)
        bands = await self.ctx.records.bands(account, since=found.report.since)
        # Thousands of points take a while, in which other chats are answered.
        picture = await asyncio.to_thread(
            chart_view,
            account=account,
            found=found,
            bands=bands,
            page=ChartPage(kind, span),
            theme=theme,
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
