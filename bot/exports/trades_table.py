"""All trades as a table: exact amounts as text, times in UTC and in the chat's time zone.
`docs/export.md` defines each column.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from bot.exports.csv_files import CsvFile, Row
from engine.domain.market.decimals import plain
from engine.domain.market.pairs import base_of
from engine.domain.orders.order import Order
from engine.domain.orders.slippage import slippage


def _fees(trade: Order) -> str:
    if trade.fees is None:
        return ""
    paid = " ".join(f"{plain(amount)} {asset}" for asset, amount in trade.fees.by_asset.items())
    return paid if trade.fees.complete else f"at least {paid}"


def _utc(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _maybe(amount: Decimal | None) -> str:
    return "" if amount is None else plain(amount)


def _slippage(trade: Order) -> str:
    slipped = slippage(trade)
    return "" if slipped is None else f"{slipped * 100:.4f}"


def _ended(trade: Order) -> datetime:
    return trade.resolved_at or trade.created_at


# What each column has of a trade, where times are those of a zone.
_CELLS: Mapping[str, Callable[[Order, tzinfo], str]] = {
    "time_utc": lambda trade, _: _utc(_ended(trade)),
    "time_local": lambda trade, zone: _ended(trade).astimezone(zone).isoformat(timespec="seconds"),
    "mode": lambda trade, _: "paper" if trade.dry_run else "live",
    "pair": lambda trade, _: trade.symbol,
    "side": lambda trade, _: trade.side.value.lower(),
    "base_asset": lambda trade, _: base_of(trade.symbol),
    "base_quantity": lambda trade, _: plain(trade.execution.base_quantity),
    "quote_usdt": lambda trade, _: plain(trade.execution.quote_amount),
    "average_price": lambda trade, _: _maybe(trade.execution.average_price),
    "price_seen": lambda trade, _: _maybe(trade.price),
    "slippage_percent": lambda trade, _: _slippage(trade),
    "fees": lambda trade, _: _fees(trade),
    "usdt_before": lambda trade, _: plain(trade.quote_before),
    "usdt_after": lambda trade, _: _maybe(trade.quote_after),
    "base_before": lambda trade, _: plain(trade.base_before),
    "base_after": lambda trade, _: _maybe(trade.base_after),
    "target_usdt": lambda trade, _: plain(trade.target),
    "asked_usdt": lambda trade, _: _maybe(trade.quote_amount),
    "asked_base": lambda trade, _: _maybe(trade.base_quantity),
    "expected_usdt": lambda trade, _: plain(trade.expected_quote),
    "state": lambda trade, _: trade.state.value,
    "started_by": lambda trade, _: trade.trigger.value,
    "planned_utc": lambda trade, _: _utc(trade.created_at),
    "sent_utc": lambda trade, _: _utc(trade.sent_at),
    "settled_utc": lambda trade, _: _utc(trade.resolved_at),
    "client_order_id": lambda trade, _: trade.client_order_id,
    "exchange_order_id": lambda trade, _: trade.exchange_order_id or "",
}
COLUMNS = tuple(_CELLS)


def _rows(trade: Order, zone: tzinfo) -> Iterable[Row]:
    yield [cell(trade, zone) for cell in _CELLS.values()]


EVERYTHING = CsvFile("ballast-trades", COLUMNS, _rows)
