"""`/export`: all trades as a table, or as Koinly takes them."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from bot.exports.csv_files import CsvFile
from bot.exports.koinly import KOINLY
from bot.exports.trades_table import EVERYTHING
from bot.exports.writer import collect
from bot.handlers.context import Handler, Routes
from bot.interaction.message import Message
from bot.interaction.request import Document, Documents, Progress, Request
from bot.views.export import (
    ExportWords,
    KoinlyWords,
    nothing_for_koinly_view,
    nothing_to_export_view,
    unknown_export_view,
)

_KINDS: Mapping[str, tuple[CsvFile, ExportWords]] = {
    "": (EVERYTHING, ExportWords()),
    "koinly": (KOINLY, KoinlyWords()),
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
        total = await self.ctx.records.count_trades(account, real_only=sheet.real_only)
        if not total:
            return nothing_for_koinly_view() if sheet.real_only else nothing_to_export_view()

        def make(progress: Progress) -> AsyncGenerator[Document]:
            return collect(
                self.ctx.records, account, sheet, words=words, total=total, progress=progress
            )

        return Documents(make)
