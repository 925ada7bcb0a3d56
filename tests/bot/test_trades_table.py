"""The tables of all trades: exact amounts as text, no formulas, parts where one would be too large."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.exports import koinly
from bot.exports.csv_files import CsvFile, CsvParts, defused
from bot.exports.koinly import KOINLY
from bot.exports.trades_table import COLUMNS, EVERYTHING
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.orders.order import ClientOrderId, Execution, Fees, Order, OrderState
from tests.builders import intent

AT = datetime(2026, 11, 22, 12, 3, 4, 999_999, tzinfo=UTC)
DOCUMENT = Path(__file__).parents[2] / "docs" / "export.md"


def table(sheet: CsvFile, *trades: Order, zone: str = "UTC") -> list[dict[str, str]]:
    rows = [list(map(defused, row)) for t in trades for row in sheet.rows(t, ZoneInfo(zone))]
    assert all(len(row) == len(sheet.columns) for row in rows)
    return [dict(zip(sheet.columns, row, strict=True)) for row in rows]


def filled(**changes: object) -> Order:
    usual = {
        "state": OrderState.FILLED,
        "execution": Execution(Decimal("1E+5"), Decimal("16.300000001")),
        "fees": Fees({USDT: Decimal("0.00815")}),
        "exchange_order_id": "C02__1",
        "resolved_at": AT,
    }
    return intent(**(usual | changes))


def test_a_trade_is_written_with_all_its_digits():
    fees = Fees({USDT: Decimal("0.00815"), Asset("MX"): Decimal("1E-8")})

    [row] = table(
        EVERYTHING,
        filled(fees=fees, state=OrderState.PARTIAL, quote_after="40.79", price="0.0002"),
        zone="Europe/Berlin",
    )

    assert row["time_utc"] == "2026-11-22T12:03:04Z"
    assert row["time_local"] == "2026-11-22T13:03:04+01:00"
    assert (row["mode"], row["side"], row["state"]) == ("live", "buy", "partial")
    assert row["base_quantity"] == "100000"
    assert row["quote_usdt"] == "16.300000001"
    assert row["average_price"] == "0.00016300000001"
    assert row["slippage_percent"] == "-18.5000"
    assert row["fees"] == "0.00815 USDT 0.00000001 MX"
    assert row["usdt_after"] == "40.79"
    assert (row["asked_usdt"], row["asked_base"]) == ("17.1", "")


def test_what_is_not_known_is_left_empty():
    [row] = table(EVERYTHING, intent(side=Side.SELL, dry_run=True))

    assert row["mode"] == "paper"
    for unknown in ("average_price", "price_seen", "slippage_percent", "fees", "sent_utc"):
        assert row[unknown] == "", unknown


def test_every_column_is_explained():
    explained = [
        line.split("`")[1]
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]

    assert explained == [*COLUMNS, *koinly.COLUMNS]


def test_koinly_gets_a_buy_as_usdt_sent_with_its_fee_and_tokens_received():
    [row] = table(KOINLY, filled(), zone="Asia/Tokyo")

    assert row == {
        "Date": "2026-11-22 12:03:04 UTC",
        "Sent Amount": "16.308150001",
        "Sent Currency": "USDT",
        "Received Amount": "100000",
        "Received Currency": "MNTL",
        "Fee Amount": "",
        "Fee Currency": "",
        "Net Worth Amount": "",
        "Net Worth Currency": "",
        "Label": "",
        "Description": "Bought MNTL at MEXC",
        "TxHash": "C02__1",
    }


def test_koinly_gets_a_sell_after_its_fee():
    [row] = table(KOINLY, filled(side=Side.SELL))

    assert (row["Sent Amount"], row["Sent Currency"]) == ("100000", "MNTL")
    assert (row["Received Amount"], row["Received Currency"]) == ("16.291850001", "USDT")
    assert row["Fee Amount"] == ""


def test_koinly_gets_fees_in_other_assets_apart():
    fees = Fees({Asset("BNB"): Decimal(2), Asset("MX"): Decimal("0.001"), USDT: Decimal("0.01")})

    trade, cost = table(KOINLY, filled(fees=fees))

    assert trade["Sent Amount"] == "16.310000001"
    assert (trade["Fee Amount"], trade["Fee Currency"]) == ("2", "BNB")
    assert (cost["Sent Amount"], cost["Sent Currency"], cost["Label"]) == ("0.001", "MX", "cost")
    assert cost["Received Amount"] == cost["Fee Amount"] == ""


@pytest.mark.parametrize("fees", [None, Fees({}), Fees({USDT: Decimal(0)})])
def test_koinly_gets_no_fee_where_none_is_known(fees: Fees | None):
    [row] = table(KOINLY, filled(fees=fees))

    assert row["Fee Amount"] == row["Fee Currency"] == ""
    assert ("fee not known" in row["Description"]) is (fees is None)


def test_fees_that_are_not_all_known_are_called_at_least():
    trade = filled(fees=Fees({USDT: Decimal("0.01")}, complete=False))

    [everything], [of_koinly] = table(EVERYTHING, trade), table(KOINLY, trade)

    assert everything["fees"] == "at least 0.01 USDT"
    assert of_koinly["Description"] == "Bought MNTL at MEXC, fee known in part"


@given(st.text(st.sampled_from("=+-@\t\r1.aE("), max_size=8))
def test_no_cell_is_a_formula_and_no_number_is_spoilt(cell: str):
    shown = defused(cell)

    assert shown.lstrip("'") == cell
    if not shown[:1].isdigit() and shown[:1] in set("=+-@\t\r"):
        Decimal(shown)


def test_what_comes_from_outside_is_defused():
    [row] = table(EVERYTHING, filled(exchange_order_id="=HYPERLINK(1)", symbol=Symbol("@AUSDT")))

    assert row["exchange_order_id"] == "'=HYPERLINK(1)"
    assert row["pair"] == "'@AUSDT"


def test_a_file_that_is_full_is_followed_by_another(tmp_path: Path):
    trades = [filled(client_order_id=ClientOrderId(f"order-{n}")) for n in range(9)]
    parts = CsvParts(EVERYTHING, folder=tmp_path, zone=UTC, most_bytes=1500)

    for at in range(0, 9, 2):
        parts.write(trades[at : at + 2])
    paths = parts.close()

    assert [path.name for path in paths][:2] == ["ballast-trades.csv", "ballast-trades-2.csv"]
    read = [list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))) for path in paths]
    assert [row["client_order_id"] for rows in read for row in rows] == [
        trade.client_order_id for trade in trades
    ]
    assert all(rows for rows in read)
