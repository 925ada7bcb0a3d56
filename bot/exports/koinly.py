"""Trades in Koinly's universal template: amount sent, amount received, fee.
Koinly ignores a fee whose currency is that of an amount beside it (hodgerpodger/staketaxcsv#385
quotes Koinly on that), so a fee in USDT is part of what was sent or received. A fee in another
asset (MX) goes into the fee's columns; a further one is a row of its own, labelled as a cost.
"""

from collections.abc import Iterable
from datetime import UTC, tzinfo

from bot.exports.csv_files import CsvFile, Row
from engine.domain.market.decimals import ZERO, plain
from engine.domain.market.pairs import USDT, Side, base_of
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


def _rows(trade: Order, _: tzinfo) -> Iterable[Row]:
    """Koinly requires UTC, whatever the chat's time zone is."""
    execution, base = trade.execution, base_of(trade.symbol)
    at = (trade.resolved_at or trade.created_at).astimezone(UTC)
    when = at.strftime("%Y-%m-%d %H:%M:%S UTC")
    amounts = {USDT: execution.quote_amount, base: execution.base_quantity}
    sent, received = (USDT, base) if trade.side is Side.BUY else (base, USDT)
    by_asset = trade.fees.by_asset if trade.fees else {}
    amounts[sent] += by_asset.get(sent, ZERO)
    amounts[received] -= by_asset.get(received, ZERO)
    apart = [
        (plain(amount), str(asset))
        for asset, amount in sorted(by_asset.items())
        if amount and asset not in amounts
    ]
    first, *others = apart or [("", "")]
    verb = "Bought" if trade.side is Side.BUY else "Sold"
    order_id = trade.exchange_order_id or trade.client_order_id
    what = f"{verb} {base} at MEXC{_known_fees(trade)}"
    sides = (plain(amounts[sent]), sent, plain(amounts[received]), received)
    yield (when, *sides, *first, "", "", "", what, order_id)
    for amount, asset in others:
        fee_of = f"Second fee of {order_id}"
        yield (when, amount, asset, "", "", "", "", "", "", _COST, fee_of, "")


def _known_fees(trade: Order) -> str:
    if trade.fees is None:
        return ", fee not known"
    return "" if trade.fees.complete else ", fee known in part"


KOINLY = CsvFile("ballast-koinly", COLUMNS, _rows, real_only=True)
