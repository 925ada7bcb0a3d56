"""All trades as a table: exact amounts as text, times in UTC and in the chat's time zone.
`docs/export.md` defines each column.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from bot.exports.csv_files import CsvFile, Row
from engine.domain.market.decimals import plain
from engine.domain.market.pairs import base_of
from engine.domain.orders.order import Order
from engine.domain.orders.slippage import slippage

COLUMNS = (
    "time_utc",
    "time_local",
    "mode",
    "pair",
    "side",
    "base_asset",
    "base_quantity",
    "quote_usdt",
    "average_price",
    "price_seen",
    "slippage_percent",
    "fees",
    "usdt_before",
    "usdt_after",
    "base_before",
    "base_after",
    "target_usdt",
    "asked_usdt",
    "asked_base",
    "expected_usdt",
    "state",
    "started_by",
    "planned_utc",
    "sent_utc",
    "settled_utc",
    "client_order_id",
    "exchange_order_id",
)


def _rows(trade: Order, zone: tzinfo) -> Iterable[Row]:
    execution = trade.execution
    at = trade.resolved_at or trade.created_at
    slipped = slippage(trade)
    yield (
        _utc(at),
        at.astimezone(zone).isoformat(timespec="seconds"),
        "paper" if trade.dry_run else "live",
        trade.symbol,
        trade.side.value.lower(),
        base_of(trade.symbol),
        plain(execution.base_quantity),
        plain(execution.quote_amount),
        _maybe(execution.average_price),
        _maybe(trade.price),
        "" if slipped is None else f"{slipped * 100:.4f}",
        _fees(trade),
        plain(trade.quote_before),
        _maybe(trade.quote_after),
        plain(trade.base_before),
        _maybe(trade.base_after),
        plain(trade.target),
        _maybe(trade.quote_amount),
        _maybe(trade.base_quantity),
        plain(trade.expected_quote),
        trade.state.value,
        trade.trigger.value,
        _utc(trade.created_at),
        _utc(trade.sent_at),
        _utc(trade.resolved_at),
        trade.client_order_id,
        trade.exchange_order_id or "",
    )


def _fees(trade: Order) -> str:
    if trade.fees is None:
        return ""
    paid = " ".join(f"{plain(amount)} {asset}" for asset, amount in trade.fees.by_asset.items())
    return paid if trade.fees.complete else f"at least {paid}"


def _utc(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _maybe(amount: Decimal | None) -> str:
    return "" if amount is None else plain(amount)


EVERYTHING = CsvFile("ballast-trades", COLUMNS, _rows)
