"""Trades as Koinly's universal template takes them: what was sent, what was received, the fee.

Koinly takes a fee off beside the amounts, so these are without it, as MEXC tells them. A row has
room for one fee; a second one (MX beside USDT) is a row of its own, labelled as a cost.
"""

from collections.abc import Iterable
from datetime import UTC, tzinfo

from bot.sheets import Row, Sheet
from engine.domain.money import plain
from engine.domain.orders import Intent
from engine.domain.pairs import USDT, Side, base_of

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


def _rows(trade: Intent, _: tzinfo) -> Iterable[Row]:
    """Koinly wants UTC, whatever time the person lives in."""
    execution, base = trade.execution, base_of(trade.symbol)
    at = (trade.resolved_at or trade.created_at).astimezone(UTC)
    when = at.strftime("%Y-%m-%d %H:%M:%S UTC")
    quote_side = (plain(execution.quote_amount), USDT)
    base_side = (plain(execution.base_quantity), base)
    sent, received = (quote_side, base_side) if trade.side is Side.BUY else (base_side, quote_side)
    by_asset = trade.fees.by_asset if trade.fees else {}
    paid = [(plain(amount), str(asset)) for asset, amount in sorted(by_asset.items()) if amount]
    # The fee in USDT belongs to the trade itself, if there is one.
    paid.sort(key=lambda fee: fee[1] != USDT)
    first, *others = paid or [("", "")]
    verb = "Bought" if trade.side is Side.BUY else "Sold"
    order_id = trade.exchange_order_id or trade.client_order_id
    what = f"{verb} {base} at MEXC"
    yield (when, *sent, *received, *first, "", "", "", what, order_id)
    for amount, asset in others:
        fee_of = f"Second fee of {order_id}"
        yield (when, amount, asset, "", "", "", "", "", "", _COST, fee_of, "")


KOINLY = Sheet("ballast-koinly", COLUMNS, _rows, real_only=True)
