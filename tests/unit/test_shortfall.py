"""What trades cost against the market they were decided on."""

from decimal import Decimal
from typing import Any

import pytest

from engine.domain.execution.shortfall import Shortfall, shortfall
from engine.domain.market.pairs import Side
from engine.domain.orders.order import NOTHING, Execution
from tests.unit.test_bounded_order import VECTORS

D = Decimal
_NEAR = D("1e-12")


def _done(*fills: tuple[Any, Any]) -> Execution:
    pairs = [(D(price), D(quantity)) for price, quantity in fills]
    return Execution(
        sum((quantity for _, quantity in pairs), D(0)),
        sum((price * quantity for price, quantity in pairs), D(0)),
    )


@pytest.mark.parametrize("name", ["B10", "B11"])
def test_the_shortfall_is_that_of_the_vector(name: str):
    given, expected = VECTORS[name]["given"], VECTORS[name]["expect"]
    found = shortfall(
        Side(given["side"]),
        intended=D(given["intended"]),
        arrival=D(given["arrival"]),
        done=_done(*given["fills"]),
        fees=D(given["fees"]),
        final=D(given["final"]),
    )

    for part in ("execution", "fees", "opportunity", "total"):
        assert getattr(found, part) == D(expected[part])
    assert found.total_bp is not None
    assert abs(found.total_bp - D(expected["total_bps"])) < _NEAR
    assert found.done_bp is not None
    assert abs(found.done_bp - D(expected["done_bps"])) < _NEAR


def test_what_was_not_traded_has_no_cost_in_basis_points():
    assert (Shortfall().done_bp, Shortfall().total_bp) == (None, None)


def test_a_decision_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="nothing was decided"):
        shortfall(Side.BUY, intended=D(0), arrival=D(1), done=NOTHING, fees=D(0))


def test_more_than_was_intended_leaves_nothing_undone():
    found = shortfall(
        Side.SELL,
        intended=D(10),
        arrival=D(2),
        done=_done((2, 12)),
        fees=D(0),
        final=D(1),
    )

    assert found.opportunity == 0
