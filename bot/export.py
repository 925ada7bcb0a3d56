"""All trades as CSV: exact amounts as text, times in UTC."""

import csv
import io
from collections.abc import Iterable
from decimal import Decimal

from engine.domain.money import plain
from engine.domain.orders import Intent
from engine.domain.pairs import base_of

COLUMNS = (
    "time_utc",
    "mode",
    "pair",
    "side",
    "base_asset",
    "base_quantity",
    "quote_usdt",
    "average_price",
    "fees",
    "usdt_before",
    "usdt_after",
    "target_usdt",
    "state",
    "started_by",
    "client_order_id",
    "exchange_order_id",
)


def to_csv(trades: Iterable[Intent]) -> bytes:
    """One row a trade, in the order given, under COLUMNS. UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_row(trade) for trade in trades)
    return text.getvalue().encode()


def _row(trade: Intent) -> tuple[str, ...]:
    execution = trade.execution
    fees = trade.fees.by_asset if trade.fees else {}
    return (
        (trade.resolved_at or trade.created_at).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "paper" if trade.dry_run else "live",
        trade.symbol,
        trade.side.value.lower(),
        base_of(trade.symbol),
        plain(execution.base_quantity),
        plain(execution.quote_amount),
        _maybe(execution.average_price),
        " ".join(f"{plain(amount)} {asset}" for asset, amount in fees.items()),
        plain(trade.quote_before),
        _maybe(trade.quote_after),
        plain(trade.target),
        trade.state.value,
        trade.trigger.value,
        trade.client_order_id,
        trade.exchange_order_id or "",
    )


def _maybe(amount: Decimal | None) -> str:
    return "" if amount is None else plain(amount)
