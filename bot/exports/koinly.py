"""Trades and flows in Koinly's universal template: amount sent, amount received, fee.
Koinly ignores a fee whose currency is that of an amount beside it (hodgerpodger/staketaxcsv#385
quotes Koinly on that), so a fee in USDT is part of what was sent or received. A fee in another
asset (MX) goes into the fee's columns; a further one is a row of its own, labelled as a cost.
"""

from collections.abc import Iterable
from datetime import UTC, tzinfo

from bot.exports.booked import Amount, booked
from bot.exports.csv_files import CsvFile, Row
from engine.domain.accounts.flows import Flow
from engine.domain.market.decimals import plain
from engine.domain.orders.order import Order

COLUMNS = (
    "Date",
    "Sent Amount",
    "Sent Currency",
    "Received Amount",
    "Received Currency",
    "Fee Amount",
    "Fee Currency",
    "Net Worth Amount",
    "Net Worth Currency",
    "Label",
    "Description",
    "TxHash",
)
_COST = "cost"


def _rows(event: Order | Flow, _: tzinfo) -> Iterable[Row]:
    """Koinly requires UTC, whatever the chat's time zone is."""
    for entry in booked(event):
        when = entry.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        first, *others = entry.apart or (None,)
        sides = (*_cells(entry.sent), *_cells(entry.received))
        yield (when, *sides, *_cells(first), "", "", "", entry.what, entry.order_id)
        for fee in others:
            fee_of = f"Second fee of {entry.order_id}"
            yield (when, *_cells(fee), "", "", "", "", "", "", _COST, fee_of, "")


def _cells(amount: Amount | None) -> Row:
    return ("", "") if amount is None else (plain(amount[0]), amount[1])


KOINLY = CsvFile("ballast-koinly", COLUMNS, _rows, real_only=True)
