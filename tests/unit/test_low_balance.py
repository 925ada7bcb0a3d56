"""A mark is told when less is left, once, and over only when there is clearly enough again."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.low_balance import Crossing, LowBalanceThreshold, crossings
from engine.domain.market.balances import Counting
from engine.domain.market.pairs import USDT, Asset
from tests.builders import MNTL, holdings

D = Decimal
amounts = st.decimals(0, 10**6, places=2)


def crossed(mark: LowBalanceThreshold, left: Decimal | int | str) -> bool:
    return bool(crossings([mark], holdings(mntl=left), counting=Counting.HELD))


@pytest.mark.parametrize(
    ("told", "left", "crosses"),
    [
        (False, "99.99", True),
        (False, 100, False),
        (False, 0, True),
        (True, 50, False),
        (True, 100, False),
        (True, "104.99", False),
        (True, 105, True),
    ],
)
def test_where_a_story_begins_and_ends(told: bool, left: str, crosses: bool):
    assert crossed(LowBalanceThreshold(MNTL, D(100), told=told), left) is crosses


@given(st.lists(amounts, max_size=30))
def test_below_and_over_take_turns_and_nothing_near_the_mark_changes_it(seen: list[Decimal]):
    mark, told = LowBalanceThreshold(MNTL, D(1000)), []
    for left in seen:
        if crossed(mark, left):
            told.append(left)
            mark = LowBalanceThreshold(MNTL, D(1000), told=not mark.told)

    assert all(left < 1000 for left in told[::2])
    assert all(left >= 1050 for left in told[1::2])


def test_each_mark_is_for_itself():
    marks = [
        LowBalanceThreshold(MNTL, D(10)),
        LowBalanceThreshold(USDT, D(50)),
        LowBalanceThreshold(Asset("BTC"), D(1), told=True),
    ]

    assert crossings(marks, holdings(usdt=40, mntl=10), counting=Counting.HELD) == [
        Crossing(marks[1], D(40))
    ]


def test_what_is_locked_counts_as_the_chat_has_chosen():
    mark, held = LowBalanceThreshold(MNTL, D(100)), holdings(mntl=60, mntl_locked=60)

    assert not crossings([mark], held, counting=Counting.HELD)
    assert crossings([mark], held, counting=Counting.FREE) == [Crossing(mark, D(60))]


def test_a_mark_is_above_zero():
    with pytest.raises(ValueError, match="below 0"):
        LowBalanceThreshold(MNTL, D(0))


def test_a_mark_on_an_asset_that_cannot_be_read_waits_and_holds_nothing_up():
    old = Asset("OLDCOIN")
    odd = replace(holdings(mntl=1), unreadable={old: "MEXC lists OLDCOIN twice (1 and 0)"})
    marks = [LowBalanceThreshold(old, D(5)), LowBalanceThreshold(MNTL, D(5))]

    found = crossings(marks, odd, counting=Counting.HELD)

    assert [crossing.mark.asset for crossing in found] == [MNTL]
