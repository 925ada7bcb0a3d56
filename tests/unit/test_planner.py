"""The planner, rule by rule: what is traded, and in which words a drift is left alone."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.domain.market.balances import Counting
from engine.domain.market.decimals import decimal_from_text, plain
from engine.domain.market.pairs import USDT, Asset, PairRules, Side
from engine.domain.orders.matching import match_market_order
from engine.domain.rebalancing.planner import (
    EmptyBook,
    InsideBand,
    MarketBuy,
    MarketSell,
    NothingFree,
    PairClosed,
    Plan,
    ProposedOrder,
    Reason,
    SideClosed,
    StepTooCoarse,
    UnderMinimum,
    at_rest,
    goal_of,
    plan,
    plan_to,
    smallest_order,
)
from engine.domain.targets.protection import NotCovered
from engine.domain.targets.usdt_goal import UsdtGoal
from tests.builders import MNTL, book, holdings, rules, settings


def decide(**given) -> Plan:
    defaults: dict[str, Any] = {
        "holdings": holdings(),
        "settings": settings(),
        "rules": rules(),
        "book": book(),
    }
    return plan(**(defaults | given))


def order_of(**given) -> ProposedOrder:
    order = decide(**given).order
    assert order is not None
    return order


def buy_of(**given) -> MarketBuy:
    order = order_of(**given)
    assert isinstance(order, MarketBuy)
    return order


def sell_of(**given) -> MarketSell:
    order = order_of(**given)
    assert isinstance(order, MarketSell)
    return order


def reason_of(**given) -> Reason:
    reason = decide(**given).reason
    assert reason is not None
    return reason


# The band


def test_a_balance_at_its_target_is_left_alone():
    assert decide(holdings=holdings(usdt=40)) == Plan(held=Decimal(40), reason=InsideBand())


@pytest.mark.parametrize("usdt", ["38", "42"])
def test_a_balance_exactly_at_the_edge_of_its_band_is_left_alone(usdt):
    assert reason_of(holdings=holdings(usdt=usdt)) == InsideBand()
    assert at_rest(holdings(usdt=usdt), settings()) == InsideBand()


@pytest.mark.parametrize(
    ("usdt", "side"),
    [("37.999999999999999999", Side.SELL), ("42.000000000000000001", Side.BUY)],
)
def test_a_balance_the_least_bit_outside_its_band_is_traded(usdt, side):
    assert order_of(holdings=holdings(usdt=usdt)).side is side
    assert at_rest(holdings(usdt=usdt), settings()) is None


def test_a_threshold_may_be_an_amount_of_usdt():
    wishes = settings(threshold="7", in_quote=True)

    assert reason_of(holdings=holdings(usdt=47), settings=wishes) == InsideBand()
    assert order_of(holdings=holdings(usdt="47.01"), settings=wishes).side is Side.BUY
    assert order_of(holdings=holdings(usdt="32.99"), settings=wishes).side is Side.SELL


def test_a_threshold_wider_than_the_target_never_sells():
    wishes = settings(threshold="50", in_quote=True)

    assert reason_of(holdings=holdings(usdt=0), settings=wishes) == InsideBand()


def test_a_person_may_ask_for_a_trade_inside_the_band():
    assert order_of(holdings=holdings(usdt="41.50"), ignore_band=True) == MarketBuy(
        Decimal("1.50"), expected_base=Decimal("714.28571428")
    )
    assert order_of(holdings=holdings(usdt="38.50"), ignore_band=True).side is Side.SELL


def test_a_person_who_asks_at_the_target_gets_no_trade():
    assert reason_of(holdings=holdings(usdt=40), ignore_band=True) == InsideBand()


def test_a_person_who_asks_for_less_than_the_minimum_hears_so():
    assert reason_of(holdings=holdings(usdt="40.50"), ignore_band=True) == UnderMinimum(
        Side.BUY, quote_amount=Decimal("0.50"), minimum=Decimal("1.10")
    )


def test_a_drift_of_less_than_a_cent_never_becomes_an_order_for_nothing():
    free_for_all = rules(min_notional=0, quantity_step=1000)

    assert reason_of(
        holdings=holdings(usdt="40.009"), rules=free_for_all, ignore_band=True
    ) == UnderMinimum(Side.BUY, quote_amount=Decimal(0), minimum=Decimal("2.21"))


# Too much USDT


def test_too_much_usdt_buys_for_the_excess():
    assert decide(holdings=holdings(usdt="57.10")) == Plan(
        held=Decimal("57.10"),
        order=MarketBuy(Decimal("17.10"), expected_base=Decimal("8142.85714285")),
    )


def test_a_buy_is_rounded_down_to_cents():
    order = buy_of(holdings=holdings(usdt="57.109999999999999999"))

    assert plain(order.quote_amount) == "17.1"


def test_a_buy_is_rounded_down_to_the_pairs_step_where_that_is_coarser():
    order = buy_of(holdings=holdings(usdt="57.99"), rules=rules(quote_step="0.5"))

    assert order.quote_amount == Decimal("17.5")


def test_a_buy_leaves_the_fee_and_a_reserve_free():
    wishes = settings(target="0.01", threshold="0.02", in_quote=True)

    assert buy_of(holdings=holdings(usdt=100), settings=wishes).quote_amount == Decimal("99.90")
    assert buy_of(
        holdings=holdings(usdt=100), settings=wishes, rules=rules(taker_fee_rate="0.01")
    ).quote_amount == Decimal("99.00")


def test_the_fee_on_top_of_a_huge_buy_does_not_turn_it_into_a_sell():
    order = buy_of(holdings=holdings(usdt=10_000))

    after = 10_000 - order.quote_amount * Decimal("1.0005")
    assert settings().fixed_goal.band.low <= after <= settings().fixed_goal.target


def test_a_buy_is_cut_to_the_exchanges_maximum():
    order = buy_of(holdings=holdings(usdt=1000), rules=rules(max_notional="99.999"))

    assert order.quote_amount == Decimal("99.99")


def test_locked_usdt_counts_as_held_but_is_not_spent():
    order = buy_of(holdings=holdings(usdt=10, usdt_locked=50))

    assert order.quote_amount == Decimal("9.99")


def test_usdt_locked_in_full_buys_nothing_and_says_what_is_locked():
    assert reason_of(holdings=holdings(usdt="0.5", usdt_locked=60)) == NothingFree(
        Side.BUY, free=Decimal("0.5"), locked=Decimal(60)
    )


def test_locked_usdt_is_left_out_where_the_chat_counts_free_alone():
    frugal = settings(counting=Counting.FREE)
    held = holdings(usdt=40, usdt_locked=60)

    assert reason_of(holdings=held, settings=frugal) == InsideBand()
    assert at_rest(held, frugal) == InsideBand()
    assert order_of(holdings=held).side is Side.BUY


@pytest.mark.parametrize(("usdt", "traded"), [("41.09", False), ("41.10", True)])
def test_a_buy_keeps_a_margin_above_the_exchanges_minimum(usdt, traded):
    decided = decide(holdings=holdings(usdt=usdt), settings=settings(threshold="0.01"))

    assert (decided.order is not None) is traded


def test_an_excess_under_the_minimum_is_named_even_where_little_is_free():
    held = holdings(usdt="0.5", usdt_locked="40.5")

    assert reason_of(holdings=held, settings=settings(threshold="0.01")) == UnderMinimum(
        Side.BUY, quote_amount=Decimal("1.00"), minimum=Decimal("1.10")
    )


def test_an_excess_that_does_not_buy_one_step_is_under_the_minimum():
    dear = book(bids=[(49, 10)], asks=[(50, 10)])

    assert reason_of(holdings=holdings(usdt="92.49"), book=dear) == UnderMinimum(
        Side.BUY, quote_amount=Decimal("52.49"), minimum=Decimal("52.50")
    )
    assert buy_of(holdings=holdings(usdt="92.50"), book=dear).quote_amount == Decimal("52.5")


def test_a_buy_on_a_thin_book_expects_what_the_book_has():
    order = buy_of(holdings=holdings(usdt=60), book=book(asks=[("0.0021", 100), ("0.003", 50)]))

    assert order == MarketBuy(Decimal(20), expected_base=Decimal(150))
    assert order.expected_quote == Decimal(20)


# Too little USDT


def test_too_little_usdt_sells_what_brings_the_target_after_the_fee():
    order = sell_of(holdings=holdings(usdt=20))

    assert plain(order.base_quantity) == "10005"  # 20 / 0.002 / 0.9995 = 10005.0025...
    assert order.expected_quote == Decimal("19.999995")


def test_a_sell_walks_down_the_book():
    bids = [("0.0020", 5000), ("0.00196", 1_000_000)]

    order = sell_of(
        holdings=holdings(usdt=20), book=book(bids=bids), rules=rules(taker_fee_rate=0)
    )

    assert order == MarketSell(Decimal(10102), expected_quote=Decimal("19.99992"))


def test_a_sell_is_rounded_down_to_the_pairs_step():
    order = sell_of(holdings=holdings(usdt=20), rules=rules(quantity_step=100))

    assert order.base_quantity == 10_000


def test_a_sell_never_takes_more_than_is_free():
    order = sell_of(holdings=holdings(usdt=20, mntl="4000.9", mntl_locked=100_000))

    assert order.base_quantity == 4000


def test_nothing_free_to_sell_is_said_with_what_is_locked_in_whole_steps():
    held = holdings(usdt=20, mntl="0.9", mntl_locked="100000.7")

    assert reason_of(holdings=held) == NothingFree(
        Side.SELL, free=Decimal(0), locked=Decimal(100_000)
    )


def test_too_little_free_for_the_minimum_counts_as_nothing_free():
    assert reason_of(holdings=holdings(usdt=20, mntl=549)) == NothingFree(
        Side.SELL, free=Decimal(549), locked=Decimal(0)
    )
    assert sell_of(holdings=holdings(usdt=20, mntl=550)).base_quantity == 550


def test_less_free_than_the_pairs_smallest_quantity_counts_as_nothing_free():
    assert isinstance(
        reason_of(holdings=holdings(usdt=20, mntl=5999), rules=rules(min_quantity=6000)),
        NothingFree,
    )


def test_an_asset_the_exchange_does_not_list_is_held_at_zero():
    other = rules(base=Asset("OTHER"))

    assert reason_of(holdings=holdings(usdt=20), rules=other) == NothingFree(
        Side.SELL, free=Decimal(0), locked=Decimal(0)
    )


def test_a_shortfall_under_the_minimum_is_left_alone_with_its_numbers():
    assert reason_of(
        holdings=holdings(usdt=39), settings=settings(threshold="0.01")
    ) == UnderMinimum(Side.SELL, quote_amount=Decimal(1), minimum=Decimal("1.10"))


def test_a_sell_is_cut_to_the_exchanges_maximum():
    order = sell_of(holdings=holdings(usdt=20), rules=rules(max_notional="6.001"))

    assert order.base_quantity == 2850  # 6.0 USDT at a last price 5 % above the best bid


@pytest.mark.parametrize("last_price", ["0.002", "0.0021", "0.002105"])
def test_a_sell_at_the_maximum_is_taken_whatever_price_the_exchange_measures_it_at(
    last_price: str,
):
    tight = rules(max_notional="6.001")
    order = sell_of(holdings=holdings(usdt=20), rules=tight)

    filled = match_market_order(
        side=Side.SELL,
        amount=order.base_quantity,
        free=Decimal(100_000),
        last_price=Decimal(last_price),
        book=book(),
        rules=tight,
    )

    assert filled.complete


@pytest.mark.parametrize("coarse", [{"quantity_step": 1000}, {"min_quantity": 1000}])
def test_a_maximum_of_less_than_the_smallest_quantity_leaves_nothing_to_send(coarse):
    tight = rules(max_notional="1.5", **coarse)

    assert isinstance(reason_of(holdings=holdings(usdt=20), rules=tight), UnderMinimum)


def test_a_sell_on_a_thin_book_takes_what_the_bids_can():
    order = sell_of(holdings=holdings(usdt=20), book=book(bids=[("0.002", 600), ("0.00195", 400)]))

    assert order.base_quantity == 1000


def test_a_sell_is_not_swollen_by_bids_the_exchange_would_never_reach():
    cliff = book(bids=[("0.002", 100), ("0.0001", 10_000_000)])

    order = sell_of(holdings=holdings(usdt=20), book=cliff)

    # Sized at 0.0019, the worst price the exchange accepts; not 198,000 at 0.0001.
    assert order.base_quantity == 10_526


def test_a_tiny_best_bid_does_not_hold_up_a_sell():
    order = sell_of(
        holdings=holdings(usdt=20), book=book(bids=[("0.0020", 1), ("0.0018", 1_000_000)])
    )

    assert 9_500 < order.base_quantity < 10_600


# Coarse steps


def test_a_shortfall_of_less_than_a_step_sells_one_step_that_stays_in_the_band():
    order = sell_of(holdings=holdings(usdt="37.50"), rules=rules(quantity_step=2000))

    assert order.base_quantity == 2000


def test_a_step_that_would_overshoot_the_band_is_not_sold():
    coarse = rules(quantity_step=2500, taker_fee_rate=0)

    assert reason_of(holdings=holdings(usdt="37.50"), rules=coarse) == StepTooCoarse(
        step_value=Decimal(5), shortfall=Decimal("2.50")
    )


def test_the_smallest_quantity_is_rounded_up_to_whole_steps():
    order = sell_of(
        holdings=holdings(usdt="37.90"), rules=rules(quantity_step=1000, min_quantity=1001)
    )

    assert order.base_quantity == 2000


# Closed doors


@pytest.mark.parametrize("missing", ["online", "api_allowed", "market_orders"])
@pytest.mark.parametrize("usdt", [20, 60])
def test_a_closed_pair_is_not_traded(missing, usdt):
    closed = rules(**{missing: False})

    assert reason_of(holdings=holdings(usdt=usdt), rules=closed) == PairClosed()


@pytest.mark.parametrize(
    ("closed", "usdt", "side"),
    [(rules(buying=False), 60, Side.BUY), (rules(selling=False), 20, Side.SELL)],
)
def test_a_closed_side_is_not_traded_and_the_other_one_is(closed, usdt, side):
    assert reason_of(holdings=holdings(usdt=usdt), rules=closed) == SideClosed(side)
    assert order_of(holdings=holdings(usdt=80 - usdt), rules=closed).side is not side


def test_an_empty_side_of_the_book_is_not_traded():
    assert reason_of(holdings=holdings(usdt=60), book=book(asks=[])) == EmptyBook(Side.BUY)
    assert reason_of(holdings=holdings(usdt=20), book=book(bids=[])) == EmptyBook(Side.SELL)


def test_the_other_side_of_the_book_may_be_empty():
    assert order_of(holdings=holdings(usdt=60), book=book(bids=[])).side is Side.BUY
    assert order_of(holdings=holdings(usdt=20), book=book(asks=[])).side is Side.SELL


def test_a_balance_inside_its_band_needs_no_market_at_all():
    shut = replace(rules(), online=False)

    assert reason_of(rules=shut, book=book(bids=[], asks=[])) == InsideBand()


# Values


def test_sums_are_exact_however_many_digits_they_have():
    held = holdings(usdt="123456789012345.000000000000000001", usdt_locked="0.000000000000000001")

    assert decide(holdings=held).held == Decimal("123456789012345.000000000000000002")


@pytest.mark.parametrize("usdt", [20, 60])
def test_estimates_have_few_enough_digits_to_be_written_down(usdt):
    odd = "0.002" + "3" * 31
    order = order_of(
        holdings=holdings(usdt=usdt), book=book(bids=[(odd, 10**9)], asks=[("0.003", 10**9)])
    )

    estimate = order.expected_base if isinstance(order, MarketBuy) else order.expected_quote
    assert decimal_from_text(plain(estimate)) == estimate


@pytest.mark.parametrize(
    ("pair", "least"),
    [
        (rules(), "1.10"),
        (rules(min_notional=5), "5.50"),
        (rules(min_notional="1.001"), "1.11"),
        (rules(min_notional=1, quote_step=1), "2"),
        (rules(min_notional=0), "0.01"),
    ],
)
def test_the_smallest_order_has_a_margin_and_is_rounded_up(pair: PairRules, least):
    assert smallest_order(pair) == Decimal(least)


@pytest.mark.parametrize(
    "contents",
    [{}, {"order": MarketBuy(Decimal(1), expected_base=Decimal(1)), "reason": InsideBand()}],
)
def test_a_plan_is_an_order_or_a_reason(contents):
    with pytest.raises(ValueError, match="an order or a reason"):
        Plan(held=Decimal(40), **contents)


# What is protected


def goal(target: int = 40) -> UsdtGoal:
    return goal_of(settings(target=target))


def guarded(protected: dict[Asset, int], *, target: int = 40, **given) -> Plan:
    defaults: dict[str, Any] = {
        "counting": Counting.HELD,
        "rules": rules(),
        "book": book(),
        "protected": {asset: Decimal(amount) for asset, amount in protected.items()},
    }
    return plan_to(goal(target), **(defaults | given))


def test_protected_usdt_is_neither_counted_nor_spent():
    held = holdings(usdt="77.10")

    assert guarded({USDT: 20}, holdings=held) == guarded({}, holdings=holdings(usdt="57.10"))


def test_protected_tokens_are_not_sold():
    held = holdings(usdt=0, mntl=60_000)

    order = guarded({MNTL: 50_000}, holdings=held).order

    assert isinstance(order, MarketSell)
    assert order.base_quantity == Decimal(10_000)


def test_nothing_is_bought_into_a_protected_amount_that_is_not_held():
    held = holdings(usdt="57.10", mntl=30_000)

    short = NotCovered(Side.BUY, held=Decimal(30_000), protected=Decimal(50_000))
    assert guarded({MNTL: 50_000}, holdings=held).reason == short
    assert guarded({MNTL: 30_000}, holdings=held).order is not None


def test_nothing_is_sold_into_protected_usdt_that_is_not_held():
    short = NotCovered(Side.SELL, held=Decimal(20), protected=Decimal(50))

    assert guarded({USDT: 50}, holdings=holdings(usdt=20)).reason == short


def test_locked_coins_cover_a_protected_amount_only_where_they_count():
    held = holdings(usdt="57.10", mntl=30_000, mntl_locked=40_000)

    assert guarded({MNTL: 50_000}, holdings=held).order is not None
    reason = guarded({MNTL: 50_000}, holdings=held, counting=Counting.FREE).reason
    assert isinstance(reason, NotCovered)
