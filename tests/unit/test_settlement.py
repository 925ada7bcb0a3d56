"""A balance that lags behind the last fill is not traded on, and is not waited for for ever."""

from datetime import timedelta

import pytest

from engine.domain.orders import NOTHING, OrderState
from engine.domain.pairs import Side
from engine.domain.settlement import SETTLE_WITHIN, is_settled, moved_as_if_filled, shows
from tests.builders import execution, holdings, intent
from tests.fakes.clock import START

BOUGHT = intent(
    state=OrderState.FILLED,
    execution=execution(base=8142, quote="16.30"),
    quote_before="57.10",
    base_before=100_000,
    resolved_at=START,
)
BEFORE = holdings(usdt="57.10", mntl=100_000)
AFTER = holdings(usdt="40.79", mntl=108_142)
SOON = START + timedelta(seconds=1)


def settled(seen, *, now=SOON, last_fill=BOUGHT) -> bool:
    return is_settled(holdings=seen, last_fill=last_fill, now=now)


def test_balances_as_before_the_fill_do_not_show_it():
    assert not shows(BEFORE, BOUGHT)
    assert not settled(BEFORE)


def test_balances_that_both_moved_show_the_fill():
    assert shows(AFTER, BOUGHT)
    assert settled(AFTER)


@pytest.mark.parametrize(
    "halfway",
    [holdings(usdt="40.79", mntl=100_000), holdings(usdt="57.10", mntl=108_142)],
    ids=["only USDT moved", "only the token moved"],
)
def test_one_balance_that_moved_is_not_enough(halfway):
    assert not settled(halfway)


def test_a_deposit_at_the_same_time_does_not_pass_for_the_fill():
    assert not settled(holdings(usdt="157.10", mntl=100_000))


def test_coins_put_into_an_open_order_do_not_pass_for_the_fill():
    assert not settled(holdings(usdt="7.10", usdt_locked=50, mntl=90_000, mntl_locked=10_000))


def test_a_withdrawal_that_undoes_the_fill_holds_up_trading_only_for_a_while():
    undone = holdings(usdt="57.10", mntl=108_142)

    assert not settled(undone, now=START + SETTLE_WITHIN)
    assert settled(undone, now=START + SETTLE_WITHIN + timedelta(seconds=1))


def test_an_order_that_filled_nothing_has_nothing_to_show():
    unfilled = intent(state=OrderState.UNFILLED, execution=NOTHING, resolved_at=START)

    assert shows(BEFORE, unfilled)


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

    assert moved_as_if_filled(holdings(usdt=usdt, mntl=mntl), lost) is suspicious


@pytest.mark.parametrize(
    ("side", "mntl", "settled"),
    [
        (Side.BUY, 103_999, True),  # a little went as a fee
        (Side.BUY, 102_000, False),  # half of it is visible
        (Side.SELL, 96_000, True),
        (Side.SELL, 98_000, False),
    ],
)
def test_a_fill_is_settled_once_all_of_it_is_visible(side, mntl, settled):
    fill = intent(side=side, state=OrderState.FILLED, execution=execution(4000, 8))

    assert shows(holdings(usdt=50, mntl=mntl), fill) is settled
