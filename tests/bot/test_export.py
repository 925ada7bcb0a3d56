"""The CSV of all trades: exact amounts as text, one row a trade."""

from datetime import UTC, datetime
from decimal import Decimal

from bot.export import COLUMNS, to_csv
from engine.domain.orders import ClientOrderId, Execution, Fees, OrderState
from engine.domain.pairs import USDT, Asset, Side
from tests.builders import intent

AT = datetime(2026, 11, 22, 12, 3, 4, 999_999, tzinfo=UTC)


def rows(*trades: object) -> list[str]:
    return to_csv(trades).decode().split("\r\n")  # type: ignore[arg-type]


def test_a_trade_is_written_with_all_its_digits():
    trade = intent(
        client_order_id=ClientOrderId("bl-1"),
        exchange_order_id="C02__1",
        state=OrderState.PARTIAL,
        execution=Execution(Decimal("1E+5"), Decimal("16.300000001")),
        fees=Fees({USDT: Decimal("0.00815"), Asset("MX"): Decimal("1E-8")}),
        quote_after=Decimal("40.79"),
        resolved_at=AT,
    )

    header, row, end = rows(trade)

    assert header == ",".join(COLUMNS)
    assert row == (
        "2026-11-22T12:03:04Z,live,MNTLUSDT,buy,MNTL,100000,16.300000001,0.00016300000001,"
        "0.00815 USDT 0.00000001 MX,57.1,40.79,40,partial,interval,bl-1,C02__1"
    )
    assert end == ""


def test_what_is_not_known_is_left_empty():
    trade = intent(side=Side.SELL, dry_run=True, client_order_id=ClientOrderId("bl-2"))

    row = rows(trade)[1]

    assert row == (
        "2026-11-22T12:00:00Z,paper,MNTLUSDT,sell,MNTL,0,0,,,22.9,,40,planned,interval,bl-2,"
    )


def test_without_trades_there_is_the_header_alone():
    assert rows() == [",".join(COLUMNS), ""]
