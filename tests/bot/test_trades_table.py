"""The tables of all trades: exact amounts as text, no formulas, parts where one would be too large."""

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.exports import cointracking, gains, koinly
from bot.exports.cointracking import COINTRACKING
from bot.exports.csv_files import CsvFile, CsvParts, defused
from bot.exports.koinly import KOINLY
from bot.exports.trades_table import COLUMNS, EVERYTHING
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.flows import Correction, Flow
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.orders.ledger import EndReason, TopOfBook
from engine.domain.orders.order import (
    ClientOrderId,
    Execution,
    Fees,
    Fill,
    Order,
    OrderState,
    fees_of,
)
from tests.builders import MNTL, intent

AT = datetime(2026, 11, 22, 12, 3, 4, 999_999, tzinfo=UTC)
COLUMNS_OF_0_6 = (
    "time_utc time_local mode pair side base_asset base_quantity quote_usdt average_price "
    "price_seen slippage_percent fees usdt_before usdt_after base_before base_after target_usdt "
    "asked_usdt asked_base expected_usdt state started_by planned_utc sent_utc settled_utc "
    "client_order_id exchange_order_id"
)
DOCUMENT = Path(__file__).parents[2] / "docs" / "export.md"


def table(sheet: CsvFile, *trades: Order | Flow, zone: str = "UTC") -> list[dict[str, str]]:
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


def test_what_a_trade_cost_is_written_with_what_it_is_measured_by():
    fill = Fill(
        trade_id="t1",
        at=AT,
        price=Decimal("0.00201"),
        quantity=Decimal(1000),
        fee=Decimal("0.001"),
        fee_asset=USDT,
    )
    [row] = table(
        EVERYTHING,
        filled(
            execution=Execution(Decimal(1000), Decimal("2.01")),
            fees=fees_of([fill], executed=Decimal(1000)),
            quote_amount=Decimal("4.01"),
            top=TopOfBook(Decimal("0.001999"), Decimal("0.002001"), AT),
            end_reason=EndReason.BOUND,
            acknowledged_at=AT,
            final_mid=Decimal("0.0021"),
        ),
    )

    assert (row["bid_seen"], row["ask_seen"]) == ("0.001999", "0.002001")
    assert (row["book_utc"], row["accepted_utc"]) == ("2026-11-22T12:03:04Z",) * 2
    assert (row["ended_by"], row["middle_after"]) == ("bound", "0.0021")
    assert row["fills"] == "t1 2026-11-22T12:03:04.999Z 1000 at 0.00201 0.001 USDT taker"
    assert (row["cost_usdt"], row["cost_bp"], row["missed_usdt"]) == ("0.011", "55.0000", "0.1")


def test_what_is_not_known_is_left_empty():
    [row] = table(EVERYTHING, intent(side=Side.SELL, dry_run=True))

    assert row["mode"] == "paper"
    for unknown in (
        *("average_price", "price_seen", "slippage_percent", "fees", "sent_utc", "bid_seen"),
        *("accepted_utc", "ended_by", "middle_after", "fills", "cost_usdt", "missed_usdt"),
    ):
        assert row[unknown] == "", unknown


def test_every_column_is_explained():
    columns, _, figures = DOCUMENT.read_text(encoding="utf-8").partition("## The summary of gains")
    explained = [line.split("`")[1] for line in columns.splitlines() if line.startswith("| `")]

    assert explained == [*COLUMNS, *gains.COLUMNS, *koinly.COLUMNS, *cointracking.COLUMNS]
    assert all(f"| `{column}` |" in figures for column in gains.SUMMARY_COLUMNS)


def test_new_columns_stand_behind_those_of_the_versions_before():
    """Whoever reads the files by position, or joins those of two versions, still can."""
    assert COLUMNS[:27] == tuple(COLUMNS_OF_0_6.split())
    assert len(COLUMNS) == len(set(COLUMNS)) == 63


def test_fees_are_numbers_beside_their_assets():
    fees = Fees({Asset("BNB"): Decimal(2), Asset("MX"): Decimal("1E-8"), USDT: Decimal("0.01")})

    [row] = table(EVERYTHING, filled(fees=fees))
    [cut] = table(EVERYTHING, filled(fees=Fees({USDT: Decimal("0.01")}, complete=False)))
    [unknown] = table(EVERYTHING, filled(fees=None))

    paid = [(row[f"fee_{n}"], row[f"fee_{n}_asset"]) for n in (1, 2, 3)]
    assert paid == [("0.01", "USDT"), ("2", "BNB"), ("0.00000001", "MX")]
    assert (row["kind"], row["fees_known"]) == ("trade", "all")
    assert (cut["fee_1"], cut["fees_known"]) == ("0.01", "part")
    assert (unknown["fee_1"], unknown["fees_known"]) == ("", "none")
    assert row["flow_amount"] == ""


def moved(
    *changes: tuple[Asset, str],
    price: str | None = None,
    corrections: Mapping[Asset, Correction] | None = None,
) -> Flow:
    return Flow(
        at=AT,
        dry_run=False,
        changes=[
            BalanceChange(
                at=AT, dry_run=False, asset=asset, before=Decimal(40), after=40 + Decimal(amount)
            )
            for asset, amount in changes
        ],
        price=None if price is None else Decimal(price),
        corrections=corrections or {},
    )


def test_a_flow_has_a_row_for_each_asset_and_its_worth_as_far_as_that_is_known():
    deposit, token = table(
        EVERYTHING, moved((USDT, "12.5"), (MNTL, "1000"), price="0.002"), zone="Asia/Tokyo"
    )
    [out] = table(EVERYTHING, moved((MNTL, "-7")))

    assert deposit["time_local"] == "2026-11-22T21:03:04+09:00"
    assert (deposit["kind"], deposit["mode"], deposit["side"]) == ("deposit", "live", "")
    assert (deposit["flow_asset"], deposit["flow_amount"]) == ("USDT", "12.5")
    assert (deposit["flow_before"], deposit["flow_after"]) == ("40", "52.5")
    assert (deposit["flow_usdt"], token["flow_usdt"]) == ("12.5", "2")
    assert (out["kind"], out["flow_amount"], out["flow_usdt"]) == ("withdrawal", "-7", "")
    own = replace(moved((MNTL, "-7"), (Asset("ETH"), "2")), prices={Asset("ETH"): Decimal(4)})
    assert [row["flow_usdt"] for row in table(EVERYTHING, own)] == ["", "8"]
    assert [row["kind"] for row in table(EVERYTHING, SWAP)] == ["by_hand", "by_hand"]
    said = moved((USDT, "12.5"), (MNTL, "-7"), corrections={USDT: Correction.RESULT})
    assert [row["flow_corrected"] for row in table(EVERYTHING, said)] == ["result", ""]


SWAP = moved((USDT, "-10"), (MNTL, "5000"))


def test_koinly_gets_flows_as_sent_or_received_and_an_exchange_by_hand_as_both():
    rows = table(KOINLY, moved((USDT, "12.5")), moved((MNTL, "-7")), SWAP)

    sides = [tuple(row[column] for column in koinly.COLUMNS[1:5]) for row in rows]
    assert sides == [
        ("", "", "12.5", "USDT"),
        ("7", "MNTL", "", ""),
        ("10", "USDT", "5000", "MNTL"),
    ]
    assert {row["TxHash"] for row in rows} == {""}


def test_cointracking_gets_amounts_with_their_fees_and_others_as_rows_of_their_own():
    fees = Fees({Asset("MX"): Decimal("0.001"), USDT: Decimal("0.01")})

    buy, fee = table(COINTRACKING, filled(fees=fees), zone="Asia/Tokyo")
    [sell] = table(COINTRACKING, filled(side=Side.SELL))

    assert buy == {
        "Type": "Trade",
        "Buy Amount": "100000",
        "Buy Currency": "MNTL",
        "Sell Amount": "16.310000001",
        "Sell Currency": "USDT",
        "Fee": "0.01",
        "Fee Currency": "USDT",
        "Exchange": "MEXC",
        "Trade-Group": "",
        "Comment": "Bought MNTL at MEXC",
        "Date": "2026-11-22 12:03:04",
        "Tx-ID": "C02__1",
    }
    assert (fee["Type"], fee["Sell Amount"], fee["Sell Currency"]) == ("Other Fee", "0.001", "MX")
    assert (sell["Buy Amount"], sell["Fee"]) == ("16.291850001", "0.00815")


def test_cointracking_gets_flows_by_their_kinds():
    rows = table(COINTRACKING, moved((USDT, "12.5")), moved((MNTL, "-7")), SWAP)

    assert [row["Type"] for row in rows] == ["Deposit", "Withdrawal", "Trade"]
    assert [(row["Buy Amount"], row["Sell Amount"]) for row in rows] == [
        ("12.5", ""),
        ("", "7"),
        ("5000", "10"),
    ]


@pytest.mark.parametrize("sheet", [KOINLY, COINTRACKING], ids=["koinly", "cointracking"])
def test_what_a_tax_file_books_is_what_the_balances_did(sheet: CsvFile):
    """Columns 2 to 5 are the two sides in both files, in another order; fees in MX go apart."""
    mx = Asset("MX")
    events: list[Order | Flow] = [
        moved((USDT, "100")),
        filled(fees=Fees({USDT: Decimal("0.00815"), mx: Decimal("0.5")})),
        filled(side=Side.SELL, fees=Fees({USDT: Decimal("0.01")})),
        filled(fees=Fees({MNTL: Decimal(50)})),
        SWAP,
    ]
    received = ("Received", "Sent") if sheet is KOINLY else ("Buy", "Sell")
    fee = ("Fee Amount", "Fee Currency") if sheet is KOINLY else ("", "")
    held: dict[str, Decimal] = {}
    for row in table(sheet, *events):
        for amount, asset, sign in (
            (row[f"{received[0]} Amount"], row[f"{received[0]} Currency"], 1),
            (row[f"{received[1]} Amount"], row[f"{received[1]} Currency"], -1),
            (row.get(fee[0], ""), row.get(fee[1], ""), -1),
        ):
            if amount:
                held[asset] = held.get(asset, Decimal(0)) + sign * Decimal(amount)

    paid = Decimal("16.300000001")
    assert held == {
        USDT: 100 - paid - Decimal("0.00815") + paid - Decimal("0.01") - paid - 10,
        MNTL: Decimal(100_000) - 50 + 5000,
        mx: Decimal("-0.5"),
    }


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
