"""What is held: free and locked, never negative, and zero where the exchange lists nothing."""

from decimal import Decimal

import pytest

from engine.domain.market.balances import Balance, Counting, folded
from engine.domain.market.pairs import USDT, Asset
from engine.domain.rebalancing.check_result import BalanceSnapshot
from tests.builders import MNTL, book, holdings, settings


@pytest.mark.parametrize("wrong", ["-0.000000000000000001", "NaN", "Infinity", "-Infinity"])
def test_a_balance_that_cannot_be_cannot_exist(wrong):
    with pytest.raises(ValueError, match="a balance cannot be"):
        Balance(free=Decimal(wrong))
    with pytest.raises(ValueError, match="a balance cannot be"):
        Balance(locked=Decimal(wrong))


def test_what_is_locked_is_held_all_the_same():
    balance = Balance(free=Decimal("1.5"), locked=Decimal("2.5"))

    assert balance.total == 4
    assert balance.counted(Counting.HELD) == 4
    assert balance.counted(Counting.FREE) == Decimal("1.5")


def test_an_asset_the_exchange_does_not_list_is_held_at_zero():
    held = holdings(usdt=40)

    assert held.of(USDT) == Balance(free=Decimal(40))
    assert held.of(Asset("NEVERHEARD")) == Balance()


def test_a_look_keeps_what_of_the_holdings_matters_to_the_pair():
    held = holdings(usdt=30, usdt_locked=10, mntl=5000)

    seen = BalanceSnapshot.of(
        settings(counting=Counting.FREE), held, book(bids=[(1, 1)], asks=[(2, 1)])
    )

    assert (seen.quote, seen.base) == (held.of(USDT), held.of(MNTL))
    assert seen.held == 30
    assert seen.price == Decimal("1.5")


def test_a_look_without_a_book_has_no_price():
    assert BalanceSnapshot.of(settings(), holdings(), None).price is None


def test_a_plain_name_is_folded_as_one_with_an_invisible_character_in_it():
    names = [f"{chr(number)}b1" for number in range(0x250)]

    assert [folded(name) for name in names] == [folded(f"{name}\u200b") for name in names]
    assert folded("usdt") == "USDT"
