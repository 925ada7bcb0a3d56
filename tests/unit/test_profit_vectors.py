"""Published vectors of profit: returns, gains, only holding, and what each trade brought.

They were computed by a reference implementation outside this project, with 50 digits.
"""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Side
from engine.domain.profit.entries import PriceLine, Prices
from engine.domain.profit.lots import Entry, Gains, Method, gains
from engine.domain.profit.report import ProfitReport, profit
from engine.domain.profit.returns import (
    Valuation,
    dietz,
    drawdown,
    money_weighted,
    of_period,
    target_once,
    time_weighted,
)
from engine.domain.profit.steps import Held
from tests.builders import MNTL
from tests.fakes.clock import START
from tests.unit.profits import bought, moved, sold

_VECTORS = {
    vector["id"]: vector
    for vector in json.loads(Path(__file__).with_name("profit_vectors.json").read_text("utf-8"))
}
_NEAR = Decimal("1e-11")
_END = START + timedelta(days=30)


def _given(name: str) -> Any:
    return _VECTORS[name]["given"]


def _expected(name: str) -> Any:
    return _VECTORS[name]["expect"]


def _valued(points: list[Any]) -> list[Valuation]:
    return [Valuation(Decimal(value), Decimal(flow)) for value, flow in points]


@pytest.mark.parametrize("name", ["C01", "C02", "C03", "C04", "C05", "C06", "C07"])
def test_the_time_weighted_return_is_that_of_the_vector(name: str) -> None:
    expected = _expected(name)["twr"]
    found = time_weighted(_valued(_given(name)["points"]))
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert abs(found - Decimal(expected)) < _NEAR


@pytest.mark.parametrize("name", ["C08", "C10", "C11"])
def test_the_money_weighted_return_is_that_of_the_vector(name: str) -> None:
    flows = [(day, Decimal(amount)) for day, amount in _given(name)["flows"]]
    expected, found = _expected(name)["xirr"], money_weighted(flows)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert abs(found - Decimal(expected)) < _NEAR


def test_less_than_a_year_shows_the_return_of_the_period() -> None:
    found = of_period(Decimal(_expected("C10")["xirr"]), days=30)
    assert abs(found - Decimal(_expected("C10")["period"])) < _NEAR


def test_modified_dietz_is_that_of_the_vector() -> None:
    given = _given("C09")
    flows = [(day, Decimal(amount)) for day, amount in given["flows"]]
    found = dietz(Decimal(given["v0"]), Decimal(given["v1"]), flows, days=given["days"])
    assert found is not None
    assert abs(found - Decimal(_expected("C09")["dietz"])) < _NEAR
    assert dietz(ZERO, Decimal(1), [], days=1) is None


def test_only_holding_counts_deposits_and_withdrawals_in_kind() -> None:
    given, expected = _given("C12"), _expected("C12")
    quote, base = (Decimal(given["opening"][asset]) for asset in ("USDT", "MNTL"))
    [(_, came), (_, went)] = given["flows"]
    report = _report(
        [
            moved(START + timedelta(days=1), USDT, quote, quote + Decimal(came)),
            moved(START + timedelta(days=2), MNTL, base, base + Decimal(went)),
        ],
        price=given["price"],
        now=(quote + Decimal(came), base + Decimal(went)),
    )
    assert report.held == report.now == Decimal(expected["value"])


def _entries(trades: list[list[str]]) -> list[Entry]:
    return [
        Entry(Decimal(units), Decimal(quote) + Decimal(fee))
        if side == "buy"
        else Entry(-Decimal(units), Decimal(quote) - Decimal(fee))
        for side, units, quote, fee in trades
    ]


def test_realised_and_unrealised_gains_are_those_of_the_vector() -> None:
    given, expected = _given("C13"), _expected("C13")
    entries, price = _entries(given["trades"]), Decimal(given["price"])
    fifo, average = (gains(entries, method=method) for method in Method)
    assert fifo.realised == Decimal(expected["real_fifo"])
    assert average.realised == Decimal(expected["real_avg"])
    assert fifo.left == average.left == Decimal(expected["left"])
    unrealised = [fifo.unrealised(price), average.unrealised(price)]
    assert unrealised == [Decimal(text) for text in expected["unreal"]]


def test_a_fee_in_another_coin_is_a_cost_of_the_trade() -> None:
    given, expected = _given("C14"), _expected("C14")
    amount, rate = map(Decimal, given["fee_mx"])
    (units, paid), (sold_units, got) = given["buy"], given["sell"]
    found = gains(
        [
            Entry(Decimal(units), Decimal(paid) + amount * rate),
            Entry(-Decimal(sold_units), Decimal(got) - Decimal(given["fee_usdt_value"])),
        ],
        method=Method.FIFO,
    )
    assert abs(found.realised - Decimal(expected["real_fifo"])) < Decimal("1e-8")
    assert found.left == Decimal(expected["left"])


def test_what_a_fee_took_in_the_token_never_arrived() -> None:
    given, expected = _given("C15"), _expected("C15")
    (units, paid), (sold_units, got) = given["buy"], given["sell"]
    found = gains(
        [
            Entry(Decimal(units) - Decimal(given["fee_base"]), Decimal(paid)),
            Entry(-Decimal(sold_units), Decimal(got)),
        ],
        method=Method.FIFO,
    )
    assert (found.realised, found.left) == (Decimal(expected["real_fifo"]), ZERO)


def test_units_that_were_not_bought_here_have_no_gain() -> None:
    given, expected = _given("C16"), _expected("C16")
    (units, paid), (sold_units, got) = given["buy"], given["sell"]
    found = gains(
        [Entry(Decimal(units), Decimal(paid)), Entry(-Decimal(sold_units), Decimal(got))],
        method=Method.FIFO,
    )
    assert found == Gains(
        Decimal(expected["real_fifo"]),
        ZERO,
        ZERO,
        Decimal(expected["unknown_units"]),
        Decimal(expected["unknown_proceeds"]),
    )


def test_the_cost_of_a_trade_is_its_fee_and_its_slippage() -> None:
    given, expected = _given("C17"), _expected("C17")
    quantity, average = Decimal(given["qty"]), Decimal(given["average"])
    event = bought(
        START, quantity, quantity * average, fee=given["fee"], price=given["mid"], before=(100, 0)
    )
    [trade] = _report([event], price="0.002", now=None).trades
    assert trade.slippage == Decimal(expected["slippage"])
    assert trade.fee + trade.slippage == Decimal(expected["total"])
    cost = (trade.fee + trade.slippage) / (quantity * Decimal(given["mid"])) * 10_000
    assert round(cost, 2) == Decimal(expected["bps"])


def test_against_holding_is_costs_and_allocation() -> None:
    given, expected = _given("C18"), _expected("C18")
    against = Decimal(given["account_end"]) - Decimal(given["hold_end"])
    assert against == Decimal(expected["against_hold"])
    assert against + Decimal(given["costs"]) == Decimal(expected["of_it_allocation"])


def test_the_drawdown_is_taken_from_the_index() -> None:
    index = [Decimal(value) for value in _given("C19")["index"]]
    assert drawdown(index) == Decimal(_expected("C19")["max_drawdown"])


def test_a_flow_at_the_moment_of_a_trade_comes_first() -> None:
    given = _given("C20")
    found = time_weighted(_valued([[given["before"], given["flow"]], [given["after_trade"], "0"]]))
    assert found == Decimal(_expected("C20")["twr"])


def test_a_reading_without_a_price_is_no_point() -> None:
    points = [[value, "0"] for value in _given("C21")["points"] if value is not None]
    assert time_weighted(_valued(points)) == Decimal(_expected("C21")["twr"])


def test_a_fee_from_outside_lowers_the_return() -> None:
    given = _given("C22")
    found = time_weighted(_valued([[given["before"], given["fee_value"]], [given["after"], "0"]]))
    assert found is not None
    assert abs(found - Decimal(_expected("C22")["factor"])) < _NEAR


def test_what_each_trade_brought_adds_up_to_the_account_less_only_holding() -> None:
    given, expected = _given("C23"), _expected("C23")
    quote, base = (Decimal(given["opening"][asset]) for asset in ("USDT", "MNTL"))
    [(_, q1, paid, fee1), (_, q2, got, fee2)] = given["trades"]
    after_buy = (quote - Decimal(paid) - Decimal(fee1), base + Decimal(q1))
    report = _report(
        [
            bought(START, q1, paid, fee=fee1, before=(quote, base)),
            sold(START + timedelta(days=1), q2, got, fee=fee2, before=after_buy),
        ],
        price=given["price_end"],
        now=None,
    )
    assert [trade.brought for trade in report.trades] == [Decimal(x) for x in expected["each"]]
    assert report.brought == Decimal(expected["sum"])
    assert report.now == Decimal(expected["account"])
    assert report.held == Decimal(expected["held"])


def test_the_target_once_and_never_again_is_that_of_the_vector() -> None:
    given = _given("C24")
    found = target_once(
        [
            (Decimal(given["v0"]), Decimal(given["p0"])),
            *((Decimal(amount), Decimal(price)) for amount, price in given["flows"]),
        ],
        quote_share=Decimal(given["weights"]["USDT"]),
        price=Decimal(given["p1"]),
    )
    assert abs(found - Decimal(_expected("C24")["value"])) < _NEAR


def test_every_vector_is_tested() -> None:
    source = Path(__file__).read_text("utf-8")
    assert [name for name in _VECTORS if f'"{name}"' not in source] == []
    assert len(_VECTORS) == 24


def _report(events: list[Any], *, price: str, now: tuple[Decimal, Decimal] | None) -> ProfitReport:
    if now is None:
        quote, base = events[0].quote_before, events[0].base_before
        for trade in events:
            sign = 1 if trade.side is Side.BUY else -1
            quote += -sign * trade.quote - trade.fees.get(USDT, ZERO)
            base += sign * trade.quantity
        now = quote, base
    report = profit(
        events,
        now=Held(MNTL, *now),
        prices=Prices({MNTL: PriceLine([START], [Decimal(price)])}),
        since=START,
        until=_END,
    )
    assert report is not None
    return report
