"""A rise is believed at first sight, a fall that nothing explains at the second."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.domain.accounts.balance_changes import detect_changes, expectation
from engine.domain.accounts.low_balance import LowBalanceThreshold
from engine.domain.accounts.settings import Settings
from engine.domain.market.balances import Counting, Holdings, LastSeen
from engine.domain.market.pairs import USDT, Side
from engine.domain.orders.order import Order, OrderState
from engine.domain.rebalancing.balance_confirmation import agreed, is_short, needs_second
from engine.domain.rebalancing.planner import MarketSell, plan
from engine.domain.targets.target import Basket
from engine.errors import BadData
from tests.builders import MNTL, book, execution, holdings, intent, rules, settings
from tests.fakes.clock import START

D = Decimal
SEEN = LastSeen({USDT: D(40), MNTL: D(100_000)}, START)
SOLD = intent(
    side=Side.SELL,
    state=OrderState.FILLED,
    execution=execution(10_000, 20),
    quote_before=20,
    base_before=110_000,
    created_at=START,
    resolved_at=START,
)


def is_doubtful(
    read: Holdings,
    *,
    last: LastSeen | None = SEEN,
    last_fill: Order | None = None,
    wishes: Settings | None = None,
    **more: Any,
) -> bool:
    wishes = wishes or settings()
    fills = () if last_fill is None else (last_fill,)
    finding = detect_changes(
        last,
        read,
        assets=(USDT, MNTL),
        dry_run=False,
        fills=fills,
        prices={MNTL: D("0.002")},
        now=read.read_at,
    )
    expected = expectation(last, assets=(USDT, MNTL), fills=fills)
    known: dict[str, Any] = {"asked": False, "expected": expected, "finding": finding} | more
    return needs_second(read, settings=wishes, **known)


@pytest.mark.parametrize(
    "read",
    [holdings(usdt=usdt, mntl=mntl) for usdt, mntl in ((40, 100_000), (60, 100_000), (40, 10**6))],
    ids=["as before", "USDT rose", "the token rose"],
)
def test_what_is_as_before_or_rose_is_believed_at_once(read: Holdings):
    assert not is_doubtful(read)


@pytest.mark.parametrize(
    "read",
    [
        Holdings({MNTL: holdings().of(MNTL)}, read_at=START),
        Holdings({USDT: holdings().of(USDT)}, read_at=START),
        Holdings({}, read_at=START),
        holdings(usdt=20),
        holdings(usdt="39.5"),
        holdings(mntl=60_000),
    ],
    ids=["no USDT", "no token", "nothing", "out of the band", "within the band", "the token fell"],
)
def test_a_fall_that_nothing_explains_is_doubted(read: Holdings):
    assert is_doubtful(read)


def test_a_low_balance_that_was_believed_before_is_traded_on_at_once():
    seen = LastSeen({USDT: D(20), MNTL: D(100_000)}, START)

    assert not is_doubtful(holdings(usdt=20), last=seen)
    assert not is_doubtful(holdings(usdt=25), last=seen)
    assert not is_doubtful(holdings(usdt="19.995"), last=seen)
    assert is_doubtful(holdings(usdt=19), last=seen)


def test_a_balance_that_a_fill_of_ours_made_is_believed_and_a_fall_below_it_is_not():
    seen = LastSeen({USDT: D(20), MNTL: D(110_000)}, START)
    low = settings(target=60)

    assert not is_doubtful(holdings(usdt=40), last=seen, last_fill=SOLD, wishes=low)
    assert is_doubtful(holdings(usdt=30), last=seen, last_fill=SOLD, wishes=low)
    assert is_doubtful(holdings(usdt=0), last=seen, last_fill=SOLD)
    assert is_doubtful(holdings(usdt=40, mntl=0), last=seen, last_fill=SOLD, wishes=low)


def test_the_first_look_of_all_is_doubted_where_it_would_sell_or_lacks_an_asset():
    assert not is_doubtful(holdings(usdt=40), last=None)
    assert not is_doubtful(holdings(usdt=60), last=None)
    assert is_doubtful(holdings(usdt=30), last=None)
    assert is_doubtful(holdings(usdt=60, mntl=0), last=None)


def test_a_person_who_asks_for_a_trade_inside_the_band_is_no_reason_to_believe_a_fall():
    seen = LastSeen({USDT: D(41), MNTL: D(100_000)}, START)

    assert is_doubtful(holdings(usdt="39.5"), last=seen, asked=True, finding=None)
    assert not is_doubtful(holdings(usdt="39.5"), last=seen, asked=False, finding=None)


def test_coins_that_went_into_an_open_order_are_doubted_where_only_free_ones_count():
    read = holdings(usdt=0, usdt_locked=40)

    assert not is_doubtful(read)
    assert is_doubtful(read, wishes=settings(counting=Counting.FREE))


def test_what_a_basket_lacks_of_a_token_right_after_a_fill_is_doubted():
    basket = replace(settings(), target=Basket.of([(MNTL, 50), (USDT, 50)]))
    seen = LastSeen({USDT: D(20), MNTL: D(110_000)}, START)

    assert not is_doubtful(holdings(usdt=40), last=seen, last_fill=SOLD, wishes=basket)
    assert is_doubtful(holdings(usdt=40, mntl=99_000), last=seen, last_fill=SOLD, wishes=basket)
    assert is_doubtful(holdings(usdt=39), last=seen, last_fill=SOLD, wishes=basket)
    assert is_doubtful(holdings(usdt=20, mntl=99_000), last=seen, wishes=basket)


def test_a_mark_that_would_be_called_low_is_doubted_and_one_that_was_told_is_not():
    mark = LowBalanceThreshold(MNTL, below=D(200_000))

    assert is_doubtful(holdings(), marks=(mark,))
    assert not is_doubtful(
        holdings(), marks=(LowBalanceThreshold(MNTL, below=D(200_000), told=True),)
    )


def both(
    first: Holdings, second: Holdings, *, wishes: Settings | None = None, asked: bool = False
) -> Holdings:
    return agreed(first, second, settings=wishes or settings(), asked=asked)


def test_of_two_readings_what_both_say_is_held_counts():
    gone = Holdings({}, read_at=START)

    for pair in ((gone, holdings()), (holdings(), gone)):
        held = both(*pair)

        assert held.of(USDT).total == 40
        assert held.of(MNTL).total == 100_000
    assert both(gone, gone).of(USDT).total == 0
    assert both(holdings(usdt=20), holdings(usdt=30)).of(USDT).total == 30


def test_readings_that_call_for_opposite_trades_are_bad_data():
    with pytest.raises(BadData, match="0 USDT, and 100 USDT"):
        both(holdings(usdt=0), holdings(usdt=100))
    with pytest.raises(BadData):
        both(holdings(usdt=39), holdings(usdt=41), asked=True)


def test_what_is_protected_makes_two_readings_of_a_shortfall_no_contradiction():
    wishes = replace(settings(), protected={USDT: D(500)})
    fallen = holdings(usdt=520)  # 20 of the 40 are left

    assert both(fallen, fallen, wishes=wishes).of(USDT).total == 520
    with pytest.raises(BadData, match="520 USDT, and 600 USDT"):
        both(fallen, holdings(usdt=600), wishes=wishes)


amounts = st.decimals(min_value=0, max_value=200, places=2)
tokens = st.integers(0, 200_000)
readings = st.builds(
    lambda usdt, locked, mntl: holdings(usdt=usdt, usdt_locked=locked, mntl=mntl),
    amounts,
    st.sampled_from([D(0), D(5), D(40)]),
    tokens,
)


@given(readings, readings, st.sampled_from(Counting), st.booleans())
def test_no_single_answer_makes_an_order_whose_direction_it_alone_justifies(
    believed: Holdings, odd: Holdings, counting: Counting, asked: bool
):
    """*odd* is any one answer, before or after any number of true ones."""
    wishes = settings(counting=counting)
    last = LastSeen({a: believed.of(a).total for a in (USDT, MNTL)}, START)
    assume(not is_short(believed, wishes, asked=asked))
    for first, second in ((odd, believed), (believed, odd)):
        seen = first
        if is_doubtful(first, last=last, wishes=wishes, asked=asked):
            try:
                seen = both(first, second, wishes=wishes, asked=asked)
            except BadData:
                continue
        decided = plan(
            holdings=seen, settings=wishes, rules=rules(), book=book(), ignore_band=asked
        )

        assert not isinstance(decided.order, MarketSell)
