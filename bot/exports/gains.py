"""The gain of each sale, first in first out and at average cost, and a summary of all.
`docs/export.md` defines each column and figure.
"""

import csv
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, localcontext
from io import StringIO

from bot.exports.csv_files import CsvFile, Row, defused
from engine.accounts.gains import AccountGains
from engine.domain.accounts.flows import Flow
from engine.domain.market.decimals import ZERO, plain
from engine.domain.market.pairs import USDT, Asset
from engine.domain.orders.order import Order
from engine.domain.profit.disposals import Disposal
from engine.domain.profit.lots import Gains
from engine.domain.profit.money_return import MoneyReturn
from engine.domain.profit.report import ProfitReport
from engine.domain.profit.returns import WIDE

COLUMNS = (
    *("time_utc", "time_local", "kind", "asset", "units", "proceeds_usdt"),
    *("cost_fifo_usdt", "gain_fifo_usdt", "cost_average_usdt", "gain_average_usdt"),
    *("fee_usdt", "fee_known", "unknown_units", "unknown_proceeds_usdt", "client_order_id"),
)
SUMMARY_COLUMNS = ("figure", "asset", "amount", "unit", "time_utc")
SUMMARY = "ballast-gains-summary.csv"
# Costs are quotients, which may have no end.
_DIGITS = 12
_PERCENT = "percent"


def gains_file(gains: AccountGains) -> CsvFile:
    """The sales of *gains*, which takes what is written."""

    def rows(event: Order | Flow, zone: tzinfo) -> Iterable[Row]:
        return [_row(disposal, zone) for disposal in gains.take(event)]

    return CsvFile("ballast-gains", COLUMNS, rows, real_only=True)


def summary(gains: AccountGains, returned: MoneyReturn | None) -> bytes:
    """The gains so far of each asset, and the return of the account."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(SUMMARY_COLUMNS)
    for asset, (fifo, average) in gains.book.gains().items():
        writer.writerows(_defused(_asset_rows(gains, asset, fifo, average)))
    if gains.found is not None and returned is not None:
        writer.writerows(_account_rows(gains.found.report, returned))
    return text.getvalue().encode()


def _row(disposal: Disposal, zone: tzinfo) -> Row:
    fifo, average = disposal.fifo, disposal.average
    return (
        _utc(disposal.at),
        disposal.at.astimezone(zone).isoformat(timespec="seconds"),
        disposal.kind.value,
        disposal.asset,
        plain(disposal.units),
        *map(_usdt, (disposal.proceeds, fifo.cost, fifo.gain, average.cost, average.gain)),
        _usdt(disposal.fee),
        "yes" if disposal.is_fee_known else "no",
        plain(fifo.unknown),
        _usdt(fifo.unknown_proceeds),
        disposal.client_order_id or "",
    )


def _asset_rows(gains: AccountGains, asset: Asset, fifo: Gains, average: Gains) -> Iterable[Row]:
    known = gains.price(asset)
    price, at = known or (None, None)
    yield "units_left", asset, plain(fifo.left), asset, ""
    yield "price", asset, _usdt(price), USDT, _utc(at)
    for name, one in (("fifo", fifo), ("average", average)):
        unrealised = None if price is None else one.unrealised(price)
        whole = None if unrealised is None else one.realised + unrealised
        for figure, amount in (
            ("realised", one.realised),
            ("cost_left", one.cost),
            ("unrealised", unrealised),
            ("gain", whole),
        ):
            yield f"{figure}_{name}", asset, _usdt(amount), USDT, ""
    yield "unknown_units", asset, plain(fifo.unknown), asset, ""
    yield "unknown_proceeds", asset, _usdt(fifo.unknown_proceeds), USDT, ""


def _account_rows(report: ProfitReport, returned: MoneyReturn) -> Iterable[Row]:
    amounts: Mapping[str, Decimal] = {
        "value_start": report.start,
        "deposits": report.deposits,
        "fee_coins": report.fee_flows,
        "value_end": report.now,
        "made": report.made,
    }
    moments = {"value_start": report.since, "value_end": report.until}
    for figure, amount in amounts.items():
        yield figure, "", _usdt(amount), USDT, _utc(moments.get(figure))
    for figure, fraction in (
        ("time_weighted", report.returned),
        ("money_weighted", returned.period),
        ("money_weighted_yearly", returned.yearly),
        ("modified_dietz", returned.dietz),
    ):
        yield figure, "", _usdt(None if fraction is None else fraction * 100), _PERCENT, ""
    for day, amount in returned.flows:
        yield "cash_flow", "", _usdt(amount), USDT, _utc(day)


def _defused(rows: Iterable[Row]) -> Iterable[Row]:
    return ([defused(cell) for cell in row] for row in rows)


def _usdt(amount: Decimal | None) -> str:
    """Without a minus zero; empty for what is not known."""
    if amount is None:
        return ""
    with localcontext(WIDE):
        return plain(round(amount, _DIGITS) or ZERO)


def _utc(moment: datetime | date | None) -> str:
    if moment is None:
        return ""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return moment.isoformat()
