"""What is said of an order with a bound: before, after, and looking back."""

from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest

from bot.exports.trades_table import EVERYTHING
from bot.interaction.callback_data import HistoryPage
from bot.views.alerts.alerts import alert_view
from bot.views.components.forecast import next_step
from bot.views.components.no_trade_reasons import reason_advice, reason_text
from bot.views.rebalance_plan import plan_view
from bot.views.trade_details import story_view
from engine.domain.alerts.alerts import OrderNeedsPerson, PricesNotTaken, trade_settled
from engine.domain.execution.bounded_order import NoOfferNear
from engine.domain.market.pairs import OrderType, Side
from engine.domain.orders.order import Order, OrderState, PricedTerms, Trigger
from engine.domain.rebalancing.check_result import BalanceSnapshot, CheckResult, NoTrade
from engine.domain.rebalancing.decision import wanted
from engine.domain.rebalancing.planner import InsideBand
from engine.rebalancing.preview import Foreseen
from tests.builders import MNTLUSDT, account, book, execution, forecast_of, intent
from tests.fakes.clock import START
from tests.unit.phone import check_message
from tests.unit.test_bounded_plan import auto

D = Decimal


def bought(**changes: Any) -> Order:
    terms: dict[str, Any] = {
        "order_type": OrderType.IOC,
        "price": D("0.00202"),
        "base_quantity": D(8521),
        "average": D("0.002006621"),
    }
    values: dict[str, Any] = {
        "quote_amount": "17.09842",
        "expected_quote": "17.09842",
        "price": "0.002",
        "priced": PricedTerms(**(terms | changes)),
        "state": OrderState.FILLED,
        "execution": execution(8521, "17.09842"),
        "quote_after": "39.99",
        "resolved_at": START,
    }
    return intent(**values)


def test_a_plan_says_the_bound_and_what_it_is_expected_to_cost():
    inputs = auto()
    plan, comes_to = forecast_of(wanted(inputs), book=inputs.book)
    view = plan_view(
        account=account(settings=inputs.settings),
        plan=plan,
        rules=inputs.rules,
        forecast=comes_to,
        confirmation_id="q",
    )

    text = check_message(view)
    assert "Buy about 8,521 MNTL\nfor about 17.10 USDT at about 0.002007" in text
    assert "Never above 0.00202. It costs about 0.38% with the fee." in text


def test_a_trade_is_told_beside_what_was_expected_of_it():
    text = check_message(alert_view(trade_settled(bought(), late=False)))

    assert "for 17.10 USDT at 0.002007 (expected 0.002007)" in text
    assert "normal" not in text


def test_an_order_that_was_filled_cheaper_than_expected_is_not_short_of_anything():
    order = replace(bought(), execution=execution(8521, "17.06"))

    text = check_message(alert_view(trade_settled(order, late=False)))

    assert "for 17.06 USDT at 0.002002 (expected 0.002007)" in text
    assert "filled" not in text


def test_an_order_that_was_filled_in_part_counts_tokens():
    order = replace(bought(), execution=execution(5000, "10.02"))

    text = check_message(alert_view(trade_settled(order, late=False)))

    assert "MEXC filled 5,000 of 8,521 MNTL" in text
    assert "Only part was filled. I try the rest at the next check." in text


def test_an_order_with_a_bound_that_was_not_filled_does_not_speak_of_five_percent():
    order = replace(bought(), execution=execution(0, 0))

    text = check_message(alert_view(trade_settled(order, late=True)))

    assert "Nobody sold within its bound any more. MEXC ended the order; no money moved." in text


@pytest.mark.parametrize(
    ("offered", "order_type", "is_said"),
    [
        (8_000, OrderType.IOC, True),
        (900_000, OrderType.IOC, False),
        (8_000, OrderType.LIMIT_MAKER, False),
    ],
)
def test_what_comes_next_says_where_it_takes_all_that_is_offered(
    offered: int, order_type: OrderType, is_said: bool
):
    market = book(bids=[("0.001998", 900_000)], asks=[("0.002002", offered), ("0.00208", 900_000)])
    inputs = replace(auto(), book=market, order_type=order_type)
    one = account(settings=inputs.settings)
    plan, comes_to = forecast_of(wanted(inputs), book=market)
    view = plan_view(
        account=one, plan=plan, rules=inputs.rules, forecast=comes_to, confirmation_id="q"
    )
    seen = BalanceSnapshot.of(one.settings, inputs.holdings, market)
    look = CheckResult.of(
        one.settings, at=START, trigger=Trigger.PERSON, verdict=NoTrade(InsideBand()), funds=None
    )
    foreseen = Foreseen(plan, None, look, seen, inputs.rules, comes_to)
    step = next_step(one, held=None, rules=inputs.rules, foreseen=foreseen)

    for text in (check_message(view), step):
        assert ("No more MNTL is for sale up to 0.00202." in text) is is_said
        assert is_said or "No more" not in text


def test_an_order_that_went_beyond_the_bound_tells_what_it_cost():
    order = replace(bought(widened=True), execution=execution(8521, "17.73"))

    text = check_message(alert_view(trade_settled(order, late=False)))

    assert "so I went further: 4.04% from the middle." in text


@pytest.mark.parametrize(
    ("rested", "says"), [(True, "I cancelled it."), (False, "Nothing was traded.")]
)
def test_a_pair_without_such_orders_is_said_to_get_market_orders(rested: bool, says: str):
    alert = PricesNotTaken(dry_run=False, symbol=MNTLUSDT, rested=rested)

    text = check_message(alert_view(alert))

    assert says in text
    assert "From now on I send market orders for MNTL/USDT." in text


def test_the_story_of_a_trade_has_its_type_and_its_bound():
    view = story_view(account=account(), order=bought(), asked_by=None, back=HistoryPage(0, 5))

    text = check_message(view)
    rows = [line.split(maxsplit=1) for line in text.splitlines() if " " in line]
    for row in (["Type", "IOC"], ["Bound", "0.00202 USDT"], ["Expected", "0.002007 USDT"]):
        assert row in rows


def test_the_file_has_the_type_and_the_bound():
    [row] = EVERYTHING.rows(bought(), UTC)
    cells = dict(zip(EVERYTHING.columns, row, strict=True))

    assert cells["order_type"] == "IOC"
    assert (cells["bound_price"], cells["expected_price"]) == ("0.00202", "0.002006621")


OFFERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "too far": (
        {"nearest": D("0.018")},
        "The nearest seller of MNTL is 1.8% away from the middle price. Your limit is 1%.",
        "After 15 minutes I send one order up to 5% away from the last price.",
    ),
    "too little, strict": (
        {"offered": D("0.50"), "strict": True},
        "Within 1% of the middle price only 0.50 USDT of MNTL is for sale.",
        "I wait until somebody offers more. To allow more: /slippage",
    ),
    "no middle": (
        {"nearest": None},
        "Nobody buys MNTL now, so there is no middle price to measure from.",
        "After 15 minutes",
    ),
}


@pytest.mark.parametrize("case", OFFERS)
def test_why_nothing_is_traded_near_the_price(case: str):
    changes, says, advises = OFFERS[case]
    values: dict[str, Any] = {
        "side": Side.BUY,
        "slippage": D("0.01"),
        "nearest": D(0),
        "offered": D(0),
        "minimum": D("1.1"),
        "strict": False,
    }
    reason = NoOfferNear(**(values | changes))

    assert says in reason_text(reason, symbol=MNTLUSDT)
    assert advises in reason_advice(reason, symbol=MNTLUSDT)


def test_an_order_that_waited_says_what_became_of_the_rest():
    waited = replace(
        bought(order_type=OrderType.LIMIT_MAKER, price=D("0.001998"), average=D("0.001998")),
        execution=execution(3000, "5.994"),
        state=OrderState.PARTIAL,
    )
    nothing = replace(waited, execution=execution(0, 0), state=OrderState.UNFILLED)

    partly = check_message(alert_view(trade_settled(waited, late=False)))
    late = check_message(alert_view(trade_settled(nothing, late=True)))

    assert "It waited at its price, and nobody took the rest. I trade that at once now." in partly
    assert "Nobody took it while it waited. It is cancelled; no money moved." in late


def test_a_pair_without_orders_that_wait_is_said_to_get_orders_with_a_bound():
    text = check_message(alert_view(PricesNotTaken(dry_run=False, symbol=MNTLUSDT, maker=True)))

    assert "From now on I send orders with a bound for MNTL/USDT." in text


def test_a_cancellation_without_proof_asks_to_look_for_the_open_order():
    alert = OrderNeedsPerson(
        dry_run=False,
        symbol=MNTLUSDT,
        side=Side.BUY,
        expected_quote=D("3.49"),
        client_order_id="bl1",
        rests=True,
    )

    text = check_message(alert_view(alert))

    assert "I cancelled my order to buy MNTL for about 3.49 USDT 15 min ago." in text
    assert "If the order is open there, cancel it, please." in text
