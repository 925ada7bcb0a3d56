"""A trade over time on a phone: the plan, how far it is, and how it ended."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.interaction.message import Message
from bot.views.alerts.alerts import alert_view
from bot.views.components.times import times_in
from bot.views.history import history_view
from bot.views.slices import (
    slices_begun_view,
    slices_plan_view,
    slices_running_view,
    slices_stopped_view,
)
from bot.views.status import status_view
from engine.domain.alerts.slices_alerts import SlicedTradeOver
from engine.domain.execution.slices import SlicesEnd
from engine.domain.market.pairs import USDT, Side
from engine.domain.orders.order import OrderState
from engine.domain.rebalancing.manual_trade import ManualTrade
from engine.domain.rebalancing.planner import LimitKind, OverLimit
from engine.domain.rebalancing.slices.plan import SlicesOffer, SlicesSized
from engine.domain.rebalancing.slices.run import SlicesDone, SlicesProgress
from engine.rebalancing.slices_preview import SlicesPreview
from tests.builders import MNTLUSDT, account, execution, intent, rules, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message
from tests.unit.test_sliced_trade import forecast_for, run
from tests.unit.test_views_manual_trade import MOST_LINES, labels

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
HOUR = timedelta(hours=1)


def plan(
    trade: ManualTrade, *, halted: bool = False, asked: int | None = None, **says: Any
) -> Message:
    owner = account(halted=halted, settings=settings(paused=says.pop("paused", False)))
    cut, comes_to = forecast_for(trade)
    preview = SlicesPreview(
        account=owner,
        held=D(500),
        rules=rules(),
        sized=SlicesSized(cut.trade, cut.least, None if asked is None else D(asked)),
        forecast=comes_to,
        offer=SlicesOffer(trade=trade, span=HOUR, price=D("0.002"), version=1, **says),
        day_left=D(4600),
    )
    return slices_plan_view(
        preview=preview,
        side=trade.side,
        span=HOUR,
        now=START,
        confirmation_id=None if halted else "q-1",
    )


SELLS, BUYS = ManualTrade(SELL, quote_amount=D(500)), ManualTrade(BUY, quote_amount=D(60))


@pytest.mark.parametrize(
    ("view", "said", "buttons"),
    [
        (plan(SELLS), "Then trading goes on as before.", ["Sell"]),
        (
            plan(SELLS, pauses=True, target=D("540.5")),
            "Target 40.00 would buy it back. The first button pauses trading at the end, the",
            ["Sell, then pause", "Sell, then target 540.5"],
        ),
        (plan(BUYS, pauses=True), "So trading pauses at the end.", ["Buy, then pause"]),
        (
            plan(BUYS, paused=True, target=D(20)),
            "After the pause, target 40.00 sells it again. The second button",
            ["Buy", "Buy, then target 20"],
        ),
        (plan(BUYS, paused=True), "Your tap sends these slices alone.", ["Buy"]),
        (plan(ManualTrade(SELL, share=D(1))), "slices of about 41,666 MNTL each", ["Sell"]),
        (plan(SELLS, asked=600), "of 600.00 USDT no more is free.", ["Sell"]),
        (plan(SELLS, halted=True), "halted", []),
    ],
)
def test_a_plan_says_what_happens_and_what_becomes_of_trading_by_each_button(view, said, buttons):
    text = check_message(view)

    assert said in text
    assert labels(view) == buttons
    assert len(text.splitlines()) <= MOST_LINES


def test_a_plan_has_sizes_times_in_the_chats_zone_the_limit_and_the_cost():
    with times_in("Europe/Berlin"):
        text = check_message(plan(SELLS))

    lines = text.splitlines()
    assert lines[0] == "🟢 LIVE · Sell MNTL over 1h?"
    assert lines[1] == "12 slices of about 41.66 USDT each"
    assert lines[2] == "First now, last 13:55, over by 14:00 (Europe/Berlin)."
    assert lines[3] == "In all 500.00 USDT at about 0.002."
    assert lines[4].startswith("It costs about 12.")
    assert lines[4].endswith("Your day's limit has 4,600.00 USDT left.")


def test_no_plan_says_which_limit_and_what_would_allow_it():
    over = OverLimit(LimitKind.DAY, asked=D(500), allowed=D(600), used=D(200))
    preview = SlicesPreview(account=account(), held=D(40), rules=rules(), reason=over)
    text = check_message(
        slices_plan_view(preview=preview, side=SELL, span=HOUR, now=START, confirmation_id=None)
    )

    assert "No slice was sent." in text
    assert "/limits day 700" in text


TRADED = SlicesDone(
    orders=1, base_quantity=D(5000), quote_amount=D(10), fees={USDT: D("0.005")}, cost=D("0.02")
)
RUNNING = SlicesProgress(run(last=1), TRADED)


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ({}, "Then trading goes on as before."),
        ({"pauses": True}, "At the end trading pauses. /resume starts it again."),
        ({"target": D(70)}, "the target becomes 70.00 USDT. If it ends early, trading pauses."),
    ],
)
def test_after_the_tap_it_says_what_the_end_does_and_how_to_stop(end, said):
    view = slices_begun_view(account=account(), run=run(**end), now=START)
    text = check_message(view)

    assert "You tapped: sell MNTL for 30.00 USDT in 3 slices until 12:15." in text
    assert said in text
    assert "/sell stop" in text
    assert len(text.splitlines()) <= MOST_LINES


def test_another_plan_is_answered_with_how_far_it_is():
    text = check_message(slices_running_view(account=account(), progress=RUNNING))

    assert "1 of 3 slices are over." in text
    assert "Sold 5,000 MNTL for 10.00 USDT so far." in text


def test_the_card_shows_the_slices_and_has_a_button_to_stop_the_rest():
    owner = replace(account(), slicing_until=START + timedelta(minutes=15))
    view = status_view(account=owner, now=START, slices=RUNNING)
    text = check_message(view)

    assert "Slices   1 of 3 over, next 12:05" in text
    assert "I trade nothing else until" in text
    assert labels(view)[0] == "Stop the rest"
    viewer = status_view(account=owner, now=START, slices=RUNNING, for_viewer=True)
    assert "Stop the rest" not in labels(viewer)
    assert "/sell stop" not in check_message(viewer)


@pytest.mark.parametrize("stopped", [True, False])
def test_a_stop_says_what_it_did(stopped: bool):
    order = intent(side=SELL) if stopped else None
    view = slices_stopped_view(account=account(), side=SELL, stopped=stopped, unresolved=order)
    text = check_message(view)

    assert ("No further slice leaves from now on." in text) is stopped
    assert ("may still be filled" in text) is stopped


def over(**changes: Any) -> SlicedTradeOver:
    values: dict[str, Any] = {
        "dry_run": False,
        "symbol": MNTLUSDT,
        "side": SELL,
        "end": SlicesEnd.DONE,
        "slices": 12,
        "orders": 12,
        "base_quantity": D(250_000),
        "quote_amount": D("499.80"),
        "fees": {USDT: D("0.25")},
        "fees_complete": True,
        "cost": D("0.61"),
        "left": D("0.003"),
    }
    return SlicedTradeOver(**(values | changes))


@pytest.mark.parametrize("end", SlicesEnd)
@pytest.mark.parametrize("is_none", [True, False])
def test_every_end_says_how_much_at_what_price_what_is_left_and_what_comes_next(
    end: SlicesEnd, is_none: bool
):
    nothing = {"base_quantity": D(0), "quote_amount": D(0), "orders": 0, "fees": {}}
    alert = over(
        end=end, left=D("41.66"), paused=True, dry_run=True, **(nothing if is_none else {})
    )
    text = check_message(alert_view(alert))

    assert "Trading is paused. /resume starts it again." in text
    assert len(text.splitlines()) <= MOST_LINES
    if not is_none:
        assert "for 499.80 USDT at 0.001999. 12 of 12 slices traded." in text
        assert (
            "It cost 0.61 USDT against the prices that I saw, with the fee of 0.25 USDT." in text
        )
        assert "Not traded: 41.66 USDT" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "Trading goes on: the next check decides what your target needs."),
        ({"by_itself": False}, "I trade only what you tap."),
        ({"target": D(540)}, "The target is 540.00 USDT now. Trading goes on."),
        ({"halted": True, "paused": True}, "All trading is halted by the owner."),
        ({"in_base": True, "left": D(4000)}, "Not traded: 4,000 MNTL, too little for an order."),
        ({"side": BUY, "fees": {}, "fees_complete": False}, "Fee not known yet."),
    ],
)
def test_what_comes_next_is_what_was_stored(change, said):
    assert said in check_message(alert_view(over(**change)))


def test_the_history_names_the_slice():
    order = intent(
        side=SELL, state=OrderState.FILLED, execution=execution(), slice_number=3, slices=12
    )
    view = history_view(account=account(), events=[order], page=0, size=5, has_more=False)

    assert "  slice 3 of 12" in check_message(view)
