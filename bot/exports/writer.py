"""Writes export files from the database a page at a time, in a thread, and reports progress.
Memory use and the time for which other tasks are delayed are those of one page.
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from bot.exports.csv_files import MOST_BYTES, CsvFile, CsvParts
from bot.exports.gains import SUMMARY, gains_file, summary
from bot.interaction.request import Document, Progress
from bot.views.export import ExportWords, GainsWords
from engine.accounts.gains import AccountGains
from engine.accounts.records import AccountRecords, Counted, Position
from engine.domain.accounts.account import Account
from engine.domain.alerts.local_time import zone
from engine.domain.orders.order import Order
from engine.domain.profit.money_return import money_return

# Converting rows into values happens in the event loop: a page takes a few milliseconds.
_PAGE = 100
_TOLD_EVERY = 10_000


async def collect(
    records: AccountRecords,
    account: Account,
    sheet: CsvFile,
    *,
    words: ExportWords,
    total: Counted,
    progress: Progress,
    most_bytes: int = MOST_BYTES,
) -> AsyncGenerator[Document]:
    """Yield the files with all trades and flows of the account; *total* is how many to expect."""
    name = await records.time_zone(account)
    there = await asyncio.to_thread(zone, name or "UTC")
    with tempfile.TemporaryDirectory(prefix="ballast-export-") as folder:
        parts = CsvParts(sheet, folder=Path(folder), zone=there, most_bytes=most_bytes)
        done = trades = 0
        last: Position | None = None
        while True:
            page, last = await records.booked_after(
                account, last, most=_PAGE, real_only=sheet.real_only
            )
            if page:
                await asyncio.to_thread(parts.write, page)
                done += len(page)
                trades += sum(isinstance(event, Order) for event in page)
            if len(page) < _PAGE:
                break
            if done % _TOLD_EVERY == 0:
                await progress(words.progress(done=done, total=max(done, sum(total))))
        paths = await asyncio.to_thread(parts.close)
        for number, path in enumerate(paths, start=1):
            content = await asyncio.to_thread(path.open, "rb")
            with content:
                yield Document(
                    path.name,
                    content,
                    words.caption(
                        trades=trades, flows=done - trades, part=number, parts=len(paths)
                    ),
                    instead=words.failed(),
                    keyboard=words.keyboard(),
                )


async def collect_gains(
    records: AccountRecords,
    account: Account,
    gains: AccountGains,
    *,
    words: GainsWords,
    total: Counted,
    progress: Progress,
) -> AsyncGenerator[Document]:
    """Yield the files with the gain of each sale, and then their summary."""
    returned = None
    if gains.found is not None:
        returned = await asyncio.to_thread(money_return, gains.found.report)
        gains.forget_trades()
    sheet = gains_file(gains)
    async with aclosing(
        collect(records, account, sheet, words=words, total=total, progress=progress)
    ) as files:
        async for file in files:
            yield file
    yield Document(
        SUMMARY,
        await asyncio.to_thread(summary, gains, returned),
        words.summary(gains.found, returned),
        instead=words.failed(),
        keyboard=words.summary_keyboard(),
    )
