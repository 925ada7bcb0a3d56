"""A book refuses to exist wrong, and answers what a market order would find in it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market.liquidity import depth, spread
from engine.domain.market.order_book import (
    PriceLevel,
    base_bought,
    priced_at_least,
    quantity_to_receive,
    quote_received,
)
from engine.domain.market.pairs import PairRules, Side, Symbol, base_of
from tests.builders import MNTL, MNTLUSDT, book, rules

BIDS = book(bids=[(2, 10), (1, 5)], asks=[]).bids
ASKS = book(bids=[], asks=[(1, 10), (2, 5)]).asks


@pytest.mark.parametrize("wrong", ["0", "-1", "NaN", "Infinity"])
def test_a_level_without_a_real_price_and_quantity_cannot_exist(wrong):
    with pytest.raises(ValueError, match="above zero"):
        PriceLevel(Decimal(wrong), Decimal(1))
    with pytest.raises(ValueError, match="above zero"):
        PriceLevel(Decimal(1), Decimal(wrong))


@pytest.mark.parametrize(
    "sides",
    [
        {"bids": [(1, 1), (2, 1)], "asks": []},
        {"bids": [], "asks": [(2, 1), (1, 1)]},
    ],
)
def test_a_book_has_its_best_prices_first(sides):
    with pytest.raises(ValueError, match="price order"):
        book(**sides)


@pytest.mark.parametrize("ask", [2, "1.9"])
def test_a_crossed_book_cannot_exist(ask):
    with pytest.raises(ValueError, match="crossed"):
        book(bids=[(2, 1)], asks=[(ask, 1)])


def test_the_middle_is_halfway_between_the_best_prices():
    assert book(bids=[(2, 1), (1, 1)], asks=[(3, 1)]).mid == Decimal("2.5")


@pytest.mark.parametrize("sides", [{"bids": []}, {"asks": []}, {"bids": [], "asks": []}])
def test_a_book_with_an_empty_side_has_no_middle(sides):
    assert book(**sides).mid is None


@pytest.mark.parametrize("sides", [{"asks": []}, {"bids": []}, {"asks": [], "bids": []}])
def test_without_a_middle_there_is_no_gap_and_nothing_near_it(sides):
    assert spread(book(**sides)) is None
    assert depth(book(**sides), within=Decimal("0.05")) == (Decimal(0), Decimal(0))


@pytest.mark.parametrize(
    ("net_quote", "fee_rate", "quantity"),
    [
        ("10", "0", "5"),
        ("20", "0", "10"),
        ("22", "0", "12"),
        ("9.9", "0.01", "5"),
        ("1000", "0", "15"),  # all that the bids can take
    ],
)
def test_what_to_sell_for_an_amount_after_the_fee(net_quote, fee_rate, quantity):
    assert quantity_to_receive(
        Decimal(net_quote), bids=BIDS, fee_rate=Decimal(fee_rate)
    ) == Decimal(quantity)


@pytest.mark.parametrize(
    ("quantity", "fee_rate", "net_quote"),
    [
        ("5", "0", "10"),
        ("10", "0", "20"),
        ("12", "0", "22"),
        ("12", "0.5", "11"),
        ("1000", "0", "25"),  # the rest finds nobody
    ],
)
def test_what_a_sell_brings_after_the_fee(quantity, fee_rate, net_quote):
    assert quote_received(Decimal(quantity), bids=BIDS, fee_rate=Decimal(fee_rate)) == Decimal(
        net_quote
    )


@pytest.mark.parametrize(
    ("quote_amount", "quantity"), [("10", "10"), ("12", "11"), ("20", "15"), ("1000", "15")]
)
def test_what_a_buy_gets(quote_amount, quantity):
    assert base_bought(Decimal(quote_amount), asks=ASKS) == Decimal(quantity)


@given(
    net_quote=st.decimals("0.01", "24", places=2),
    fee_rate=st.decimals("0", "0.5", places=4),
)
def test_selling_what_an_amount_takes_brings_that_amount(net_quote, fee_rate):
    bids = book(bids=[(4, 10), ("0.5", 100)], asks=[]).bids

    quantity = quantity_to_receive(net_quote, bids=bids, fee_rate=fee_rate)

    brought = quote_received(quantity, bids=bids, fee_rate=fee_rate)
    assert abs(brought - net_quote) < Decimal("1e-20")


def test_bids_can_be_read_as_if_none_paid_less_than_a_price():
    lifted = priced_at_least(BIDS, price=Decimal("1.5"))

    assert [(level.price, level.quantity) for level in lifted] == [
        (Decimal(2), Decimal(10)),
        (Decimal("1.5"), Decimal(5)),
    ]


# The pair the book belongs to


def test_the_token_of_a_pair_is_what_stands_before_usdt():
    assert base_of(MNTLUSDT) == MNTL
    assert base_of(Symbol("USDTEUSDT")) == "USDTE"


@pytest.mark.parametrize("name", ["quantity_step", "quote_step", "price_step", "max_notional"])
@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity"])
def test_steps_and_maximum_of_a_pair_are_above_zero(name, value):
    with pytest.raises(ValueError, match=f"{name} of MNTLUSDT must be above zero"):
        rules(**{name: value})


@pytest.mark.parametrize("name", ["min_quantity", "min_notional", "taker_fee_rate"])
@pytest.mark.parametrize("value", ["-0.1", "NaN", "Infinity"])
def test_minimums_and_fee_of_a_pair_are_not_negative(name, value):
    with pytest.raises(ValueError, match=f"{name} of MNTLUSDT must not be negative"):
        rules(**{name: value})


def test_a_fee_never_eats_the_whole_order():
    with pytest.raises(ValueError, match="eat the order"):
        rules(taker_fee_rate=1)


@pytest.mark.parametrize(
    ("pair", "least"),
    [
        (rules(quantity_step=5, min_quantity=0), 5),
        (rules(quantity_step=5, min_quantity=5), 5),
        (rules(quantity_step=5, min_quantity=6), 10),
    ],
)
def test_the_smallest_quantity_is_whole_steps(pair: PairRules, least):
    assert pair.least_quantity == least


def test_a_pair_rounds_down_in_its_own_steps():
    pair = rules(quantity_step=10, quote_step="0.5")

    assert pair.floor_quantity(Decimal("99.9")) == 90
    assert pair.floor_quote(Decimal("99.9")) == Decimal("99.5")


def test_a_pair_says_which_sides_are_open():
    assert not rules(buying=False).allows(Side.BUY)
    assert rules(buying=False).allows(Side.SELL)
    assert not rules(selling=False).allows(Side.SELL)
