"""Gains sale by sale, by both methods, and the return of the money that was put in."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from bot.exports.gains import COLUMNS, gains_file, summary
from bot.views.export import GainsWords
from engine.accounts.gains import AccountGains
from engine.accounts.profit import SpanReport
from engine.domain.accounts.balance_changes import BalanceChange
from engine.domain.accounts.flows import Flow
from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.orders.order import Execution, Fees, Order, OrderState
from engine.domain.profit.entries import Change, PriceLine, Prices, Trade
from engine.domain.profit.money_return import MoneyReturn, money_return
from engine.domain.profit.report import ProfitReport, profit
from engine.domain.profit.steps import Held
from tests.builders import MNTL, intent
from tests.fakes.clock import START
from tests.unit.profits import moved

D = Decimal
DAY = timedelta(days=1)
DOCUMENT = Path(__file__).parents[2] / "docs" / "export.md"
MX = Asset("MX")
PRICES = Prices(
    {
        MNTL: PriceLine([START - DAY], [D("0.0026")]),
        MX: PriceLine([START - DAY], [D("2.5")]),
    }
)


def order(side: Side, units: str, quote: str, *, hour: int = 0, **fees: str) -> Order:
    return intent(
        side=side,
        state=OrderState.FILLED,
        run_id=f"run-{hour}",
        execution=Execution(D(units), D(quote)),
        fees=Fees({Asset(asset): D(amount) for asset, amount in fees.items()}),
        created_at=START + timedelta(hours=hour),
        resolved_at=START + timedelta(hours=hour, seconds=9),
    )


def flow(prices: Mapping[Asset, Decimal] | None = None, **amounts: str) -> Flow:
    changes = [
        BalanceChange(at=START, dry_run=False, asset=Asset(a), before=D(0), after=D(amount))
        for a, amount in amounts.items()
    ]
    return Flow(at=START, dry_run=False, changes=changes, prices=prices or {})


def report(
    *flows: tuple[int, str], start: str = "1", now: str = "1", days: int = 365
) -> ProfitReport:
    """From *start* to *now*, whatever the token did."""
    events: list[Trade | Change] = []
    quote = D(start)
    for day, amount in flows:
        events.append(moved(START + day * DAY, USDT, quote, quote + D(amount)))
        quote += D(amount)
    found = profit(
        events,
        now=Held(MNTL, quote, D(0)),
        prices=PRICES,
        since=START,
        until=START + days * DAY,
    )
    assert found is not None
    return replace(found, now=D(now), made=D(now) - quote)


def written(
    *events: Order | Flow, found: SpanReport | None = None, returned: MoneyReturn | None = None
) -> tuple[list[dict[str, str]], dict[tuple[str, str], str]]:
    """The rows of the sales, and the figures of the summary."""
    gains = AccountGains(found or SpanReport(report(), None, True, False, PRICES))
    sheet = gains_file(gains)
    rows = [row for event in events for row in sheet.rows(event, ZoneInfo("Asia/Tokyo"))]
    figures = csv.DictReader(summary(gains, returned).decode().splitlines())
    return (
        [dict(zip(COLUMNS, row, strict=True)) for row in rows],
        {(row["figure"], row["asset"] or row["time_utc"]): row["amount"] for row in figures},
    )


C13 = (
    order(Side.BUY, "1000", "2", USDT="0.001"),
    order(Side.BUY, "1000", "3", USDT="0.0015", hour=1),
    order(Side.SELL, "1500", "4.2", USDT="0.0021", hour=2),
)


def test_a_sale_has_its_gain_by_both_methods_and_what_is_left_makes_them_equal():
    [row], figures = written(*C13)

    assert row == {
        "time_utc": "2026-11-22T14:00:09Z",
        "time_local": "2026-11-22T23:00:09+09:00",
        "kind": "sale",
        "asset": "MNTL",
        "units": "1500",
        "proceeds_usdt": "4.1979",
        "cost_fifo_usdt": "3.50175",
        "gain_fifo_usdt": "0.69615",
        "cost_average_usdt": "3.751875",
        "gain_average_usdt": "0.446025",
        "fee_usdt": "0.0021",
        "fee_known": "yes",
        "unknown_units": "0",
        "unknown_proceeds_usdt": "0",
        "client_order_id": C13[2].client_order_id,
    }
    expected = {
        "units_left": "500",
        "price": "0.0026",
        "realised_fifo": "0.69615",
        "unrealised_fifo": "-0.20075",
        "gain_fifo": "0.4954",
        "realised_average": "0.446025",
        "unrealised_average": "0.049375",
        "gain_average": "0.4954",
    }
    assert {name: figures[name, "MNTL"] for name in expected} == expected


def test_what_was_not_bought_here_stands_apart_and_a_deposit_is_no_purchase():
    [row], figures = written(
        flow(MNTL="500"),
        order(Side.BUY, "1000", "2"),
        flow(USDT="-1"),
        order(Side.SELL, "1500", "3.6"),
    )

    assert (row["gain_fifo_usdt"], row["gain_average_usdt"]) == ("0.4", "0.4")
    assert (row["unknown_units"], row["unknown_proceeds_usdt"]) == ("500", "1.2")
    assert figures["unknown_units", "MNTL"] == "500"
    assert figures["units_left", "MNTL"] == "0"


def test_a_fee_in_another_coin_is_a_cost_and_disposes_of_that_coin():
    of_buy, sale, of_sale = written(
        order(Side.BUY, "1000", "2", MX="0.0004"), order(Side.SELL, "1000", "3", MX="0.0008")
    )[0]

    assert (of_buy["kind"], of_buy["asset"], of_buy["units"]) == ("fee", "MX", "0.0004")
    assert (of_buy["proceeds_usdt"], of_buy["unknown_units"]) == ("0.001", "0.0004")
    assert (sale["cost_fifo_usdt"], sale["proceeds_usdt"]) == ("2.001", "2.998")
    assert (sale["fee_usdt"], sale["gain_average_usdt"]) == ("0.002", "0.997")
    assert of_sale["fee_known"] == "yes"


def test_an_exchange_by_hand_buys_or_sells():
    [row], _ = written(flow(USDT="-2", MNTL="1000"), flow(USDT="3", MNTL="-1000"))

    assert (row["kind"], row["cost_fifo_usdt"], row["gain_fifo_usdt"]) == ("by_hand", "2", "1")
    assert (row["client_order_id"], row["fee_usdt"], row["fee_known"]) == ("", "", "no")


def test_a_token_for_another_by_hand_is_a_sale_for_what_it_was_worth_and_a_purchase():
    prices = {Asset("BTC"): D("0.003"), Asset("ETH"): D("0.5")}
    swap = flow(prices, BTC="-1000", ETH="6")
    [row, later], _ = written(flow(USDT="-2", BTC="1000"), swap, flow(USDT="4", ETH="-6"))
    unknown, _ = written(flow(BTC="-1000", ETH="6"))

    assert (row["asset"], row["proceeds_usdt"], row["gain_fifo_usdt"]) == ("BTC", "3", "1")
    assert (later["cost_fifo_usdt"], later["gain_average_usdt"]) == ("3", "1")
    assert unknown == []


def test_without_a_price_what_is_left_has_no_gain_and_fees_are_not_known():
    gains = AccountGains(None)
    sheet = gains_file(gains)
    [row] = [r for event in C13 for r in sheet.rows(event, UTC)]
    text = summary(gains, None).decode()

    assert row[COLUMNS.index("gain_fifo_usdt")] == "0.69615"
    assert "realised_fifo,MNTL,0.69615,USDT," in text
    assert "unrealised_fifo,MNTL,,USDT," in text
    assert "I do not know what the rest is worth" in GainsWords().summary(None, None)
    [fee] = gains_file(AccountGains(None)).rows(order(Side.BUY, "1000", "2", MX="1"), UTC)
    assert fee[COLUMNS.index("fee_known")] == "no"


@pytest.mark.parametrize("seed", range(10))
def test_both_methods_come_to_the_same_whole_and_the_rows_to_the_summary(seed: int):
    chance = Random(seed)  # noqa: S311
    trades = [
        (chance.choice([*Side]), str(chance.randint(1, 10**6)), str(chance.randint(1, 999) / 8))
        for _ in range(12)
    ]
    rows, figures = written(*(order(*trade, hour=hour) for hour, trade in enumerate(trades)))

    assert figures["gain_fifo", "MNTL"] == figures["gain_average", "MNTL"]
    for method in ("fifo", "average"):
        total = sum((D(row[f"gain_{method}_usdt"]) for row in rows), D(0))
        assert abs(total - D(figures[f"realised_{method}", "MNTL"])) < D("1e-10")
        for row in rows:
            parts = ("cost_{}_usdt", "gain_{}_usdt", "unknown_proceeds_usdt")
            of_row = sum(D(row[part.format(method)]) for part in parts)
            assert abs(of_row - D(row["proceeds_usdt"])) < D("1e-11")


def test_the_return_of_the_money_is_a_spreadsheets_xirr_of_the_flows_beside_it():
    found = report((181, "1000"), start="1000", now="1890")
    returned = money_return(found)
    _, figures = written(*C13, found=SpanReport(found, None, True), returned=returned)

    assert figures["money_weighted_yearly", ""].startswith("-7.2677367966")
    assert figures["money_weighted", ""] == figures["money_weighted_yearly", ""]
    assert figures["modified_dietz", ""].startswith("-7.31329690346")
    assert (figures["value_end", "2027-11-22T12:00:00Z"], figures["made", ""]) == ("1890", "-110")
    assert [amount for (figure, _), amount in figures.items() if figure == "cash_flow"] == [
        "-1000",
        "-1000",
        "1890",
    ]
    assert ("cash_flow", "2027-05-22") in figures
    _, _, explained = DOCUMENT.read_text(encoding="utf-8").partition("## The summary of gains")
    assert [figure for figure, _ in figures if f"| `{figure}` |" not in explained] == []
    assert "made -7.3% since 22 Nov 2026" in GainsWords().summary(
        SpanReport(found, None, True), returned
    )


def test_less_than_a_year_is_the_periods_own_return_and_never_a_yearly_one():
    month = money_return(report(start="100", now="103", days=30))
    day = money_return(report(start="100", now="150", days=1))
    both = money_return(report((1, "-230"), start="100", now="-132", days=2))

    assert month.period is not None
    assert day.period is not None
    assert abs(month.period - D("0.03")) < D("1e-20")
    assert abs(day.period - D("0.5")) < D("1e-20")
    assert (month.yearly, day.yearly) == (None, None)
    assert both.period is None
    today = report(start="100", now="103", days=0)
    told = GainsWords().summary(SpanReport(today, None, True), money_return(today))
    assert "from tomorrow on" in told
    assert "no single answer" in GainsWords().summary(SpanReport(report(), None, True), both)


def test_two_years_show_both():
    returned = money_return(report(start="100", now="121", days=730))

    assert returned.yearly is not None
    assert returned.period is not None
    assert round(returned.yearly, 12) == D("0.1")
    assert round(returned.period, 12) == D("0.21")
