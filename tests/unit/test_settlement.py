"""A balance that lags behind the last fill is not traded on, and is not waited for for ever; and
what balances say of an order that nobody knows the end of.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market.balances import Holdings, LastSeen
from engine.domain.market.pairs import USDT, Side
from engine.domain.orders.order import NOTHING, Fees, Order, OrderState
from engine.domain.orders.settlement import (
    SETTLE_WITHIN,
    Trace,
    is_settled,
    left_no_trace,
    shows,
    trace,
    was_seen_settled,
)
from tests.builders import execution, holdings, intent
from tests.fakes.clock import START

D = Decimal
BOUGHT = intent(
    state=OrderState.FILLED,
    execution=execution(base=8142, quote="16.30"),
    quote_before="57.10",
    base_before=100_000,
    resolved_at=START,
)
SOLD = intent(
    side=Side.SELL,
    state=OrderState.FILLED,
    execution=execution(base=8142, quote="16.30"),
    quote_before="23.70",
    base_before=100_000,
    resolved_at=START,
)
BEFORE = holdings(usdt="57.10", mntl=100_000)
AFTER = holdings(usdt="40.79", mntl=108_142)
SOON = START + timedelta(seconds=1)


def settled(seen, *, now=SOON, last_fill=BOUGHT, seen_settled=False) -> bool:
    return is_settled(holdings=seen, last_fill=last_fill, seen_settled=seen_settled, now=now)


def test_balances_as_before_the_fill_do_not_show_it():
    assert not shows(BEFORE, BOUGHT)
    assert not settled(BEFORE)


def test_balances_that_both_moved_show_the_fill():
    assert shows(AFTER, BOUGHT)
    assert settled(AFTER)


def test_usdt_that_moved_by_the_fill_is_enough_though_the_token_is_gone_or_late():
    halfway = holdings(usdt="40.79", mntl=100_000)

    assert not shows(halfway, BOUGHT)
    assert settled(halfway)


@pytest.mark.parametrize("dust", ["-0.02", "0", "0.02"])
def test_a_token_that_moved_is_not_enough_whatever_dust_arrived(dust: str):
    late = holdings(usdt=D("57.10") + D(dust), mntl=108_142)

    assert not shows(late, BOUGHT)
    assert not settled(late)


def test_a_part_of_the_fill_is_not_enough():
    assert not settled(holdings(usdt="41.50", mntl=107_800))


def test_a_deposit_at_the_same_time_does_not_pass_for_the_fill():
    assert not settled(holdings(usdt="157.10", mntl=100_000))
    assert not settled(holdings(usdt="140.79", mntl=108_142))


def test_coins_put_into_an_open_order_do_not_pass_for_the_fill():
    assert not settled(holdings(usdt="7.10", usdt_locked=50, mntl=90_000, mntl_locked=10_000))


def test_a_withdrawal_that_undoes_the_fill_holds_up_trading_only_for_a_while():
    undone = holdings(usdt="57.10", mntl=108_142)

    assert not settled(undone, now=START + SETTLE_WITHIN)
    assert settled(undone, now=START + SETTLE_WITHIN + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("usdt", "mntl", "enough"),
    [("140.79", 108_142, True), ("57.10", 108_142, False), ("140.79", 100_000, False)],
    ids=["and there was a deposit", "USDT as before", "the token as before"],
)
def test_of_an_order_that_was_sent_long_ago_the_token_is_proof_enough(
    usdt: str, mntl: int, enough: bool
):
    sent = START - SETTLE_WITHIN
    booked_late = replace(BOUGHT, created_at=sent, sent_at=sent)

    assert settled(holdings(usdt=usdt, mntl=mntl), last_fill=booked_late) is enough


def test_a_fee_that_is_known_may_be_of_any_size():
    costly = replace(SOLD, fees=Fees({USDT: D("1.63")}))

    assert settled(holdings(usdt="38.37", mntl=91_858), last_fill=costly)
    assert not settled(holdings(usdt="38.37", mntl=91_858), last_fill=SOLD)


@pytest.mark.parametrize("fill", [BOUGHT, SOLD], ids=["bought", "sold"])
@pytest.mark.parametrize("usdt", [0, 1, 30, 140])
def test_what_was_seen_settled_stays_so_whatever_is_moved_by_hand(fill: Order, usdt: int):
    moved = holdings(usdt=usdt, mntl=0)

    assert not settled(moved, last_fill=fill)
    assert settled(moved, last_fill=fill, seen_settled=True)


@pytest.mark.parametrize("fill", [BOUGHT, SOLD], ids=["bought", "sold"])
@pytest.mark.parametrize("mntl", [0, 100_000, 108_142])
def test_usdt_that_is_exactly_the_old_one_again_lags_behind(fill: Order, mntl: int):
    old = holdings(usdt=fill.quote_before, mntl=mntl)

    assert not settled(old, last_fill=fill, seen_settled=True)


@given(
    st.sampled_from([BOUGHT, SOLD]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.decimals(min_value="-0.04", max_value="0.04", places=2),
)
def test_a_fill_that_usdt_does_not_show_is_never_planned_on_whatever_lag_of_either_row(
    fill: Order, usdt_late: bool, token_late: bool, seen_settled: bool, dust: Decimal
):
    sign = 1 if fill.side is Side.BUY else -1
    usdt = fill.quote_before - (0 if usdt_late else sign * fill.execution.quote_amount)
    mntl = fill.base_before + (0 if token_late else sign * fill.execution.base_quantity)
    read = holdings(usdt=usdt + (D(0) if usdt_late and seen_settled else dust), mntl=mntl)

    assert settled(read, last_fill=fill, seen_settled=seen_settled) is not usdt_late


@pytest.mark.parametrize(
    ("facts", "last", "seen"),
    [
        ({}, None, False),
        ({"quote_after": "40.79"}, None, True),
        ({}, LastSeen({}, START), False),
        ({}, LastSeen({}, SOON), True),
        ({"resolved_at": None}, LastSeen({}, SOON), False),
    ],
    ids=["nothing", "as it was booked", "before the fill", "by a check", "not over"],
)
def test_a_fill_was_seen_settled_when_it_was_booked_or_by_a_check(
    facts: dict[str, Any], last: LastSeen | None, seen: bool
):
    fill = intent(**({"state": OrderState.FILLED, "resolved_at": START} | facts))

    assert was_seen_settled(fill, last) is seen


def test_an_order_that_filled_nothing_has_nothing_to_show():
    unfilled = intent(state=OrderState.UNFILLED, execution=NOTHING, resolved_at=START)

    assert shows(BEFORE, unfilled)
    assert settled(BEFORE, last_fill=unfilled)


@pytest.mark.parametrize("last_fill", [None, intent(execution=execution())])
def test_without_a_finished_fill_any_balance_is_settled(last_fill):
    assert settled(BEFORE, last_fill=last_fill)


@pytest.mark.parametrize(
    ("side", "usdt", "mntl", "suspicious"),
    [
        (Side.BUY, 50, 104_000, True),
        (Side.BUY, 50, 100_000, False),
        (Side.BUY, "157.10", 104_000, True),
        (Side.BUY, 60, 99_000, False),
        (Side.SELL, 30, 96_000, True),
        (Side.SELL, "2.90", 96_000, True),
        (Side.SELL, 30, 100_000, False),
        (Side.SELL, 20, 104_000, False),
    ],
)
def test_the_token_moving_its_way_hints_at_a_lost_order_whatever_was_deposited(
    side, usdt, mntl, suspicious
):
    lost = intent(side=side, state=OrderState.UNKNOWN)

    assert (trace(holdings(usdt=usdt, mntl=mntl), lost) is not Trace.NONE) is suspicious


@pytest.mark.parametrize(
    ("side", "usdt", "mntl", "shown"),
    [
        (Side.BUY, "49.10", 103_999, True),  # a little went as a fee
        (Side.BUY, "49.10", 102_000, False),  # half of it is visible
        (Side.SELL, "30.90", 96_000, True),
        (Side.SELL, "30.90", 98_000, False),
    ],
)
def test_a_fill_is_shown_once_all_of_it_is_visible(side, usdt, mntl, shown):
    fill = intent(side=side, state=OrderState.FILLED, execution=execution(4000, 8))

    assert shows(holdings(usdt=usdt, mntl=mntl), fill) is shown


BUY = intent(state=OrderState.NEEDS_HUMAN, price="0.002")  # 17.10 USDT, 8,550 MNTL
UNPRICED = intent(state=OrderState.NEEDS_HUMAN)  # as versions before this one wrote it down
SELL = intent(side=Side.SELL, state=OrderState.NEEDS_HUMAN, expected_quote="16.28")  # 8,142 MNTL
orders_of_either_side = st.sampled_from([BUY, UNPRICED, SELL])
amounts = st.decimals(min_value=0, max_value=10**7, places=4)


def after(order: Order, *, base: Decimal | str | int, quote: Decimal | str) -> Holdings:
    """The balances after *base* and *quote* moved the order's way."""
    sign = 1 if order.side is Side.BUY else -1
    return holdings(
        usdt=order.quote_before - sign * D(quote), mntl=order.base_before + sign * D(base)
    )


@pytest.mark.parametrize(
    ("order", "base", "quote", "says"),
    [
        (BUY, 8550, "17.10", Trace.FILLED),
        (BUY, 7800, "16.25", Trace.FILLED),  # 5 % short and 5 % dearer: how MEXC fills a buy
        (BUY, 8550, "-82.90", Trace.FILLED),  # and 100 USDT were deposited
        (BUY, 8550, 0, Trace.UNSURE),  # the USDT is exactly the old one: it lags, or MNTL came in
        (BUY, 3000, "6.00", Trace.UNSURE),  # a part of it
        (BUY, 50_000, "17.10", Trace.UNSURE),
        (BUY, 0, 0, Trace.NONE),
        (BUY, 0, "-100", Trace.NONE),
        (BUY, 0, "5", Trace.NONE),
        (BUY, -1000, "-2", Trace.NONE),
        (BUY, 0, "16.90", Trace.UNSURE),  # the USDT went, the MNTL is not there (yet)
        (UNPRICED, 8142, "16.30", Trace.FILLED),
        (UNPRICED, 8142, "-83.70", Trace.UNSURE),
        (UNPRICED, 3000, "6.00", Trace.UNSURE),
        (UNPRICED, 0, 0, Trace.NONE),
        (SELL, 8142, "16.28", Trace.FILLED),
        (SELL, 8142, "-3", Trace.FILLED),  # and 19 USDT were taken out
        (SELL, 8142, 0, Trace.UNSURE),
        (SELL, 4000, "8", Trace.UNSURE),
        (SELL, 0, 0, Trace.NONE),
        (SELL, -500, "0", Trace.NONE),
        (SELL, 0, "16.28", Trace.UNSURE),
    ],
)
def test_balances_tell_a_fill_from_nothing_and_admit_what_they_cannot_tell(
    order: Order, base: int, quote: str, says: Trace
):
    assert trace(after(order, base=base, quote=quote), order) is says


@given(orders_of_either_side)
def test_balances_as_before_the_order_say_that_nothing_happened(order: Order):
    assert trace(after(order, base=0, quote="0"), order) is Trace.NONE


@given(
    orders_of_either_side,
    st.decimals(min_value="0.9", max_value="1.05", places=4),
    st.decimals(min_value="0.9", max_value="1.05", places=4),
)
def test_a_fill_within_the_exchanges_bounds_never_says_that_nothing_happened(
    order: Order, base_share: Decimal, quote_share: Decimal
):
    expected = order.base_quantity or D(8550)
    moved = after(order, base=expected * base_share, quote=order.expected_quote * quote_share)

    assert trace(moved, order) is Trace.FILLED


@given(orders_of_either_side, amounts, amounts)
def test_what_moved_the_orders_way_is_never_called_nothing(
    order: Order, usdt: Decimal, mntl: Decimal
):
    says = trace(holdings(usdt=usdt, mntl=mntl), order)

    went_its_way = mntl > order.base_before if order.side is Side.BUY else mntl < order.base_before
    assert says is not Trace.NONE or not went_its_way
    assert says is not Trace.FILLED or went_its_way


@given(amounts, amounts, st.integers(0, 1000))
def test_coins_in_open_orders_change_nothing(usdt: Decimal, mntl: Decimal, locked: int):
    free = holdings(usdt=usdt + locked, mntl=mntl + locked)
    bound = holdings(usdt=usdt, usdt_locked=locked, mntl=mntl, mntl_locked=locked)

    assert trace(free, BUY) is trace(bound, BUY)


TEN_MINUTES = START + SETTLE_WITHIN


@pytest.mark.parametrize(
    ("order", "base", "quote", "now", "silent"),
    [
        (BUY, 0, 0, SOON, True),
        (BUY, 0, "17.10", SOON, False),
        (BUY, 0, "17.10", TEN_MINUTES - timedelta(seconds=1), False),
        (BUY, 0, "17.10", TEN_MINUTES, True),  # somebody else moved the USDT
        (BUY, 1, "17.10", TEN_MINUTES, False),
        (BUY, 8550, "17.10", TEN_MINUTES, False),
        (SELL, 0, "16.28", TEN_MINUTES, True),
        (SELL, 1, "16.28", TEN_MINUTES, False),
    ],
)
def test_a_token_that_did_not_move_in_ten_minutes_outweighs_usdt_that_moved_like_the_fill(
    order: Order, base: int, quote: str, now: datetime, silent: bool
):
    assert left_no_trace(after(order, base=base, quote=quote), order, now=now) is silent


def test_the_ten_minutes_count_from_when_the_order_was_sent():
    sent = replace(BUY, sent_at=SOON)

    assert not left_no_trace(after(sent, base=0, quote="17.10"), sent, now=TEN_MINUTES)
