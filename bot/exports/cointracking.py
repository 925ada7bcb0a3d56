"""Trades and flows as CoinTracking's own CSV import takes them.
CoinTracking books what was bought and sold, and a fee only as a remark
(DeltaBalances/DeltaBalances.github.io#19): so a fee in USDT or the token is part of the amounts,
too, and one in another asset (MX) is a row of its own.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo

from bot.exports.booked import Amount, Kind, booked
from bot.exports.csv_files import CsvFile, Row
from engine.domain.accounts.flows import Flow
from engine.domain.market.decimals import plain
from engine.domain.orders.order import Order

COLUMNS = (
    "Type",
    "Buy Amount",
    "Buy Currency",
    "Sell Amount",
    "Sell Currency",
    "Fee",
    "Fee Currency",
    "Exchange",
    "Trade-Group",
    "Comment",
    "Date",
    "Tx-ID",
)
_TYPES: Mapping[Kind, str] = {
    Kind.TRADE: "Trade",
    Kind.BY_HAND: "Trade",
    Kind.DEPOSIT: "Deposit",
    Kind.WITHDRAWAL: "Withdrawal",
}
_FEE = "Other Fee"
_EXCHANGE = "MEXC"


def _rows(event: Order | Flow, _: tzinfo) -> Iterable[Row]:
    for entry in booked(event):
        when = entry.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        where = (_EXCHANGE, "")
        included = entry.included[0] if len(entry.included) == 1 else None
        amounts = (*_cells(entry.received), *_cells(entry.sent), *_cells(included))
        yield (_TYPES[entry.kind], *amounts, *where, entry.what, when, entry.order_id)
        for fee in entry.apart:
            fee_of = f"Fee of {entry.order_id}"
            yield (_FEE, "", "", *_cells(fee), "", "", *where, fee_of, when, "")


def _cells(amount: Amount | None) -> Row:
    return ("", "") if amount is None else (plain(amount[0]), amount[1])


COINTRACKING = CsvFile("ballast-cointracking", COLUMNS, _rows, real_only=True)
