"""An order's life: its name, its legal steps, and what came of it."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.alerts.alerts import trade_settled
from engine.domain.market.pairs import USDT, Asset, OrderType, Side, Symbol
from engine.domain.orders.order import (
    FINAL,
    LEGAL,
    NOTHING,
    RECV_WINDOW,
    UNRESOLVED,
    VISIBILITY_MARGIN,
    Execution,
    Fees,
    OrderState,
    PricedTerms,
    can_be_of,
    client_order_id,
    may_conclude_absence,
    settled_state,
)
from engine.domain.rebalancing.planner import MarketBuy, MarketSell
from engine.domain.rebalancing.run_request import RunRequest
from engine.exchanges.interface import OrderRequest
from tests.builders import execution, intent
from tests.fakes.clock import START

MX = Asset("MX")
# The moments at which the process may die, and the way on from each (reliability.md 1.3).
CRASH_POINTS = {
    "written down, not released": OrderState.PLANNED,
    "released, perhaps sent": OrderState.SENDING,
    "taken by the exchange": OrderState.ACKED,
    "without an answer": OrderState.UNKNOWN,
    "waiting for a person": OrderState.NEEDS_HUMAN,
}


def reachable_from(state: OrderState) -> set[OrderState]:
    seen: set[OrderState] = set()
    ahead = [state]
    while ahead:
        for following in LEGAL[ahead.pop()] - seen:
            seen.add(following)
            ahead.append(following)
    return seen


# Its name


@given(account_uuid=st.uuids().map(str), run_id=st.text(), attempt=st.integers(1, 10))
def test_a_client_order_id_is_what_the_exchange_allows(account_uuid, run_id, attempt):
    name = client_order_id(account_uuid=account_uuid, run_id=run_id, attempt=attempt)

    assert re.fullmatch(r"[0-9a-zA-Z_-]{1,32}", name)


def test_the_same_decision_has_the_same_name_and_another_one_another():
    decisions = [("a", "r1", 1), ("a", "r1", 2), ("a", "r2", 1), ("b", "r1", 1), ("a", "r1:1", 1)]
    names = {
        client_order_id(account_uuid=account, run_id=run, attempt=attempt)
        for account, run, attempt in decisions
    }

    assert len(names) == len(decisions)
    assert client_order_id(account_uuid="a", run_id="r1", attempt=1) in names


@pytest.mark.parametrize(
    "changes",
    [
        {"side": Side.BUY, "quote_amount": None},
        {"side": Side.BUY, "base_quantity": 1},
        {"side": Side.SELL, "base_quantity": None},
        {"side": Side.SELL, "quote_amount": 1},
    ],
)
def test_an_intent_names_the_one_amount_its_side_needs(changes):
    with pytest.raises(ValueError, match=r"a (buy|sell) names the"):
        intent(**changes)


# Its states


def test_every_state_is_waiting_unresolved_or_final():
    assert {OrderState.PLANNED} | UNRESOLVED | FINAL == set(OrderState)
    assert not UNRESOLVED & FINAL
    assert set(LEGAL) == set(OrderState)


@pytest.mark.parametrize("state", [state for state in OrderState if state in FINAL])
def test_nothing_follows_a_final_state(state):
    assert not LEGAL[state]


@pytest.mark.parametrize("state", CRASH_POINTS.values(), ids=CRASH_POINTS.keys())
def test_every_crash_point_has_a_way_to_a_final_state(state):
    assert reachable_from(state) & FINAL


def test_no_step_leads_back_to_where_an_order_could_be_sent_again():
    for state in OrderState:
        assert OrderState.PLANNED not in LEGAL[state]
        assert OrderState.SENDING not in reachable_from(state) or state is OrderState.PLANNED


def test_an_order_that_may_exist_is_never_called_dropped():
    for state in UNRESOLVED - {OrderState.SENDING}:
        assert OrderState.DROPPED not in reachable_from(state)


def test_an_order_the_exchange_took_is_never_called_not_executed():
    assert OrderState.NOT_EXECUTED not in LEGAL[OrderState.ACKED]


def test_an_order_caught_while_sending_is_looked_up_before_it_is_given_up():
    assert OrderState.NOT_EXECUTED not in LEGAL[OrderState.SENDING]
    assert OrderState.NOT_EXECUTED in LEGAL[OrderState.UNKNOWN]


def test_every_unresolved_order_but_one_being_sent_can_be_settled_and_can_reach_a_person():
    settled = {OrderState.FILLED, OrderState.PARTIAL, OrderState.UNFILLED}

    for state in UNRESOLVED - {OrderState.SENDING}:
        assert settled <= LEGAL[state]
        assert OrderState.NEEDS_HUMAN in LEGAL[state] | {state}


# What came of it


@pytest.mark.parametrize(
    ("executed", "complete", "state"),
    [
        (NOTHING, True, OrderState.UNFILLED),
        (NOTHING, False, OrderState.UNFILLED),
        (execution(), True, OrderState.FILLED),
        (execution(), False, OrderState.PARTIAL),
    ],
)
def test_the_executed_amounts_decide_how_an_order_ended(executed, complete, state):
    assert settled_state(executed, complete=complete) is state


@pytest.mark.parametrize("wrong", ["-1", "NaN", "Infinity"])
def test_an_execution_that_cannot_be_cannot_exist(wrong):
    with pytest.raises(ValueError, match="an execution cannot be"):
        Execution(Decimal(wrong), Decimal(1))
    with pytest.raises(ValueError, match="an execution cannot be"):
        Execution(Decimal(1), Decimal(wrong))


def test_the_average_price_comes_from_what_was_executed():
    assert execution(base=8000, quote=16).average_price == Decimal("0.002")
    assert NOTHING.average_price is None


def test_a_commission_in_another_asset_is_none_in_this_one():
    fees = Fees({MX: Decimal("0.01")})

    assert fees.in_asset(MX) == Decimal("0.01")
    assert fees.in_asset(USDT) == 0


@pytest.mark.parametrize(
    ("later", "means_something"), [(timedelta(), False), (timedelta(milliseconds=1), True)]
)
def test_not_found_means_something_once_the_order_can_no_longer_arrive(later, means_something):
    sent = intent(state=OrderState.UNKNOWN, sent_at=START)
    last_moment = START + RECV_WINDOW + VISIBILITY_MARGIN

    assert may_conclude_absence(sent, exchange_time=last_moment + later) is means_something


def test_an_order_that_was_never_signed_cannot_arrive():
    assert may_conclude_absence(intent(), exchange_time=START)


# What a person's "yes" is good for


@pytest.mark.parametrize(
    ("order", "later", "covered"),
    [
        (MarketBuy(Decimal("17.10"), expected_base=Decimal(8142)), 90, True),
        (MarketBuy(Decimal("17.10"), expected_base=Decimal(8142)), 91, False),
        (MarketBuy(Decimal("17.95"), expected_base=Decimal(8547)), 1, True),
        (MarketBuy(Decimal("17.96"), expected_base=Decimal(8552)), 1, False),
        (MarketBuy(Decimal("16.24"), expected_base=Decimal(7733)), 1, False),
        (MarketSell(Decimal(8142), expected_quote=Decimal("17.10")), 1, False),
    ],
)
def test_a_tap_covers_the_deal_the_person_saw_while_it_is_fresh(order, later, covered):
    tap = RunRequest("tap-1", Side.BUY, Decimal("17.10"), expires_at=START + timedelta(seconds=90))

    assert tap.covers(order, now=START + timedelta(seconds=later)) is covered


def test_a_tap_on_a_small_deal_allows_a_few_cents():
    tap = RunRequest("tap-1", Side.BUY, Decimal("1.20"), expires_at=START)

    assert tap.covers(MarketBuy(Decimal("1.30"), expected_base=Decimal(619)), now=START)
    assert not tap.covers(MarketBuy(Decimal("1.31"), expected_base=Decimal(623)), now=START)


# What the chat is told of it


def test_a_settled_buy_is_told_with_what_was_asked_and_what_came():
    filled = intent(
        execution=execution(base=8142, quote="16.30"),
        fees=Fees({USDT: Decimal("0.00815")}),
        quote_after="40.79",
    )

    told = trade_settled(filled, late=True)

    assert (told.base_quantity, told.quote_amount) == (Decimal(8142), Decimal("16.30"))
    assert told.asked_quote == Decimal("17.10")
    assert told.fees == {USDT: Decimal("0.00815")}
    assert (told.quote_before, told.quote_after) == (Decimal("57.10"), Decimal("40.79"))
    assert told.late


def test_a_settled_sell_is_told_with_what_it_was_to_bring():
    told = trade_settled(intent(side=Side.SELL, execution=execution()), late=False)

    assert told.asked_quote == Decimal("17.10")
    assert told.fees is None
    assert told.quote_after is None


@pytest.mark.parametrize(
    ("asset", "fee", "possible"),
    [
        ("USDT", "0.0095", True),
        ("USDT", "0", True),
        ("USDT", "1000000000", False),
        ("MNTL", "4.7", True),
        ("MNTL", "9514", False),
        ("MX", "1000000000", True),  # what one costs is not known here
    ],
)
def test_a_fee_as_large_as_the_trade_is_none(asset: str, fee: str, possible: bool):
    fees = Fees({Asset(asset): Decimal(fee)})
    filled = Execution(Decimal(9514), Decimal("19.05"))

    assert can_be_of(filled, fees, symbol=Symbol("MNTLUSDT")) is possible


# With a price


def priced(**changes: Any) -> PricedTerms:
    values: dict[str, Any] = {
        "order_type": OrderType.IOC,
        "price": Decimal("0.00202"),
        "base_quantity": Decimal(8521),
        "average": Decimal("0.002006621"),
    }
    return PricedTerms(**(values | changes))


@pytest.mark.parametrize("side", Side)
def test_an_order_with_a_price_is_sent_for_its_base_quantity(side: Side):
    terms = priced(base_quantity=Decimal(8142))
    request = OrderRequest.of(intent(side=side, priced=terms, sent_at=START))

    assert (request.order_type, request.price) == (OrderType.IOC, terms.price)
    assert (request.base_quantity, request.quote_amount) == (terms.base_quantity, None)


def test_a_sell_has_one_quantity():
    with pytest.raises(ValueError, match="one quantity"):
        intent(side=Side.SELL, priced=priced())


@pytest.mark.parametrize(
    "changes", [{"order_type": OrderType.MARKET}, {"price": Decimal(0)}, {"average": Decimal(-1)}]
)
def test_no_terms_without_a_price(changes: dict[str, Any]):
    with pytest.raises(ValueError, match="price"):
        priced(**changes)


def test_the_limits_count_all_that_a_buy_may_spend():
    assert intent(priced=priced()).most_quote == Decimal("17.21242")
    assert intent(expected_quote="17.10").most_quote == Decimal("17.10")
