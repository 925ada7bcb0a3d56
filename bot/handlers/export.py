"""`/export`: all trades and flows as a table, or as Koinly or CoinTracking takes them."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from bot.exports.cointracking import COINTRACKING
from bot.exports.csv_files import CsvFile
from bot.exports.koinly import KOINLY
from bot.exports.trades_table import EVERYTHING
from bot.exports.writer import collect
from bot.handlers.context import Handler, Routes
from bot.interaction.message import Message
from bot.interaction.request import Document, Documents, Progress, Request
from bot.views.export import (
    COINTRACKING_NAME,
    KOINLY_NAME,
    ExportWords,
    TaxWords,
    unknown_export_view,
)

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
