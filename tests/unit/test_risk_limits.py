"""Whatever the plan: an order that is let through keeps within every limit, to the cent."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.risk_limits import AUTOMATIC, Jump, Limits, LimitsInForce, Recent
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import Side
from engine.domain.rebalancing.limit_checks import (
    as_fraction,
    jump_at,
    known_price,
    limited,
    loss_bp,
    price_move_bp,
    usual_price,
    worth,
    worth_cents,
)
from engine.domain.rebalancing.planner import (
    InsideBand,
    LimitKind,
    MarketBuy,
    MarketSell,
    OverLimit,
    Plan,
    ProposedOrder,
)
from tests.builders import Amount, Levels, book
from tests.fakes.clock import START

D = Decimal
FAIR = book(bids=[("0.00199", 10**9)], asks=[("0.00201", 10**9)])
USUAL = AUTOMATIC.for_target(D(40))
NOTHING_YET = Recent(price=D("0.002"))

prices = st.decimals(min_value="0.0001", max_value=10, places=4)
quantities = st.decimals(min_value="0.01", max_value=10**7, places=2)
amounts = st.decimals(min_value="0.01", max_value=10**6, places=2)
limits_in_force = st.builds(
    LimitsInForce,
    order=amounts,
    day=amounts,
    orders_per_hour=st.integers(1, 100),
    move=st.integers(100, 10_000).map(as_fraction),
)
recents = st.builds(
    Recent,
    turnover=st.just(D(0)) | amounts,
    orders=st.integers(0, 100),
    price=st.none() | prices,
)


@st.composite
def books(draw: st.DrawFn) -> OrderBook:
    """One to four levels a side; sometimes only one side."""
    places = draw(st.lists(prices, min_size=2, max_size=8, unique=True).map(sorted))
    cut = draw(st.integers(0, len(places)))
    levels = [(price, draw(quantities)) for price in places]
    return book(bids=levels[:cut][::-1], asks=levels[cut:])


@st.composite
def markets(draw: st.DrawFn) -> tuple[OrderBook, ProposedOrder]:
    """A book, and an order that has somebody to trade with."""
    offered = draw(books())
    if offered.asks and (not offered.bids or draw(st.booleans())):
        return offered, buy(draw(amounts))
    return offered, MarketSell(draw(quantities), expected_quote=draw(amounts))


def buy(quote: Amount) -> MarketBuy:
    return MarketBuy(D(quote), expected_base=D(1))


def broken(
    order: ProposedOrder,
    *,
    limits: LimitsInForce = USUAL,
    recent: Recent = NOTHING_YET,
    offered: OrderBook = FAIR,
) -> OverLimit | None:
    """The limit that *order* breaks."""
    outcome = limited(Plan(D(0), order=order), book=offered, limits=limits, recent=recent)
    if outcome.reason is None:
        assert outcome.order == order
        return None
    assert isinstance(outcome.reason, OverLimit)
    return outcome.reason


def kind(order: ProposedOrder, **circumstances: Any) -> LimitKind | None:
    reason = broken(order, **circumstances)
    return None if reason is None else reason.kind


@pytest.mark.parametrize(
    ("target", "order", "day"),
    [
        (1, 1000, 5000),
        (40, 1000, 5000),
        (10_000, 15_000, 75_000),
        ("1000.33", "1500.50", "7502.50"),
    ],
)
def test_limits_nobody_set_follow_from_the_target(target: Amount, order: Amount, day: Amount):
    limits = AUTOMATIC.for_target(D(target))

    assert (limits.order, limits.day) == (D(order), D(day))
    assert (limits.orders_per_hour, limits.move) == (60, D("0.20"))


def test_a_limit_that_was_set_counts_and_the_others_follow():
    limits = Limits(order=D(50), move=D("0.15")).for_target(D(40))

    assert (limits.order, limits.day) == (D(50), D(250))
    assert (limits.orders_per_hour, limits.move_bp) == (60, 1500)
    assert Limits(day=D(7), orders_per_hour=2).for_target(D(40)).day_cents == 700


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: D(value)} for name in ("order", "day") for value in ("0", "-1", "NaN", "0.001")),
        {"order": D("Infinity")},
        {"day": D("10000000000.01")},
        {"orders_per_hour": 0},
        {"orders_per_hour": 3601},
        *({"move": D(value)} for value in ("0", "0.0099", "1.01", "NaN", "0.01001")),
    ],
    ids=str,
)
def test_a_limit_that_makes_no_sense_cannot_exist(wrong: dict[str, Any]):
    with pytest.raises(ValueError, match=r"limit|orders an hour|price"):
        Limits(**wrong)


def test_the_extremes_of_each_limit_can_exist():
    least = Limits(order=D("0.01"), day=D("0.01"), orders_per_hour=1, move=D("0.01"))
    most = Limits(order=D(10**10), day=D(10**10), orders_per_hour=3600, move=D(1))

    assert least.for_target(D(40)).order_cents == 1
    assert most.for_target(D(40)).move_bp == 10_000


def test_a_plan_without_an_order_keeps_its_reason():
    calm = Plan(D(40), reason=InsideBand())

    assert limited(calm, book=FAIR, limits=USUAL, recent=NOTHING_YET) is calm


def test_an_order_at_the_limit_is_fine_and_a_cent_more_is_refused_with_the_numbers():
    assert broken(buy("1000.00")) is None
    assert broken(buy("1000.01")) == OverLimit(
        LimitKind.ORDER, asked=D("1000.01"), allowed=D(1000)
    )


def test_an_order_counts_in_whole_cents_rounded_up():
    almost_a_cent_more = MarketSell(D(1), expected_quote=D("1000.00000001"))

    assert kind(almost_a_cent_more) is LimitKind.ORDER
    assert worth(D("17.100000001")) == D("17.11")
    assert worth_cents(D("17.10")) == 1710


def test_the_day_counts_what_was_traded_before():
    recent = Recent(turnover=D("4900.00"))

    assert broken(buy("100.00"), recent=recent) is None
    assert broken(buy("100.01"), recent=recent) == OverLimit(
        LimitKind.DAY, asked=D("100.01"), allowed=D(5000), used=D("4900.00")
    )


def test_the_hours_last_order_is_fine_and_one_more_is_refused():
    assert broken(buy(10), recent=Recent(orders=59)) is None
    assert broken(buy(10), recent=Recent(orders=60)) == OverLimit(
        LimitKind.HOUR, asked=D(1), allowed=D(60), used=D(60)
    )


@pytest.mark.parametrize("seen", ["0.0025", "0.001675"])
def test_a_price_at_the_limit_is_fine(seen: str):
    assert broken(buy(10), recent=Recent(price=D(seen))) is None


@pytest.mark.parametrize(("seen", "moved"), [("0.002501", "0.2004"), ("0.0016749", "0.2001")])
def test_a_price_further_from_the_one_seen_before_is_a_jump(seen: str, moved: str):
    """Buying at 0.00201 in a book whose middle is 0.002; the worse of the two counts."""
    reason = broken(buy(10), recent=Recent(price=D(seen)))

    assert reason == OverLimit(LimitKind.JUMP, asked=D(moved), allowed=D("0.20"))


def test_a_price_never_seen_before_is_no_jump():
    assert broken(buy(10), recent=Recent()) is None


@pytest.mark.parametrize(
    ("order", "bids", "asks"),
    [
        (buy(100), [("0.0019", 1000)], [("0.0021", 1000), ("0.004", 10**9)]),
        (
            MarketSell(D(50_000), expected_quote=D(60)),
            [("0.0019", 1000), ("0.001", 10**9)],
            [("0.0021", 1000)],
        ),
        (buy(1), [("0.001", 1000)], [("0.002", 1000)]),
    ],
    ids=["buying into a thin book", "selling into one", "a wide spread"],
)
def test_an_order_that_would_eat_too_far_into_the_book_slips(
    order: ProposedOrder, bids: Levels, asks: Levels
):
    assert kind(order, offered=book(bids=bids, asks=asks)) is LimitKind.SLIP


def test_what_the_book_cannot_take_does_not_count_as_a_slip():
    short = book(bids=[("0.00199", 10)], asks=[("0.00201", 10)])

    assert broken(buy(100), offered=short) is None
    assert broken(MarketSell(D(50_000), expected_quote=D(1)), offered=short) is None


def test_with_nobody_on_the_other_side_the_best_price_is_the_usual_one():
    assert usual_price(book(bids=[]), Side.BUY) == D("0.0021")
    assert usual_price(book(asks=[]), Side.SELL) == D("0.002")
    assert usual_price(FAIR, Side.SELL) == D("0.002")


def test_a_price_out_of_all_proportion_still_is_a_number_the_database_takes():
    assert price_move_bp(buy(1), book=FAIR, seen=D("0.000000000000000001")) == 1_000_000


@pytest.mark.parametrize(
    ("side", "paid", "worse"),
    [
        (Side.BUY, "0.0024", 2000),
        (Side.BUY, "0.0026201", 3101),
        (Side.BUY, "0.001", 0),
        (Side.SELL, "0.0016", 2000),
        (Side.SELL, "0.004", 0),
        (Side.SELL, "0.002", 0),
    ],
)
def test_only_a_worse_price_is_a_loss(side: Side, paid: str, worse: int):
    assert loss_bp(side, paid=D(paid), expected=D("0.002")) == worse


@given(markets(), limits_in_force, recents)
def test_an_order_that_is_let_through_is_within_every_limit(
    market: tuple[OrderBook, ProposedOrder], limits: LimitsInForce, recent: Recent
):
    """As the statement of the last gate says it, in whole numbers."""
    offered, order = market
    turnover = int(recent.turnover * 100)
    passes = broken(order, offered=offered, limits=limits, recent=recent) is None
    keeps = (
        worth_cents(order.expected_quote) <= limits.order_cents
        and turnover + worth_cents(order.expected_quote) <= limits.day_cents
        and recent.orders < limits.orders_per_hour
        and price_move_bp(order, book=offered, seen=recent.price) <= limits.move_bp
    )

    assert passes == keeps


@given(markets(), limits_in_force, recents, st.data())
def test_wider_limits_let_through_whatever_narrower_ones_do(
    market: tuple[OrderBook, ProposedOrder],
    limits: LimitsInForce,
    recent: Recent,
    data: st.DataObject,
):
    offered, order = market
    wider = LimitsInForce(
        order=limits.order + data.draw(amounts),
        day=limits.day + data.draw(amounts),
        orders_per_hour=limits.orders_per_hour + data.draw(st.integers(0, 9)),
        move=limits.move + as_fraction(data.draw(st.integers(0, 9))),
    )
    narrow = broken(order, offered=offered, limits=limits, recent=recent)

    assert (
        narrow is not None or broken(order, offered=offered, limits=wider, recent=recent) is None
    )


@given(markets(), st.sampled_from([1, 40, 5000]))
def test_an_account_on_its_way_to_its_target_never_meets_the_limits_nobody_set(
    market: tuple[OrderBook, ProposedOrder], target: int
):
    """An order up to the target, in a book that is not thin."""
    _, order = market
    sane = MarketBuy(min(order.expected_quote, D(target)), expected_base=D(1))

    assert broken(sane, limits=AUTOMATIC.for_target(D(target))) is None


NOW = START + timedelta(minutes=1)
SEEN_ONCE = Jump(at=START, before=D(2))


def left_by(price: str | None, *, recent: Recent, now: datetime = NOW) -> Jump | None:
    return jump_at(
        None if price is None else D(price),
        limits=AUTOMATIC.for_target(D(40)),
        recent=recent,
        now=now,
    )


@pytest.mark.parametrize(
    ("last", "seconds", "price"),
    [("6", 0, "2"), ("6", 9, "2"), ("6", 10, "6"), (None, 10, "2"), (None, 10**6, "2")],
)
def test_a_price_that_jumped_counts_as_known_ten_seconds_after_its_first_sight(
    last: str | None, seconds: int, price: str
):
    known, jump = known_price(
        None if last is None else D(last), SEEN_ONCE, now=START + timedelta(seconds=seconds)
    )

    assert known == D(price)
    assert (jump is None) is (known == 6)


def test_a_price_that_stays_keeps_the_moment_of_its_first_sight():
    waiting = Recent(price=D(2), last=D(6), jump=SEEN_ONCE)

    assert left_by("6", recent=waiting) == SEEN_ONCE
    assert left_by("6.5", recent=waiting) == SEEN_ONCE
    assert left_by("2.1", recent=waiting) is None
    assert left_by("18", recent=waiting) == Jump(at=NOW, before=D(2))
    assert left_by(None, recent=waiting) == Jump(at=NOW, before=D(2))
    # The host's clock was set back meanwhile.
    early = START - timedelta(minutes=1)
    assert left_by("6", recent=waiting, now=early) == Jump(at=early, before=D(2))


def test_a_look_without_a_reference_or_near_it_leaves_nothing_to_confirm():
    assert left_by("6", recent=Recent()) is None
    assert left_by("2.1", recent=Recent(price=D(2), last=D(2))) is None
    assert left_by("6", recent=Recent(price=D(2), last=D(2))) == Jump(at=NOW, before=D(2))
    assert left_by(None, recent=Recent(price=D(2), last=D(2))) == Jump(at=NOW, before=D(2))
