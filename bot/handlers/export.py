"""`/export`: all trades and flows as a table, as Koinly or CoinTracking takes them, or as gains."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from bot.exports.cointracking import COINTRACKING
from bot.exports.csv_files import CsvFile
from bot.exports.koinly import KOINLY
from bot.exports.trades_table import EVERYTHING
from bot.exports.writer import collect, collect_gains
from bot.handlers.context import Handler, Routes
from bot.interaction.message import Message
from bot.interaction.request import Document, Documents, Progress, Request
from bot.views.export import (
    COINTRACKING_NAME,
    GAINS,
    KOINLY_NAME,
    ExportWords,
    GainsWords,
    TaxWords,
    unknown_export_view,
)
from engine.accounts.gains import AccountGains
from engine.accounts.profit import SpanReport
from engine.domain.profit.spans import Span

_KINDS: Mapping[str, tuple[CsvFile, ExportWords]] = {
    "": (EVERYTHING, ExportWords()),
    "koinly": (KOINLY, TaxWords(KOINLY_NAME)),
    "cointracking": (COINTRACKING, TaxWords(COINTRACKING_NAME)),
}


@dataclass(frozen=True, eq=False)
class ExportHandler(Handler):
    def routes(self) -> Routes:
        return Routes(commands={"export": self.export})

    async def export(self, request: Request) -> Message | Documents:
        if request.argument.lower() == GAINS:
            return await self._gains(request)
        kind = _KINDS.get(request.argument.lower())
        if kind is None:
            return unknown_export_view(typed_text=request.argument)
        sheet, words = kind
        account = await self.ctx.accounts.of(request.chat_id)
        total = await self.ctx.records.count_booked(account, real_only=sheet.real_only)
        if not any(total):
            return words.nothing()

        def make(progress: Progress) -> AsyncGenerator[Document]:
            return collect(
                self.ctx.records, account, sheet, words=words, total=total, progress=progress
            )

        return Documents(make)

    async def _gains(self, request: Request) -> Message | Documents:
        words = GainsWords()
        account = (await self.ctx.accounts.of(request.chat_id)).with_money(dry_run=False)
        total = await self.ctx.records.count_booked(account, real_only=True)
        if not any(total):
            return words.nothing()
        found = await self.ctx.profits.report(account, Span.ALL)
        gains = AccountGains(found if isinstance(found, SpanReport) else None)

        def make(progress: Progress) -> AsyncGenerator[Document]:
            return collect_gains(
                self.ctx.records, account, gains, words=words, total=total, progress=progress
            )

        return Documents(make)
