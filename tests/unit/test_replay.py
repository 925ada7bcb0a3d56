"""A decision is made again from what is stored of it: the same order, or why there is none."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.accounts.deposits import WaitingDeposit
from engine.domain.accounts.risk_limits import Jump, LimitsInForce, Recent
from engine.domain.execution.bound import ExecutionMode, Slippage
from engine.domain.market.balances import Balance, Counting, Holdings
from engine.domain.market.pairs import Asset, OrderType, Side
from engine.domain.orders.order import Order, PricedTerms
from engine.domain.rebalancing.decision import (
    PLANNER_VERSION,
    REPLAYABLE,
    DecisionInputs,
    Waited,
    allowed,
    wanted,
)
from engine.domain.rebalancing.manual_trade import ManualTrade
from engine.domain.rebalancing.order_factory import terms_of
from engine.domain.rebalancing.planner import OverLimit, ProposedOrder
from engine.domain.rebalancing.replay import (
    NotReplayed,
    Replayed,
    StoredDecision,
    WhyNot,
    replayed,
    shortened,
)
from engine.domain.targets.bands import Threshold
from engine.storage.serialization import from_json, to_short_json
from engine.storage.trading.orders import replay_of
from tests.builders import book, decision_inputs, holdings, intent, rules, settings
from tests.fakes.clock import START
from tests.unit.test_planner_properties import Situation, likely_trades, wild_situations

D = Decimal
GOLDEN = Path(__file__).parents[1] / "storage" / "stored" / "decisions.json"
DEEP = book(
    bids=[(D("0.002") - D(n) / 1_000_000, 1_000) for n in range(100)],
    asks=[(D("0.0021") + D(n) / 1_000_000, 1_000) for n in range(100)],
)
CASES: dict[str, DecisionInputs] = {
    "a buy": decision_inputs(),
    "a sell into many prices": decision_inputs(holdings=holdings(usdt="22.90"), book=DEEP),
    "what is free, and a threshold in USDT": decision_inputs(
        holdings=holdings(usdt="52.10", usdt_locked=5),
        settings=replace(settings(counting=Counting.FREE), threshold=Threshold(quote_amount=D(2))),
    ),
    "a deposit that waits in part": decision_inputs(
        waiting=WaitingDeposit(amount=D(10), until=START, question_id="q-1")
    ),
    "inside the band, asked for": decision_inputs(
        holdings=holdings(usdt="41.50"), ignore_band=True
    ),
    "after a jump, among other orders": decision_inputs(
        recent=Recent(
            turnover=D("120.07"),
            orders=3,
            price=D("0.0019"),
            last=D("0.002"),
            jump=Jump(START, D("0.0019")),
        )
    ),
    "a trade by hand for an amount": decision_inputs(
        trade=ManualTrade(Side.SELL, quote_amount=D(5)), ignore_band=True, book=DEEP
    ),
    "a trade by hand of a share": decision_inputs(
        trade=ManualTrade(Side.SELL, share=D("0.25")),
        rules=rules(taker_fee_rate="0", quantity_step="0.1"),
    ),
    "a buy at a bound": decision_inputs(
        settings=settings(execution=ExecutionMode.AUTO, slippage=Slippage(D("0.03"))),
        order_type=OrderType.IOC,
        book=DEEP,
    ),
    "a sell at a bound, for part of it": decision_inputs(
        holdings=holdings(usdt="22.90"),
        settings=settings(execution=ExecutionMode.AUTO, slippage=Slippage(D("0.026"))),
        order_type=OrderType.IOC,
        book=DEEP,
    ),
    "a buy beyond its bound, after a wait": decision_inputs(
        settings=settings(execution=ExecutionMode.AUTO),
        order_type=OrderType.IOC,
        book=DEEP,
        waited=Waited(START, START + timedelta(hours=1), D("0.00205")),
    ),
}


def order_of(inputs: DecisionInputs) -> ProposedOrder:
    order = allowed(wanted(inputs), inputs).order
    assert order is not None
    return order


def placed(inputs: DecisionInputs) -> Order:
    return intent(**terms_of(order_of(inputs), inputs))


def stored(inputs: DecisionInputs, /, **changes: Any) -> str:
    """As it stands in the row of its order."""
    decision = StoredDecision(PLANNER_VERSION, shortened(inputs, order_of(inputs)))
    return json.dumps(json.loads(to_short_json(decision)) | changes)


@pytest.mark.parametrize("case", CASES)
def test_a_stored_decision_gives_the_same_order_again(case: str):
    replay = replay_of(placed(CASES[case]), stored(CASES[case]))

    assert isinstance(replay, Replayed)
    assert replay.is_same, replay


@given(st.one_of(likely_trades(), wild_situations))
def test_whatever_is_planned_is_planned_again_from_less(situation: Situation):
    inputs = decision_inputs(
        holdings=situation.holdings,
        settings=situation.settings,
        rules=situation.rules,
        book=situation.book,
        ignore_band=situation.ignore_band,
        limits=LimitsInForce(order=D("1e15"), day=D("1e15"), orders_per_hour=60, move=D(1)),
    )
    order = allowed(wanted(inputs), inputs).order
    if order is None:
        return
    short = from_json(to_short_json(shortened(inputs, order)), DecisionInputs)
    replay = replayed(placed(inputs), short)

    assert replay.is_same
    assert replay.plan.order == order


def test_no_more_is_stored_than_the_order_needs():
    wealth = {Asset(f"T{n}"): Balance(D(1)) for n in range(500)}
    account = holdings(usdt="57.10")
    full = decision_inputs(
        holdings=Holdings({**account.balances, **wealth}, account.read_at), book=DEEP
    )

    short = shortened(full, order_of(full))

    assert (len(short.book.bids), len(short.book.asks)) == (1, 16)
    assert len(short.holdings.balances) == 2
    assert len(stored(decision_inputs())) < 800
    assert len(stored(full)) < 1500


def test_an_input_that_was_changed_gives_another_order():
    text = stored(decision_inputs()).replace('"57.1"', '"58.1"')

    replay = replay_of(placed(decision_inputs()), text)

    assert isinstance(replay, Replayed)
    assert not replay.is_same


def test_inputs_that_allow_no_order_are_not_the_same():
    before = decision_inputs(recent=Recent(orders=60))

    replay = replayed(placed(decision_inputs()), before)

    assert not replay.is_same
    assert isinstance(replay.plan.reason, OverLimit)


def test_an_order_of_another_planner_says_so_even_if_the_rest_is_strange():
    text = stored(decision_inputs(), planner=PLANNER_VERSION + 1, inputs={"basket": []})
    order = placed(decision_inputs())

    assert replay_of(order, text) == NotReplayed(order, WhyNot.OTHER_PLANNER, PLANNER_VERSION + 1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, WhyNot.NOT_STORED),
        ("{", WhyNot.UNREADABLE),
        ('{"planner":1,"inputs":{}}', WhyNot.UNREADABLE),
    ],
)
def test_an_order_without_sound_inputs_is_not_replayed(text: str | None, why: WhyNot):
    assert replay_of(intent(), text) == NotReplayed(intent(), why)


def test_shortening_keeps_the_wait_and_drops_its_buttons():
    inputs = CASES["a deposit that waits in part"]

    short = shortened(inputs, order_of(inputs))

    assert short.waiting == WaitingDeposit(amount=D(10), until=START, question_id="")
    assert short.settings.interval == timedelta(minutes=2)


@pytest.mark.parametrize("case", CASES)
def test_decisions_stored_by_a_release_give_the_same_plan_in_this_one(case: str):
    """If this fails, the planner decides otherwise than before: raise PLANNER_VERSION, and add
    today's decisions to the file beside the old ones.
    """
    for row in json.loads(GOLDEN.read_text(encoding="utf-8"))[case]:
        terms = {
            name: Side(value) if name == "side" else value for name, value in row["order"].items()
        }
        if "priced" in terms:
            terms["priced"] = from_json(json.dumps(terms["priced"]), PricedTerms)
        replay = replay_of(intent(**terms), json.dumps(row["decision"]))

        if row["decision"]["planner"] in REPLAYABLE:
            assert isinstance(replay, Replayed)
            assert replay.is_same, replay
        else:
            assert isinstance(replay, NotReplayed)
            assert replay.why is WhyNot.OTHER_PLANNER
