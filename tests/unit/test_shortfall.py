"""What trades cost against the market they were decided on, and what is kept to tell it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.domain.execution.bounded_order import BoundedOrder, Wanted, bounded_order
from engine.domain.execution.record import (
    MX,
    EndReason,
    ExecutionRecord,
    LegFill,
    OrderTerms,
    OrderTimes,
    distinct,
    shortfall_of,
    terms_of,
)
from engine.domain.execution.shortfall import Shortfall, by_month, shortfall
from engine.domain.market.order_book import PriceLevel
from engine.domain.market.pairs import USDT, Asset, Side
from tests.fakes.clock import START
from tests.unit.test_bounded_order import BOOK, RULES, VECTORS

D = Decimal
FEE_RATE = D("0.0005")
_NEAR = D("1e-12")


def _order(amount: str = "17.1", *, slippage: str = "0.01") -> BoundedOrder:
    order = bounded_order(
        Side.BUY, Wanted(D(amount)), free=D(1000), book=BOOK, rules=RULES, slippage=D(slippage)
    )
    assert isinstance(order, BoundedOrder)
    return order


def _fill(number: int, price: str, quantity: str, **changes: Any) -> LegFill:
    values: dict[str, Any] = {
        "trade_id": f"t{number}",
        "at": START + timedelta(seconds=number),
        "price": D(price),
        "quantity": D(quantity),
        "fee": D(price) * D(quantity) * FEE_RATE,
        "fee_asset": USDT,
        "is_maker": False,
    }
    return LegFill(**(values | changes))


def _record(
    *fills: LegFill, terms: OrderTerms | None = None, final_mid: str | None = None
) -> ExecutionRecord:
    return ExecutionRecord(
        terms=terms or terms_of(_order(), plan_id="run-1", leg=1),
        times=OrderTimes(sent=START),
        end=EndReason.BOUND,
        fills=fills,
        quote_before=D("57.10"),
        base_before=D(0),
        final_mid=None if final_mid is None else D(final_mid),
    )


@pytest.mark.parametrize("name", ["B10", "B11"])
def test_the_shortfall_is_that_of_the_vector(name: str):
    given, expected = VECTORS[name]["given"], VECTORS[name]["expect"]
    found = shortfall(
        Side(given["side"]),
        intended=D(given["intended"]),
        arrival=D(given["arrival"]),
        fills=[PriceLevel(D(price), D(quantity)) for price, quantity in given["fills"]],
        fees=D(given["fees"]),
        final=D(given["final"]),
    )

    for part in ("execution", "fees", "opportunity", "total"):
        assert getattr(found, part) == D(expected[part])
    assert found.total_bp is not None
    assert abs(found.total_bp - D(expected["total_bps"])) < _NEAR
    assert found.done_bp is not None
    assert abs(found.done_bp - D(expected["done_bps"])) < _NEAR


def test_a_month_weighs_each_trade_by_what_it_moved():
    zone = ZoneInfo("Europe/Berlin")
    cheap = Shortfall(execution=D(1), done_value=D(1000), intended_value=D(1000))
    dear = Shortfall(execution=D(1), fees=D(1), done_value=D(10), intended_value=D(10))
    months = by_month(
        [
            (datetime(2026, 11, 30, 23, 30, tzinfo=UTC), cheap),  # December in Berlin
            (datetime(2026, 11, 30, 12, tzinfo=UTC), cheap),
            (datetime(2026, 11, 2, 12, tzinfo=UTC), dear),
        ],
        zone=zone,
    )

    assert list(months) == [(2026, 11), (2026, 12)]
    weighted = months[2026, 11].done_bp
    assert weighted is not None
    assert abs(weighted - D(3) / 1010 * 10_000) < _NEAR  # not (10 + 2000) / 2
    assert months[2026, 12].done_bp == 10


def test_what_was_not_traded_has_no_cost_in_basis_points():
    assert (Shortfall().done_bp, Shortfall().total_bp) == (None, None)


def test_a_decision_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="nothing was decided"):
        shortfall(Side.BUY, intended=D(0), arrival=D(1), fills=[], fees=D(0))


def test_more_than_was_intended_leaves_nothing_undone():
    found = shortfall(
        Side.SELL,
        intended=D(10),
        arrival=D(2),
        fills=[PriceLevel(D(2), D(12))],
        fees=D(0),
        final=D(1),
    )

    assert found.opportunity == 0


def test_what_came_is_compared_with_what_was_shown_before():
    order = _order()
    record = _record(
        _fill(1, "0.002002", "3000"), _fill(2, "0.002005", "4000"), _fill(3, "0.00202", "1521")
    )
    cost = shortfall_of([record], usual_rate=FEE_RATE)

    assert record.quote_amount == order.expected.quote_amount
    assert (record.executed, record.average) == (D(8521), record.terms.expected_average)
    assert cost.done_bp is not None
    assert abs(cost.done_bp - record.terms.expected_cost_bp) < _NEAR


def test_the_slices_of_a_decision_are_measured_from_its_first_arrival():
    first = _record(_fill(1, "0.002002", "3000"))
    second = _record(_fill(2, "0.0021", "1000"), _fill(1, "0.002002", "3000"), final_mid="0.0022")
    cost = shortfall_of([first, second], usual_rate=FEE_RATE, intended=D(8000))

    assert cost.execution == D("0.000002") * 3000 + D("0.0001") * 1000
    assert cost.opportunity == D("0.0002") * 4000
    assert cost.intended_value == 16


def test_fees_count_at_their_worth_when_they_were_paid_and_an_unknown_one_at_the_usual_rate():
    record = _record(
        _fill(1, "0.002", "1000"),
        _fill(2, "0.002", "1000", fee=D("0.0004"), fee_asset=MX, mx_price=D("2.5")),
        _fill(3, "0.002", "1000", fee=D(7), fee_asset=Asset("MNTL"), fee_value=D("0.014")),
        _fill(4, "0.002", "1000", fee=D(1), fee_asset=MX),
    )

    assert record.fees(usual_rate=FEE_RATE) == D("0.001") + D("0.001") + D("0.014") + D("0.001")


def test_a_fill_on_two_pages_is_one():
    pages = [_fill(2, "0.002", "5"), _fill(1, "0.002", "4"), _fill(2, "0.002", "5")]

    assert [fill.trade_id for fill in distinct(pages)] == ["t1", "t2"]


def test_an_order_without_fills_has_no_average():
    assert _record().average is None


def test_the_terms_keep_what_was_decided():
    order = _order(slippage="0.005")
    terms = terms_of(order, plan_id="run-1", leg=2, slice_number=3, slices=12)

    assert (terms.bound, terms.quantity, terms.guard) == (D("0.00201"), D(7000), D("0.005"))
    assert (terms.arrival, terms.slice_number, terms.slices) == (order.arrival, 3, 12)


@pytest.mark.parametrize(("number", "of"), [(0, 1), (3, 2)])
def test_a_slice_is_one_of_its_slices(number: int, of: int):
    with pytest.raises(ValueError, match="slice"):
        terms_of(_order(), plan_id="run-1", leg=1, slice_number=number, slices=of)
