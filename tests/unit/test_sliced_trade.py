"""A trade over time: how it is cut for the market, what it comes to, and what its end changes."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from bot.access.permissions import needed_for, only_looks
from bot.interaction.update_kind import UpdateKind, started_by
from engine.domain.accounts.members import Role
from engine.domain.accounts.risk_limits import Limits, Recent
from engine.domain.execution.slices import SlicesEnd, sliced
from engine.domain.market.pairs import USDT, Side
from engine.domain.orders.order import Execution, Fees, OrderState
from engine.domain.rebalancing.manual_trade import ManualTrade, plan_manual
from engine.domain.rebalancing.planner import (
    LimitKind,
    MarketSell,
    NothingFree,
    OverLimit,
    UnderMinimum,
)
from engine.domain.rebalancing.run_request import kept_by
from engine.domain.rebalancing.slices.plan import (
    SlicesForecast,
    SlicesOffer,
    SlicesSized,
    forecast_slices,
    size_slices,
    slices_over_limit,
)
from engine.domain.rebalancing.slices.run import (
    SlicedRun,
    SlicesDone,
    done_by,
    plan_of,
    slice_trade,
)
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import FixedUsdt
from tests.builders import MNTL, account, book, forecast_of, holdings, intent, rules, settings
from tests.fakes.clock import START
from tests.unit.test_planner_properties import amounts

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
HOUR = timedelta(hours=1)
LIMITS = Limits().for_target(D(40))


def sized(trade: ManualTrade, *, span: timedelta = HOUR, **others: Any) -> Any:
    limits, wishes = others.pop("limits", LIMITS), others.pop("wishes", {})
    return size_slices(
        trade,
        span=span,
        now=START,
        holdings=holdings(**({"usdt": 500, "mntl": 500_000} | others)),
        rules=rules(),
        book=book(),
        settings=settings(**wishes),
        limits=limits,
    )


def test_slices_are_five_minutes_apart_and_as_many_as_the_smallest_order_allows():
    hour, small = (
        sized(ManualTrade(SELL, quote_amount=D(500))),
        sized(ManualTrade(BUY, share=D(1))),
    )
    few = sized(ManualTrade(SELL, quote_amount=D(5)))

    assert hour.trade.amounts == (*[D("41.66")] * 11, D("41.74"))
    assert (small.trade.side, len(small.trade.amounts), small.trade.in_base) == (BUY, 12, False)
    assert few.trade.amounts == (D("1.66"), D("1.66"), D("1.68"))


def test_a_limit_of_orders_an_hour_makes_fewer_slices():
    limits = Limits(orders_per_hour=4).for_target(D(40))

    assert len(sized(ManualTrade(SELL, quote_amount=D(500)), limits=limits).trade.amounts) == 4


def test_a_share_of_the_tokens_is_cut_in_tokens_and_sold_to_the_last():
    found = sized(ManualTrade(SELL, share=D(1)), mntl="100000.7")

    assert found.trade.in_base
    assert found.trade.total == D(100_000)
    assert found.trade.amounts[0] == D(8333)
    first = slice_trade(found.trade, found.trade.amounts[0])
    order = plan_manual(
        first, holdings=holdings(), settings=settings(), rules=rules(), book=book()
    ).order
    assert isinstance(order, MarketSell)
    assert order.base_quantity == D(8333)


def test_no_more_is_cut_than_is_free_and_that_is_known():
    found = sized(ManualTrade(SELL, quote_amount=D(500)), mntl=100_000)

    assert found.asked == D(500)
    assert found.trade.total == D("199.90")  # 100,000 at 0.002, less the fee


@pytest.mark.parametrize(
    ("trade", "held", "reason"),
    [
        (ManualTrade(SELL, quote_amount=D(2)), {}, UnderMinimum(SELL, D(1), D("1.38"))),
        (ManualTrade(SELL, quote_amount=D(50)), {"mntl": 700}, NothingFree(SELL, D(700), D(0))),
        (ManualTrade(BUY, quote_amount=D(50)), {"usdt": 2}, NothingFree(BUY, D(2), D(0))),
    ],
)
def test_what_cannot_be_cut_in_two_is_not_cut(trade, held, reason):
    assert sized(trade, **held) == reason


@given(amounts("0.01", "1e6", places=2), amounts("0", "1e6", places=2))
def test_whatever_is_asked_each_slice_is_at_least_the_smallest_order_and_all_are_free(asked, usdt):
    found = sized(ManualTrade(BUY, quote_amount=asked), usdt=usdt)

    if isinstance(found, SlicesSized):
        assert min(found.trade.amounts) >= found.least
        assert found.trade.total <= min(asked, usdt)
        assert 2 <= len(found.trade.amounts) <= 12


def forecast_for(trade: ManualTrade) -> tuple[SlicesSized, SlicesForecast]:
    cut = sized(trade)
    first = slice_trade(cut.trade, cut.trade.amounts[0])
    plan = plan_manual(
        first,
        holdings=holdings(usdt=500, mntl=500_000),
        settings=settings(),
        rules=rules(),
        book=book(),
    )
    plan, comes_to = forecast_of(plan)
    assert plan.order is not None
    assert comes_to is not None
    return cut, forecast_slices(cut.trade, plan.order, comes_to, held=D(500), book=book())


def test_the_forecast_is_that_of_the_first_slice_times_all_of_them():
    _, comes_to = forecast_for(ManualTrade(SELL, quote_amount=D(500)))

    assert comes_to.held_after == D(1000)
    assert comes_to.average_price == D("0.002")
    # The middle is 2.5 % above the bid, and the fee 0.05 %.
    assert D("12.7") < comes_to.cost < D("12.9")


def test_the_limits_are_held_against_the_largest_slice_and_against_all_of_them():
    cut, comes_to = forecast_for(ManualTrade(SELL, quote_amount=D(500)))

    def over(used: int = 0, **limits: Any) -> OverLimit | None:
        return slices_over_limit(
            cut.trade,
            comes_to,
            limits=Limits(**limits).for_target(D(40)),
            recent=Recent(turnover=D(used)),
        )

    assert over() is None
    order, day = over(order=D(40)), over(used=4600)
    assert order is not None
    assert (order.kind, order.allowed) == (LimitKind.ORDER, D(40))
    assert day is not None
    assert (day.kind, day.used, day.allowed) == (LimitKind.DAY, D(4600), D(5000))


OFFER = SlicesOffer(
    trade=ManualTrade(SELL, quote_amount=D(30)), span=HOUR, price=D("0.002"), version=3
)


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, True),
        ({"price": D("0.0021")}, True),
        ({"price": D("0.00211")}, False),
        ({"version": 4}, False),
        ({"pauses": True}, False),
        ({"target": D(70)}, False),
    ],
)
def test_a_tap_counts_while_the_plan_is_the_one_that_was_shown(change: Any, holds: bool):
    assert OFFER.holds(replace(OFFER, **change)) is holds


def run(**changes: Any) -> SlicedRun:
    trade = sliced(SELL, D(30), span=timedelta(minutes=15), started_at=START, minimum=D("1.38"))
    values: dict[str, Any] = {
        "plan_id": "plan-1",
        "user_id": 1001,
        "symbol": settings().symbol,
        "dry_run": False,
        "trade": trade,
        "least": D("1.38"),
    }
    return SlicedRun(**(values | changes))


TRADED = SlicesDone(base_quantity=D(5000), quote_amount=D(10), fees={})
PAUSED: dict[str, Any] = {"paused": True}
NOTHING: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("said", "done", "end", "held", "changes"),
    [
        ({"pauses": True}, TRADED, SlicesEnd.DONE, D(70), PAUSED),
        ({"pauses": True}, TRADED, SlicesEnd.CANCELLED, None, PAUSED),
        ({"pauses": True}, SlicesDone(fees={}), SlicesEnd.CANCELLED, None, NOTHING),
        ({}, TRADED, SlicesEnd.DONE, D(70), NOTHING),
        ({"target": D(70)}, TRADED, SlicesEnd.DONE, D(69), {"target": FixedUsdt(D(70))}),
        ({"target": D(70)}, TRADED, SlicesEnd.DEADLINE, D(60), PAUSED),
        ({"target": D(70)}, TRADED, SlicesEnd.CANCELLED, D(70), PAUSED),
        ({"target": D(70)}, TRADED, SlicesEnd.PAUSED, None, PAUSED),
    ],
)
def test_the_end_changes_what_was_said_before_the_tap(said, done, end, held, changes):
    assert run(**said).changes(done, end=end, settings=settings(), held=held) == changes


def test_a_target_that_cannot_be_an_amount_of_usdt_is_not_offered_and_pauses():
    points = replace(settings(), threshold=Threshold(points=D("0.05")))
    owner = account(settings=points)

    assert kept_by(owner, SELL, held_after=D(70)) == (True, None)
    done = run(target=D(70)).changes(TRADED, end=SlicesEnd.DONE, settings=points, held=D(70))
    assert done == PAUSED


def test_slices_add_up_and_cost_what_they_lost_against_the_prices_seen():
    filled = intent(
        side=SELL,
        state=OrderState.FILLED,
        price=D("0.002"),
        execution=Execution(D(5000), D("9.9")),
        fees=Fees({USDT: D("0.005"), MNTL: D(1)}),
    )
    unfilled = intent(side=SELL, state=OrderState.UNFILLED, price=D("0.002"))

    done = done_by([filled, filled, unfilled])

    assert (done.orders, done.base_quantity, done.quote_amount) == (2, D(10_000), D("19.8"))
    assert done.fees == {USDT: D("0.010"), MNTL: D(2)}
    assert done.cost == D("0.210")
    assert done.of(run().trade) == D("19.790")


def test_a_slice_that_is_late_has_no_time_that_moves_on_with_the_clock():
    late, due = START + timedelta(minutes=7), START + timedelta(minutes=5)

    assert run(last=1).next_at(START) == due
    assert run(last=1).next_at(late) is None
    assert run(last=3).next_at(START) is None


def test_the_run_of_a_slice_names_its_tap():
    assert plan_of(run().run_id(3)) == "plan-1"
    assert plan_of("tap_-9") == "tap_-9"


def test_stopping_the_rest_starts_nothing_and_changes_something():
    assert started_by(UpdateKind("sell", "stop")) is None
    assert started_by(UpdateKind("sell", "500 usdt over 1h")) == "sell"
    assert (only_looks("sell", "stop"), only_looks("sell", "50% over 1h")) == (False, True)
    assert needed_for("buy", "stop") is Role.TRADER
