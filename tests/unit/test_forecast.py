"""The number above a button is what happens: the forecast and the fake MEXC's own execution agree
on any book, when nothing moves in between.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from engine.domain.market.decimals import plain
from engine.domain.market.pairs import USDT
from engine.domain.rebalancing.forecast import forecast
from engine.domain.rebalancing.planner import EmptyBook, MarketBuy, Plan, UnderMinimum, plan
from tests.builders import MNTL, book, forecast_of, holdings, rules, settings
from tests.fakes.clock import START
from tests.fakes.mexc_books import Account, Funds, Pair, Refused
from tests.fakes.mexc_ledger import Ledger

D = Decimal
TICK = D("0.000001")


@st.composite
def markets(draw: st.DrawFn) -> dict[str, Any]:
    """Up to six levels a side, thin or thick, near or far; the last trade anywhere around."""
    middle = draw(st.integers(300, 4000))
    asks: list[tuple[Decimal, Decimal]] = []
    bids: list[tuple[Decimal, Decimal]] = []
    for side, sign in ((asks, 1), (bids, -1)):
        ticks = middle
        for _ in range(draw(st.integers(1, 6))):
            ticks += sign * draw(st.integers(1, max(2, middle // 25)))
            if ticks > 0:
                side.append((ticks * TICK, D(draw(st.integers(1, 60_000)))))
    assume(asks)
    assume(bids)
    return {
        "asks": asks,
        "bids": bids,
        "last": draw(st.integers(middle * 9 // 10, middle * 11 // 10)) * TICK,
        "decimals": draw(st.integers(0, 3)),
        "fee": draw(st.sampled_from([D(0), D("0.0005"), D("0.002")])),
    }


@given(
    market=markets(),
    usdt=st.integers(0, 30_000),
    mntl=st.integers(0, 200_000),
    target=st.integers(1, 200),
)
def test_what_is_stated_is_what_is_executed(
    market: dict[str, Any], usdt: int, mntl: int, target: int
):
    held = holdings(usdt=D(usdt) / 100, mntl=mntl)
    known = rules(quantity_step=D(1).scaleb(-market["decimals"]), taker_fee_rate=market["fee"])
    seen = book(bids=market["bids"], asks=market["asks"])
    decided = plan(holdings=held, settings=settings(target=target), rules=known, book=seen)
    assume(decided.order is not None)
    order = decided.order
    assert order is not None

    told, comes_to = forecast(decided, rules=known, book=seen, last_price=market["last"])
    executed = at_the_exchange(market, order, usdt=held.of(USDT).free, mntl=D(mntl))

    if comes_to is None:
        assert executed is None
        assert isinstance(told.reason, EmptyBook | UnderMinimum)
        return
    assert executed is not None
    base, quote, fee, after = executed
    assert (comes_to.base_quantity, comes_to.quote_amount) == (base, quote)
    assert comes_to.fee == fee
    assert comes_to.held_after == after
    assert told.order is order


def at_the_exchange(
    market: dict[str, Any], order: Any, *, usdt: Decimal, mntl: Decimal
) -> tuple[Decimal, Decimal, Decimal, Decimal] | None:
    """What the order traded, its fee, and the USDT afterwards; None where it traded nothing."""
    ledger = Ledger(lambda: START + timedelta(0))
    ledger.pairs["MNTLUSDT"] = Pair(
        symbol="MNTLUSDT",
        base="MNTL",
        last=market["last"],
        bids=market["bids"],
        asks=market["asks"],
        base_precision=market["decimals"],
        taker_fee=market["fee"],
    )
    account = Account(
        api_key="key", api_secret="secret", funds={"USDT": Funds(usdt), MNTL: Funds(mntl)}
    )
    buying = isinstance(order, MarketBuy)
    size = (
        {"quoteOrderQty": plain(order.quote_amount)}
        if buying
        else {"quantity": plain(order.base_quantity)}
    )
    query = {"symbol": "MNTLUSDT", "side": order.side.value, "type": "MARKET", **size}
    try:
        done = ledger.place(account, query)
    except Refused:
        return None
    if not done.executed:
        return None
    return done.executed, done.spent, done.fee, account.of("USDT").free


def test_a_plan_without_an_order_comes_to_nothing():
    decided = Plan(held=D(40), reason=EmptyBook(MarketBuy(D(1), D(1)).side))

    assert forecast_of(decided) == (decided, None)


def test_an_order_that_the_exchange_would_refuse_has_its_reason_and_no_figures():
    too_small = Plan(held=D(40), order=MarketBuy(D("0.5"), D("0.5")))
    nobody = Plan(held=D(40), order=MarketBuy(D(20), D(20)))
    known = rules(min_notional="1")
    full, empty = (
        book(bids=[("0.001998", 1)], asks=[("0.002", 10**6)]),
        book(bids=[("0.001998", 1)], asks=[]),
    )

    small, of_small = forecast(too_small, rules=known, book=full, last_price=D("0.002"))
    alone, of_alone = forecast(nobody, rules=known, book=empty, last_price=D("0.002"))

    assert (of_small, of_alone) == (None, None)
    assert isinstance(small.reason, UnderMinimum)
    assert small.reason.quote_amount == D("0.5")
    assert isinstance(alone.reason, EmptyBook)
