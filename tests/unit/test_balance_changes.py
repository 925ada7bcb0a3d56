"""Money that no order explains: nothing else is told, and nothing is told too early."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.balance_changes import (
    SETTLED_AFTER,
    BalanceChange,
    ChangeFinding,
    detect_changes,
)
from engine.domain.market.balances import Balance, Holdings, LastSeen
from engine.domain.market.decimals import ZERO
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.orders.order import Execution, Fees, Order, OrderState
from tests.builders import intent
from tests.fakes.clock import START

D = Decimal
MNTL, ABC = Asset("MNTL"), Asset("ABC")
PRICE = D("0.002")
LATER = START + timedelta(minutes=2)


def held(usdt: Any, mntl: Any, at: datetime = LATER) -> Holdings:
    return Holdings({USDT: Balance(D(usdt)), MNTL: Balance(D(mntl))}, at)


def last(usdt: Any = 40, mntl: Any = 100_000, at: datetime = START) -> LastSeen:
    return LastSeen({USDT: D(usdt), MNTL: D(mntl)}, at)


def judged(
    before: LastSeen | None,
    now_held: Holdings,
    *,
    last_fill: Order | None = None,
    price: Decimal | None = PRICE,
    **changes: Any,
) -> ChangeFinding | None:
    values: dict[str, Any] = {
        "assets": (USDT, MNTL),
        "dry_run": False,
        "fills": () if last_fill is None else (last_fill,),
        "prices": {} if price is None else {MNTL: price},
        "now": now_held.read_at,
    } | changes
    return detect_changes(before, now_held, **values)


def changes(finding: ChangeFinding | None) -> dict[str, Decimal]:
    assert finding is not None
    return {movement.asset: movement.change for movement in finding.moved}


def fill(side: Side = Side.BUY, **facts: Any) -> Order:
    """8,142 MNTL for 16.30 USDT, planned at START with 57.10 USDT (or 22.90) and 100,000 MNTL."""
    values: dict[str, Any] = {
        "side": side,
        "state": OrderState.FILLED,
        "execution": Execution(D(8142), D("16.30")),
        "resolved_at": START,
    } | facts
    return intent(**values)


def test_what_was_never_looked_at_is_taken_as_it_is():
    finding = judged(None, held(140, 5))

    assert finding == ChangeFinding(seen=last(140, 5, LATER))


def test_of_another_token_only_the_usdt_goes_on_being_compared():
    held_now = Holdings({USDT: Balance(D(140)), ABC: Balance(D(7))}, LATER)
    finding = judged(last(), held_now, assets=(USDT, ABC))

    assert changes(finding) == {"USDT": D(100)}
    assert finding is not None
    assert finding.seen.amounts == {USDT: D(140), ABC: D(7)}


def test_the_same_balances_are_nothing_to_note():
    assert judged(last(), held(40, 100_000)) is None
    assert last().is_still(held(40, 100_000))
    assert not last().is_still(held(40, 99_999))


@pytest.mark.parametrize(
    ("usdt", "mntl", "expected"),
    [
        (140, 100_000, {"USDT": D(100)}),
        ("39.99", 100_000, {"USDT": D("-0.01")}),
        (40, 100_500, {"MNTL": D(500)}),
        (0, 0, {"USDT": D(-40), "MNTL": D(-100_000)}),
    ],
)
def test_what_came_or_went_is_a_movement(usdt: Any, mntl: Any, expected: dict[str, Decimal]):
    finding = judged(last(), held(usdt, mntl))

    assert changes(finding) == expected
    assert finding is not None
    assert not finding.by_hand


def test_one_coin_for_the_other_is_a_trade_by_hand():
    finding = judged(last(), held(60, 90_000))

    assert finding is not None
    assert finding.by_hand
    usdt = finding.of(USDT)
    assert usdt == BalanceChange(at=LATER, dry_run=False, asset=USDT, before=D(40), after=D(60))
    assert judged(last(), held(60, 100_000)).of(MNTL) is None  # type: ignore[union-attr]


@pytest.mark.parametrize(("usdt", "mntl"), [("40.009", 100_000), (40, "100004.9")])
def test_dust_is_no_movement_and_adds_up(usdt: Any, mntl: Any):
    assert judged(last(), held(usdt, mntl)) is None


def test_without_a_price_a_thousandth_of_the_token_counts():
    assert judged(last(), held(40, 100_099), price=None) is None
    assert changes(judged(last(), held(40, 100_101), price=None)) == {"MNTL": D(101)}
    assert changes(judged(last(mntl=0), held(40, 1), price=None)) == {"MNTL": D(1)}
    assert judged(last(mntl=0), held(40, 0), price=None) is None


@pytest.mark.parametrize(
    ("order", "usdt", "mntl"),
    [
        (fill(fees=Fees({USDT: D("0.01")})), "40.79", 108_142),
        (fill(fees=None), "40.80", 108_142),
        (fill(fees=Fees({MNTL: D("4.071")})), "40.80", "108137.929"),
        (fill(Side.SELL, fees=Fees({USDT: D("0.01")})), "39.19", 91_858),
    ],
)
def test_our_own_fill_explains_what_it_did(order: Order, usdt: Any, mntl: Any):
    before = last(order.quote_before, order.base_before)

    finding = judged(before, held(usdt, mntl), last_fill=order)

    assert finding == ChangeFinding(seen=last(usdt, mntl, LATER))


def test_a_deposit_beside_our_own_fill_is_told():
    order = fill(fees=Fees({USDT: D("0.01")}))

    finding = judged(last("57.10"), held("140.79", 108_142), last_fill=order)

    assert changes(finding) == {"USDT": D("100.00")}


def test_right_after_a_fill_nothing_is_judged():
    order = fill(resolved_at=LATER - SETTLED_AFTER + timedelta(seconds=1))

    assert judged(last("57.10"), held("140.80", 108_142), last_fill=order) is None


def test_a_minute_is_left_to_a_token_that_the_balances_lack_yet():
    soon, later = START + timedelta(seconds=59), START + timedelta(seconds=60)
    lagging = held("40.80", 100_000)

    assert judged(last("57.10"), lagging, last_fill=fill(), now=soon) is None
    assert changes(judged(last("57.10"), lagging, last_fill=fill(), now=later)) == {
        "MNTL": D(-8142)
    }


def test_a_fill_of_another_pair_explains_its_usdt_and_one_without_an_end_the_first_look_after_it():
    other = fill(symbol=Symbol("ABCUSDT"))

    assert changes(judged(last("57.10"), held("40.80", 100_000), last_fill=other)) == {}
    assert changes(judged(last("57.10"), held("60.80", 100_000), last_fill=other)) == {"USDT": 20}
    assert changes(judged(last(), held(200, 1), last_fill=fill(resolved_at=None))) == {}


def test_a_fill_that_was_seen_before_explains_nothing_any_more():
    order = fill(created_at=START - timedelta(seconds=1))

    assert changes(judged(last(), held(140, 100_000), last_fill=order)) == {"USDT": D(100)}


amounts = st.decimals(0, 1_000_000, places=8)
prices = st.none() | st.decimals("0.00000001", 100_000, places=8)


@given(amounts, amounts, amounts, amounts, prices)
def test_what_is_told_is_what_changed(a: Decimal, b: Decimal, c: Decimal, d: Decimal, p: Any):
    finding = judged(last(a, b), held(c, d), price=p)

    told = changes(finding) if finding else {}
    assert all(
        told[asset] == after - before
        for asset, before, after in (("USDT", a, c), ("MNTL", b, d))
        if asset in told
    )
    assert ("USDT" in told) == (abs(c - a) >= D("0.01"))
    # Seen once, the same balances are never told again.
    if finding:
        assert judged(finding.seen, held(c, d), price=p) is None


@given(
    st.sampled_from(Side),
    st.decimals(1, 10_000, places=2),
    st.decimals("0.0001", 100, places=4),
    st.sampled_from(["none", "usdt", "token"]),
)
def test_no_fill_of_ours_is_ever_told_as_a_movement(
    side: Side, quote: Decimal, price: Decimal, fee_in: str
):
    base = (quote / price).quantize(D("0.01")) + 1
    asset = USDT if fee_in == "usdt" else MNTL
    fee = (quote if asset == USDT else base) * D("0.0005")
    fees = None if fee_in == "none" else Fees({asset: fee})
    order = fill(
        side,
        execution=Execution(base, quote),
        fees=fees,
        quote_before=20_000,
        base_before=200_000_000,
    )
    sign = 1 if side is Side.BUY else -1
    after = {USDT: order.quote_before - sign * quote, MNTL: order.base_before + sign * base}
    if fees is not None:
        after[asset] -= fee

    finding = judged(
        last(order.quote_before, order.base_before),
        held(after[USDT], after[MNTL]),
        last_fill=order,
        price=price,
    )

    assert finding is None or finding.moved == ()


BTC, ETH = Asset("BTC"), Asset("ETH")
BASKET = (USDT, BTC, ETH, MNTL)
PRICES = {BTC: D(50), ETH: D(4), MNTL: PRICE}
OPENED = {USDT: D(1000), BTC: D(20), ETH: D(200), MNTL: D(100_000)}


def legs(
    trades: list[tuple[Asset, Side, Decimal, Any]],
) -> tuple[list[Order], dict[Asset, Decimal]]:
    """The orders of one run at MARKET prices, with their fees, and what is held after them."""
    held_then, orders = dict(OPENED), []
    for number, (asset, side, quote, fee_in) in enumerate(trades):
        base, sign = quote / PRICES[asset], 1 if side is Side.BUY else -1
        fees = {"USDT": {USDT: quote / 2000}, "token": {asset: base / 2000}, "none": None}[fee_in]
        orders.append(
            fill(
                side,
                symbol=Symbol(asset + USDT),
                execution=Execution(base, quote),
                fees=None if fees is None else Fees(fees),
                quote_before=held_then[USDT],
                base_before=held_then[asset],
                created_at=START + timedelta(seconds=number),
                resolved_at=START + timedelta(seconds=number),
            )
        )
        held_then[USDT] -= sign * quote
        held_then[asset] += sign * base
        for taken, amount in (fees or {USDT: quote / 2000}).items():
            held_then[taken] -= amount
    return orders, held_then


trades_of_a_run = st.lists(
    st.tuples(
        st.sampled_from([BTC, ETH, MNTL]),
        st.sampled_from(Side),
        st.decimals(2, 90, places=2),
        st.sampled_from(["USDT", "token", "none"]),
    ),
    min_size=1,
    max_size=6,
)


@given(trades_of_a_run, st.sampled_from([None, *BASKET]), st.decimals(5, 90, places=2))
def test_of_a_run_over_several_pairs_only_what_no_order_did_is_told(
    trades: list[tuple[Asset, Side, Decimal, Any]], came: Asset | None, worth: Decimal
):
    orders, after = legs(trades)
    deposit = ZERO if came is None else worth / PRICES.get(came, D(1))
    if came is not None:
        after[came] += deposit
    read = Holdings({asset: Balance(amount) for asset, amount in after.items()}, LATER)

    finding = judged(
        LastSeen(OPENED, START), read, assets=BASKET, fills=orders, prices=PRICES, now=LATER
    )

    assert finding is not None
    assert [moved.asset for moved in finding.moved] == ([came] if came else [])
    assert all(abs(moved.change / deposit - 1) < D("0.1") for moved in finding.moved)
    assert finding.seen.amounts == after


def test_a_deposit_between_two_legs_of_a_run_is_told():
    orders, after = legs([(BTC, Side.SELL, D(50), "USDT"), (ETH, Side.BUY, D(50), "USDT")])
    orders[1] = replace(orders[1], quote_before=orders[1].quote_before + 30)
    after[USDT] += 30
    read = Holdings({asset: Balance(amount) for asset, amount in after.items()}, LATER)

    finding = judged(LastSeen(OPENED, START), read, assets=BASKET, fills=orders, prices=PRICES)

    assert changes(finding) == {"USDT": D(30)}


def test_a_change_of_the_target_takes_new_tokens_as_they_are_and_compares_those_kept():
    seen = LastSeen({USDT: D(40), BTC: D(1), MNTL: D(100_000)}, START)
    read = Holdings({USDT: Balance(D(40)), BTC: Balance(D(3)), ETH: Balance(D(5))}, LATER)

    finding = judged(seen, read, assets=(USDT, BTC, ETH), prices=PRICES)
    same = judged(replace(seen, amounts={USDT: D(40)}), read, assets=(USDT, ETH), prices=PRICES)

    assert changes(finding) == {"BTC": D(2)}
    assert same == ChangeFinding(seen=LastSeen({USDT: D(40), ETH: D(5)}, LATER))


def test_an_order_in_a_token_that_left_the_target_still_explains_its_usdt():
    orders, after = legs([(BTC, Side.SELL, D(50), "USDT")])
    read = Holdings({asset: Balance(amount) for asset, amount in after.items()}, LATER)

    finding = judged(
        LastSeen({USDT: D(1000), BTC: D(20)}, START), read, assets=(USDT, ETH), fills=orders
    )

    assert changes(finding) == {}


def test_a_fee_that_is_not_known_yet_may_have_come_of_any_token():
    mx = Asset("MX")
    [order], after = legs([(BTC, Side.SELL, D(50), "none")])
    seen = LastSeen({**OPENED, mx: D(10)}, START)
    read = Holdings({a: Balance(n) for a, n in {**after, mx: D("9.95")}.items()}, LATER)
    everything: dict[str, Any] = {"assets": (*BASKET, mx), "prices": {**PRICES, mx: D(2)}}

    assert changes(judged(seen, read, fills=[order], **everything)) == {}
    known = replace(order, fees=Fees({USDT: D("0.025")}))
    assert changes(judged(seen, read, fills=[known], **everything)) == {"MX": D("-0.05")}
