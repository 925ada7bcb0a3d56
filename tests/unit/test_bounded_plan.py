"""A decision whose order has a bound: the same drift as with MARKET, nearer to the target."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.risk_limits import AUTOMATIC, LimitsInForce
from engine.domain.execution.bound import WIDENS_AFTER, ExecutionMode, Slippage
from engine.domain.execution.bounded_order import BoundedOrder, NoOfferNear
from engine.domain.market.pairs import OrderType, Side
from engine.domain.orders.matching import match_priced_order
from engine.domain.rebalancing.decision import DecisionInputs, Waited, allowed, wanted
from engine.domain.rebalancing.forecast import forecast
from engine.domain.rebalancing.manual_trade import ManualTrade
from engine.domain.rebalancing.order_factory import terms_of
from engine.domain.rebalancing.planner import (
    EmptyBook,
    MarketBuy,
    NothingFree,
    PairClosed,
    Reason,
    SideClosed,
    StepTooCoarse,
    UnderMinimum,
)
from engine.domain.rebalancing.replay import replayed, shortened
from engine.domain.rebalancing.run_request import RunRequest
from engine.storage.serialization import from_json, to_short_json
from tests.builders import book, decision_inputs, holdings, intent, rules, settings
from tests.fakes.clock import START
from tests.unit.test_planner_properties import Situation, likely_trades, wild_situations

D = Decimal
_FILE = json.loads(Path(__file__).with_name("execution_vectors.json").read_text("utf-8"))
VECTOR_BOOK = book(**_FILE["book"])
FAR = book(bids=[("0.0019", 10**6)], asks=[("0.0021", 10**6)])


def auto(slippage: Slippage | None = None, **changes: Any) -> DecisionInputs:
    """17.10 USDT too much, on the book of the vectors."""
    wishes = settings(execution=ExecutionMode.AUTO, slippage=slippage or Slippage())
    values: dict[str, Any] = {
        "settings": wishes,
        "book": VECTOR_BOOK,
        "order_type": OrderType.IOC,
    }
    return decision_inputs(**(values | changes))


def order_of(inputs: DecisionInputs) -> BoundedOrder:
    order = allowed(wanted(inputs), inputs).order
    assert isinstance(order, BoundedOrder)
    return order


def reason_of(inputs: DecisionInputs) -> Reason | None:
    return allowed(wanted(inputs), inputs).reason


def test_one_order_ends_within_ten_cents_of_the_target_of_the_readmes_example():
    inputs = auto()
    order = order_of(inputs)
    plan, comes_to = forecast(
        wanted(inputs), rules=inputs.rules, book=inputs.book, last_price=D("0.002")
    )

    assert (order.price, order.base_quantity) == (D("0.00202"), D(8521))
    assert order.expected_quote == D("17.09842")
    assert comes_to is not None
    assert comes_to.complete
    assert abs(comes_to.held_after - 40) < D("0.1")
    assert inputs.settings.fixed_goal.band.holds(comes_to.held_after)
    assert plan.order == order


def test_a_sell_brings_what_is_missing_after_its_fee():
    order = order_of(auto(holdings=holdings(usdt="31.20")))

    assert (order.side, order.price, order.base_quantity) == (Side.SELL, D("0.00198"), D(4412))
    assert order.expected_quote == D("8.79947806")


def test_the_bound_is_never_further_away_than_the_limit_on_prices():
    limits = replace(AUTOMATIC.for_target(D(40)), move=D("0.01"))
    order = order_of(auto(Slippage(D("0.05")), limits=limits))

    assert order.price == D("0.00202")


WAITED = Waited(START - WIDENS_AFTER, START, last_price=D("0.002"))
REASONS: dict[str, tuple[DecisionInputs, Reason]] = {
    "the nearest seller is too far": (
        auto(book=FAR),
        NoOfferNear(
            side=Side.BUY,
            slippage=D("0.01"),
            nearest=D("0.05"),
            offered=D(0),
            minimum=D("1.1"),
            strict=False,
        ),
    ),
    "too little near": (
        auto(
            Slippage(strict=True),
            book=book(bids=[("0.001999", 9000)], asks=[("0.002", 100), ("0.0021", 10**6)]),
            waited=WAITED,
        ),
        NoOfferNear(
            side=Side.BUY,
            slippage=D("0.01"),
            nearest=D(0),
            offered=D("0.2"),
            minimum=D("1.1"),
            strict=True,
        ),
    ),
    "nobody buys, so there is no middle": (
        auto(book=book(bids=[])),
        NoOfferNear(
            side=Side.BUY,
            slippage=D("0.01"),
            nearest=None,
            offered=D(0),
            minimum=D("1.1"),
            strict=False,
        ),
    ),
    "nobody sells": (auto(book=book(asks=[])), EmptyBook(Side.BUY)),
    "the pair is closed": (auto(rules=rules(limit_orders=False)), PairClosed()),
    "buying is closed": (auto(rules=rules(buying=False)), SideClosed(Side.BUY)),
    "nothing is free": (
        auto(holdings=holdings(usdt=1, usdt_locked="56.10")),
        NothingFree(Side.BUY, free=D(1) * D("1.0005") / D("1.001"), locked=D("56.10")),
    ),
    "what is offered near is less than a step": (
        auto(rules=rules(quantity_step=20_000)),
        NoOfferNear(
            side=Side.BUY,
            slippage=D("0.01"),
            nearest=D(0),
            offered=D("34.226"),
            minimum=D("40.4"),
            strict=False,
        ),
    ),
    "one step overshoots the band": (
        auto(
            holdings=holdings(usdt="37.50"),
            rules=rules(quantity_step=5_000),
        ),
        StepTooCoarse(step_value=D("9.969013"), shortfall=D("2.50")),
    ),
}


@pytest.mark.parametrize("case", REASONS)
def test_no_order_and_why(case: str):
    inputs, expected = REASONS[case]
    found = reason_of(inputs)

    if isinstance(expected, NothingFree):
        assert isinstance(found, NothingFree)
        assert (found.side, found.locked) == (expected.side, expected.locked)
    else:
        assert found == expected


def test_a_drift_under_the_smallest_order_says_which_amount_would_do():
    found = reason_of(auto(ignore_band=True, holdings=holdings(usdt="41.05")))

    assert isinstance(found, UnderMinimum)
    assert found.quote_amount < found.minimum <= D("1.11")


def test_after_the_wait_one_order_goes_as_far_as_a_market_order():
    order = order_of(auto(book=FAR, waited=WAITED))

    assert (order.price, order.widened) == (D("0.0021"), True)


def test_after_the_wait_a_market_order_goes_where_there_is_no_middle():
    plan = wanted(auto(book=book(bids=[]), waited=WAITED))

    assert isinstance(plan.order, MarketBuy)


def test_a_pair_without_market_orders_is_traded_with_a_bound():
    assert order_of(auto(rules=rules(market_orders=False))).base_quantity == D(8521)


def test_all_of_the_token_is_sold_as_far_as_it_is_wanted_near_the_middle():
    trade = ManualTrade(Side.SELL, share=D(1))
    order = order_of(auto(trade=trade, ignore_band=True))

    assert order.base_quantity == D(9000)  # what the bids down to 0.00198 take
    assert order.expected_quote < D("18")


def test_what_is_stored_of_an_order_is_what_is_sent():
    inputs = auto()
    order, terms = order_of(inputs), terms_of(order_of(inputs), inputs)
    stored = intent(**terms)

    assert stored.priced is not None
    assert (stored.priced.price, stored.asked_base) == (order.price, order.base_quantity)
    assert stored.quote_amount == stored.expected_quote == order.expected_quote
    assert stored.most_quote == order.frozen_amount


WIDE_LIMITS = LimitsInForce(order=D("1e15"), day=D("1e15"), orders_per_hour=60, move=D(1))


@given(st.one_of(likely_trades(), wild_situations), st.booleans(), st.booleans())
def test_every_order_is_taken_leads_inside_and_is_planned_again_from_less(
    situation: Situation, waits: bool, strict: bool
):
    wishes = replace(
        situation.settings, execution=ExecutionMode.AUTO, slippage=Slippage(strict=strict)
    )
    last = situation.book.mid or D("0.002")
    inputs = auto(
        holdings=situation.holdings,
        settings=wishes,
        rules=situation.rules,
        book=situation.book,
        ignore_band=situation.ignore_band,
        limits=WIDE_LIMITS,
        waited=Waited(START - timedelta(hours=1), START, last) if waits else None,
    )
    order = allowed(wanted(inputs), inputs).order
    if order is None or not isinstance(order, BoundedOrder):
        return
    side, held = order.side, wanted(inputs).held
    spent = inputs.rules.quote if side is Side.BUY else inputs.rules.base
    done = match_priced_order(
        side=side,
        order_type=OrderType.IOC,
        base_quantity=order.base_quantity,
        price=order.price,
        free=inputs.holdings.of(spent).free,
        book=inputs.book,
        rules=inputs.rules,
    )
    assert done.complete
    assert not order.widened or (waits and not strict)
    if side is Side.BUY:
        assert held - done.execution.quote_amount - done.fee >= min(
            held, wishes.fixed_goal.band.low
        )
    else:
        assert held + done.execution.quote_amount - done.fee <= max(
            held, wishes.fixed_goal.band.high
        )
    short = from_json(to_short_json(shortened(inputs, order)), DecisionInputs)
    assert replayed(intent(**terms_of(order, inputs)), short).is_same


@pytest.mark.parametrize(
    ("worst", "price", "is_kept"),
    [
        ("0.002030", "0.002020", True),  # it is nearer by itself
        ("0.002020", "0.002020", True),
        ("0.002012", "0.002020", False),  # a part of it costs 0.00202
    ],
)
def test_an_order_keeps_to_the_worst_price_that_was_confirmed(
    worst: str, price: str, is_kept: bool
):
    inputs = auto(worst=D(worst))
    order = order_of(inputs)
    tap = RunRequest("q", Side.BUY, order.expected_quote, START, bound=D(worst))

    assert (order.price, tap.covers(order, now=START)) == (D(price), is_kept)


def test_a_middle_that_moved_up_leaves_the_confirmed_price_where_it_was():
    risen = book(bids=[("0.00201", 10**6)], asks=[("0.002012", 10**6)])
    moved, confirmed = order_of(auto(book=risen)), auto(book=risen, worst=D("0.00202"))
    kept = order_of(confirmed)
    tap = RunRequest("q", Side.BUY, kept.expected_quote, START, bound=D("0.00202"))

    assert (moved.price, kept.price) == (D("0.002031"), D("0.00202"))
    assert kept.base_quantity == moved.base_quantity
    assert not tap.covers(moved, now=START)
    assert tap.covers(kept, now=START)
    assert replayed(intent(**terms_of(kept, confirmed)), confirmed).is_same


def test_a_confirmed_bound_covers_no_market_order():
    inputs = auto(order_type=OrderType.MARKET)
    order = wanted(inputs).order
    assert isinstance(order, MarketBuy)
    tap = RunRequest("q", Side.BUY, order.expected_quote, START, bound=D("0.00202"))

    assert not tap.covers(order, now=START)
    assert replace(tap, bound=None).covers(order, now=START)


def test_a_sale_keeps_to_the_confirmed_price_too():
    fallen = book(bids=[("0.00199", 10**6)], asks=[("0.001992", 10**6)])
    inputs = auto(book=fallen, holdings=holdings(usdt="31.20"), worst=D("0.00198"))

    assert order_of(replace(inputs, worst=None)).price == D("0.001972")
    assert order_of(inputs).price == D("0.00198")
