"""All trades and flows as a table: exact amounts as text, times in UTC and in the chat's time zone.
`docs/export.md` defines each column.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from bot.exports.booked import Kind
from bot.exports.csv_files import CsvFile, Row
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.flows import Flow
from engine.domain.execution.shortfall import Shortfall
from engine.domain.market.decimals import ZERO, plain
from engine.domain.market.pairs import USDT, base_of
from engine.domain.orders.order import Fill, Order, PricedTerms
from engine.domain.orders.slippage import slippage
from engine.domain.profit.costs import cost_of
from engine.domain.profit.entries import Prices


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
# What each column has of one change of a flow.
_FLOW_CELLS: Mapping[str, Callable[[Flow, BalanceChange, tzinfo], str]] = {
    "time_utc": lambda flow, _, __: _utc(flow.at),
    "time_local": lambda flow, _, zone: flow.at.astimezone(zone).isoformat(timespec="seconds"),
    "mode": lambda flow, _, __: "paper" if flow.dry_run else "live",
    "kind": lambda flow, change, _: _kind(flow, change).value,
    "flow_asset": lambda _, change, __: change.asset,
    "flow_amount": lambda _, change, __: plain(change.change),
    "flow_before": lambda _, change, __: plain(change.before),
    "flow_after": lambda _, change, __: plain(change.after),
    "flow_usdt": lambda flow, change, _: _maybe(flow.value_of(change)),
    "flow_corrected": lambda flow, change, _: _corrected(flow, change),
}
# Added later, so they stand at the end.
_ORDER_CELLS: Mapping[str, Callable[[Order], str]] = {
    "order_type": lambda trade: trade.order_type.value,
    "bound_price": lambda trade: "" if trade.priced is None else plain(trade.priced.price),
    "expected_price": lambda trade: "" if trade.priced is None else plain(trade.priced.average),
    "bid_seen": lambda trade: "" if trade.top is None else _maybe(trade.top.bid),
    "ask_seen": lambda trade: "" if trade.top is None else _maybe(trade.top.ask),
    "book_utc": lambda trade: "" if trade.top is None else _utc(trade.top.read_at),
    "offered_usdt": lambda trade: "" if trade.top is None else _maybe(trade.top.depth),
    "bound_percent": lambda trade: _bound_percent(trade.priced),
    "expected_cost_bp": lambda trade: "" if trade.priced is None else _maybe(trade.priced.cost_bp),
    "accepted_utc": lambda trade: _utc(trade.acknowledged_at),
    "cancelled_utc": lambda trade: _utc(trade.cancelling_since),
    "ended_by": lambda trade: "" if trade.end_reason is None else trade.end_reason.value,
    "middle_after": lambda trade: _maybe(trade.final_mid),
    "fee_coin_price": lambda trade: _maybe(trade.fee_price),
    "fills": lambda trade: "; ".join(map(_fill, trade.fees.fills)) if trade.fees else "",
    "run": lambda trade: "" if trade.leg is None else trade.run_id,
    "leg": lambda trade: "" if trade.leg is None else str(trade.leg),
    "slice": lambda trade: "" if trade.slice_number is None else str(trade.slice_number),
    "slices": lambda trade: "" if trade.slices is None else str(trade.slices),
}
_COST_COLUMNS = ("cost_usdt", "cost_bp", "missed_usdt")
# A newer version adds columns at the end only: files of two versions can be joined.
COLUMNS = (
    *_CELLS,
    "kind",
    *("fee_1", "fee_1_asset", "fee_2", "fee_2_asset", "fee_3", "fee_3_asset", "fees_known"),
    *("flow_asset", "flow_amount", "flow_before", "flow_after", "flow_usdt"),
    "flow_corrected",
    *_ORDER_CELLS,
    *_COST_COLUMNS,
)
_FEES = 3
_COST_DIGITS = 12
_NO_COINS = Prices({})


def _rows(event: Order | Flow, zone: tzinfo) -> Iterable[Row]:
    if isinstance(event, Order):
        cells = {name: cell(event, zone) for name, cell in _CELLS.items()}
        ordered = {name: cell(event) for name, cell in _ORDER_CELLS.items()}
        yield _row(cells | _fee_cells(event) | ordered | _cost_cells(event))
        return
    for change in event.changes:
        yield _row({name: cell(event, change, zone) for name, cell in _FLOW_CELLS.items()})


def _row(cells: Mapping[str, str]) -> Row:
    return [cells.get(column, "") for column in COLUMNS]


def _fee_cells(trade: Order) -> dict[str, str]:
    """USDT first; more than three assets are in the text of `fees` alone."""
    cells = {"kind": Kind.TRADE.value, "fees_known": "none"}
    if trade.fees is None:
        return cells
    cells["fees_known"] = "all" if trade.fees.complete else "part"
    paid = sorted(trade.fees.by_asset.items(), key=lambda fee: (fee[0] != USDT, fee[0]))
    for number, (asset, amount) in enumerate(paid[:_FEES], start=1):
        cells |= {f"fee_{number}": plain(amount), f"fee_{number}_asset": asset}
    return cells


def _cost_cells(trade: Order) -> dict[str, str]:
    cost = cost_of(trade, _NO_COINS)
    if not isinstance(cost, Shortfall) or cost.done_bp is None:
        return {}
    is_end_known = trade.final_mid is not None or cost.intended_value == cost.done_value
    return {
        "cost_usdt": _rounded(cost.done),
        "cost_bp": f"{cost.done_bp:.4f}",
        "missed_usdt": _rounded(cost.opportunity) if is_end_known else "",
    }


def _rounded(amount: Decimal) -> str:
    return plain(round(amount, _COST_DIGITS))


def _fill(fill: Fill) -> str:
    at = fill.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    paid = f"{plain(fill.fee)} {fill.fee_asset}"
    side = "maker" if fill.is_maker else "taker"
    return f"{fill.trade_id} {at} {plain(fill.quantity)} at {plain(fill.price)} {paid} {side}"


def _bound_percent(priced: PricedTerms | None) -> str:
    return "" if priced is None or priced.guard is None else plain(priced.guard * 100)


def _corrected(flow: Flow, change: BalanceChange) -> str:
    correction = flow.corrections.get(change.asset)
    return "" if correction is None else correction.value


def _kind(flow: Flow, change: BalanceChange) -> Kind:
    if flow.is_by_hand:
        return Kind.BY_HAND
    return Kind.DEPOSIT if change.change > ZERO else Kind.WITHDRAWAL


EVERYTHING = CsvFile("ballast-trades", COLUMNS, _rows)
