"""What counts as a big move, and what counts as a move at all."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market.pairs import Side
from engine.domain.rebalancing.check_result import BalanceSnapshot
from engine.domain.rebalancing.planner import (
    EmptyBook,
    InsideBand,
    NothingFree,
    PairClosed,
    Plan,
    SideClosed,
    UnderMinimum,
    plan,
)
from engine.domain.rebalancing.trade_size import is_big, moved, worth_of
from tests.builders import book, holdings, rules, settings

D = Decimal
amounts = st.decimals("0", "1000000", places=2)


@pytest.mark.parametrize(
    ("amount", "worth", "big"),
    [
        ("60", "240", False),
        ("60.01", "240", True),
        ("100", "100000", False),
        ("100.01", "100000", True),
        ("0.01", "0", True),
        ("0", "0", False),
    ],
)
def test_big_is_more_than_a_quarter_or_than_100_usdt(amount: str, worth: str, big: bool):
    assert is_big(D(amount), worth=D(worth)) is big


@given(amounts, amounts, amounts)
def test_what_is_big_stays_big_when_it_grows_or_the_account_shrinks(a: D, more: D, worth: D):
    if is_big(a, worth=worth):
        assert is_big(a + more, worth=worth)
        assert is_big(a, worth=max(D(0), worth - more))


@given(amounts)
def test_nothing_over_100_usdt_is_small(worth: D):
    assert is_big(D("100.01"), worth=worth)


@pytest.mark.parametrize(
    ("reason", "amount"),
    [
        (InsideBand(), "0"),
        (UnderMinimum(Side.BUY, D(1), D(2)), "0"),
        (NothingFree(Side.SELL, free=D(0), locked=D(0)), "0"),
        (NothingFree(Side.SELL, free=D(0), locked=D(1)), "60"),
        (PairClosed(), "60"),
        (SideClosed(Side.SELL), "60"),
        (EmptyBook(Side.SELL), "60"),
    ],
)
def test_what_only_waits_for_the_market_counts_as_moved(reason: Any, amount: str):
    assert moved(Plan(held=D(40), reason=reason), target=D(100)) == D(amount)


def test_an_order_moves_what_it_expects():
    decided = plan(holdings=holdings(usdt=140), settings=settings(), rules=rules(), book=book())

    assert moved(decided, target=D(40)) == D(100)


def test_an_account_is_worth_its_usdt_and_its_tokens_locked_ones_too():
    held = holdings(usdt=40, usdt_locked=10, mntl=1000, mntl_locked=1000)
    priced = BalanceSnapshot.of(settings(), held, book(bids=[("0.1", 1)], asks=[("0.3", 1)]))

    assert worth_of(priced) == D(450)
    assert worth_of(BalanceSnapshot.of(settings(), held, None)) == D(50)
