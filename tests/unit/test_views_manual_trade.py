"""The plan of a trade by hand on a phone: what happens, what becomes of trading, and the buttons."""

from decimal import Decimal
from typing import Any

import pytest

from bot.interaction.message import Message
from bot.views.alerts.alerts import alert_view
from bot.views.manual_trade import (
    manual_accepted_view,
    manual_failed_view,
    manual_form_view,
    manual_outdated_view,
    manual_plan_view,
    other_pair_view,
)
from engine.domain.alerts.alerts import ManualDeclined
from engine.domain.execution.bounded_order import NoOfferNear
from engine.domain.market.pairs import Side, Symbol
from engine.domain.rebalancing.manual_trade import ManualRun, ManualTrade, plan_manual
from engine.domain.rebalancing.planner import LimitKind, NothingFree, OverLimit, Plan, Reason
from engine.domain.rebalancing.run_request import RunRequest, offered
from tests.builders import MNTLUSDT, account, book, forecast_of, holdings, rules, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
MOST_LINES = 8


def shown(trade: ManualTrade, *, halted: bool = False, asks: Any = None, **wishes: Any) -> Message:
    owner = account(halted=halted, settings=settings(**wishes))
    values: dict[str, Any] = {"rules": rules(), "book": asks or book()}
    plan = plan_manual(trade, holdings=holdings(usdt="57.10"), settings=owner.settings, **values)
    plan, comes_to = forecast_of(plan, last_price="0.002", **values)
    assert plan.order is not None
    assert comes_to is not None
    return manual_plan_view(
        account=owner,
        trade=trade,
        plan=plan,
        rules=rules(),
        forecast=comes_to,
        offer=offered(owner, trade, plan.order, comes_to),
        confirmation_id=None if halted else "q-1",
    )


def labels(view: Message) -> list[str]:
    rows = view.keyboard.inline_keyboard if view.keyboard else ()
    return [button.text for row in rows for button in row]


THIN = book(asks=[("0.002002", 5_000), ("0.0025", 900_000)])


@pytest.mark.parametrize(
    ("view", "said", "buttons"),
    [
        (shown(ManualTrade(BUY, quote_amount=D(15))), "Buy about", ["Buy"]),
        (
            shown(ManualTrade(BUY, quote_amount=D(30))),
            "Target 40.00 would sell it again. The first button pauses trading, the",
            ["Buy, then pause", "Buy, then target 27.09"],
        ),
        (
            shown(ManualTrade(SELL, share=D("0.5"))),
            "Target 40.00 would buy it back. The first button pauses trading, the",
            ["Sell, then pause", "Sell, then target 157.05"],
        ),
        (
            shown(ManualTrade(SELL, share=D("0.5")), paused=True),
            "After the pause, target 40.00 buys it back. The second button sets another target.",
            ["Sell", "Sell, then target 157.05"],
        ),
        (
            shown(ManualTrade(BUY, quote_amount=D(5)), paused=True),
            "Your tap sends this one order.",
            ["Buy"],
        ),
        (shown(ManualTrade(BUY, quote_amount=D(5)), halted=True), "halted", []),
        (
            shown(ManualTrade(BUY, quote_amount=D(500)), dry_run=True),
            "You asked for 500.00 USDT. What is free, and MEXC's largest order, allow 57.04 USDT.",
            ["Buy, then pause"],
        ),
        (
            shown(ManualTrade(BUY, quote_amount=D(500))),
            "Target 40.00 would sell it again, so trading pauses with it.",
            ["Buy, then pause"],
        ),
        (shown(ManualTrade(BUY, quote_amount=D(50)), asks=THIN, dry_run=True), "⚠️ Only", ["Buy"]),
    ],
)
def test_a_plan_says_before_the_tap_what_happens(view: Message, said: str, buttons: list[str]):
    text = check_message(view)

    assert said in text
    assert labels(view) == buttons
    assert len(text.splitlines()) <= MOST_LINES


NEAR_NONE = NoOfferNear(
    side=SELL,
    slippage=D("0.01"),
    nearest=D("0.02"),
    offered=D(0),
    minimum=D("1.1"),
    strict=False,
)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (NothingFree(SELL, D(0), D(0)), "Selling needs MNTL"),
        (OverLimit(LimitKind.DAY, D(50), D(100), D("60.5")), "/limits day 111"),
        (OverLimit(LimitKind.JUMP, D("0.3"), D("0.2")), "send /sell again"),
        (NEAR_NONE, "To allow more: /slippage"),
    ],
)
def test_without_an_order_the_reason_and_what_to_do_are_named(reason: Reason, said: str):
    view = manual_plan_view(
        account=account(),
        trade=ManualTrade(SELL, share=D(1)),
        plan=Plan(held=D(40), reason=reason),
        rules=rules(),
        forecast=None,
        offer=None,
        confirmation_id=None,
    )
    declined = alert_view(ManualDeclined(dry_run=False, symbol=MNTLUSDT, side=SELL, reason=reason))

    for text in (check_message(view), check_message(declined)):
        assert said in text
        assert "No order was sent" in text
    assert labels(declined) == ["Sell"]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_every_other_answer_fits_a_phone(side: Side):
    trade = ManualTrade(side, share=D(1))
    runs = [
        ManualRun(trade=trade, version=1, user_id=1, pauses=True),
        ManualRun(trade=trade, version=1, user_id=1, target=D("2.50")),
    ]
    views = [
        manual_form_view(account=account(), side=side, is_listening=True),
        manual_failed_view(account=account(), side=side),
        manual_outdated_view(side=side),
        other_pair_view(account=account(), wanted=Symbol("<X>USDT")),
        *(
            manual_accepted_view(account=account(), run=RunRequest("q", side, D(9), START, run))
            for run in runs
        ),
    ]

    for view in views:
        assert len(check_message(view).splitlines()) <= MOST_LINES
