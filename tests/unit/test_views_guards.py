"""Limits and the halt in words: what holds, what is used, what a change leads to."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.interaction.message import Message
from bot.parsing.settings import parse_limits
from bot.views.access import welcome_view
from bot.views.alerts.alerts import alert_view
from bot.views.components.badges import badge
from bot.views.components.layout import lines
from bot.views.components.no_trade_reasons import reason_advice, reason_text
from bot.views.halt import (
    halt_usage_view,
    halted_view,
    lifted_view,
    no_resume_in_a_halt_view,
    no_trade_in_a_halt_view,
    not_the_owner_view,
)
from bot.views.limits import limits_changed_view, limits_view
from bot.views.pause_resume import paused_view
from bot.views.rebalance_plan import plan_view
from bot.views.status import status_view
from bot.views.why import why_view
from engine.domain.accounts.account import Account, Halt
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.accounts.risk_limits import Limits, Recent
from engine.domain.alerts.alerts import Halted, HaltLifted, IncidentAlert
from engine.domain.orders.order import Trigger
from engine.domain.rebalancing.check_result import BalanceSnapshot, CheckResult, NoTrade
from engine.domain.rebalancing.planner import LimitKind, MarketBuy, OverLimit, Plan
from engine.rebalancing.preview import Outlook
from tests.builders import MNTLUSDT, account, forecast_of, holdings, intent, rules, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

D = Decimal
NOTHING_YET = Recent()
HALT = Halt(at=START, user_id=1001)
HALTED = account(halted=True)
OVER = {
    LimitKind.ORDER: OverLimit(LimitKind.ORDER, asked=D("9960.00"), allowed=D(1000)),
    LimitKind.DAY: OverLimit(LimitKind.DAY, asked=D("60.50"), allowed=D(100), used=D(80)),
    LimitKind.HOUR: OverLimit(LimitKind.HOUR, asked=D(1), allowed=D(60), used=D(60)),
    LimitKind.JUMP: OverLimit(LimitKind.JUMP, asked=D("0.3104"), allowed=D("0.2")),
    LimitKind.SLIP: OverLimit(LimitKind.SLIP, asked=D("1.5"), allowed=D("0.2")),
}
limits = st.builds(
    Limits,
    order=st.none() | st.decimals(min_value="0.01", max_value=10**10, places=2),
    day=st.none() | st.decimals(min_value="0.01", max_value=10**10, places=2),
    orders_per_hour=st.none() | st.integers(1, 3600),
    move=st.none() | st.decimals(min_value="0.01", max_value=1, places=4),
)


def buttons(view: Message) -> list[str]:
    if view.keyboard is None:
        return []
    return [button.text for row in view.keyboard.inline_keyboard for button in row]


def a_look(held: str) -> CheckResult:
    return CheckResult(
        at=START,
        trigger=Trigger.INTERVAL,
        target=D(40),
        band=settings().fixed_goal.band,
        verdict=NoTrade(OVER[LimitKind.ORDER]),
        seen=BalanceSnapshot.of(settings(), holdings(usdt=held), None),
    )


def changed(who: Account, *, held: str | None = None, **how: Any) -> str:
    values: dict[str, Any] = {"changed": True, "recent": NOTHING_YET} | how
    look = None if held is None else a_look(held)
    outlook = Outlook(look=look, rules=values.pop("rules", rules()))
    return check_message(limits_changed_view(account=who, now=START, outlook=outlook, **values))


def test_the_limits_stand_in_a_block_with_what_is_used_of_them():
    recent = Recent(turnover=D("17.10"), orders=1)

    view = limits_view(account=account(), recent=recent, rules=rules())

    assert check_message(view).split("\n\n")[:2] == [
        "🟢 LIVE · Limits",
        lines(
            "Order    1,000.00 USDT (auto)",
            "Day      5,000.00 USDT (auto)",
            "         17.10 USDT used",
            "Hour     60 orders (auto)",
            "         1 used",
            "Price    moves 20% (auto)",
        ),
    ]
    assert buttons(view) == [
        *(f"/limits order {n}" for n in (200, 500, 2000, 5000)),
        *("/status", "/why"),
    ]


def test_who_may_not_set_limits_is_offered_none():
    chosen = Limits(order=D(500))
    view = limits_view(
        account=account(limits=chosen), recent=NOTHING_YET, rules=None, may_set=False
    )

    assert buttons(view) == ["/status", "/why"]


@pytest.mark.parametrize("text", ["order500", "hour20", "price15%", "day2000"])
def test_a_limit_may_be_typed_without_the_blank_after_its_name(text: str):
    name = text.rstrip("0125%")

    assert parse_limits(text) == parse_limits(text.replace(name, f"{name} "))


def test_limits_that_were_set_can_be_made_automatic_with_a_tap():
    chosen = Limits(order=D(500), day=D(2000), orders_per_hour=1, move=D("0.155"))

    view = limits_view(account=account(limits=chosen), recent=NOTHING_YET, rules=None)

    assert "Order    500.00 USDT\n" in check_message(view)
    assert "Hour     1 order\n" in check_message(view)
    assert "Price    moves 15.5%" in check_message(view)
    assert buttons(view)[-3] == "/limits auto"


@given(limits, st.decimals(min_value=0, max_value=10**12, places=2), st.integers(0, 10**6))
def test_limits_of_any_size_fit_a_phone(chosen: Limits, turnover: Decimal, orders: int):
    recent = Recent(turnover=turnover, orders=orders)

    check_message(
        limits_view(account=account(limits=chosen), recent=recent, rules=rules(min_notional=5))
    )


def test_a_change_says_what_the_next_check_would_do():
    enough = changed(account(limits=Limits(order=D("17.10"))), held="57.10")
    too_little = changed(account(limits=Limits(order=D(17))), held="57.10")

    assert enough.startswith("🟢 LIVE · Limits set")
    assert "Next check: I buy MNTL for about 17.10 USDT." in enough
    assert "Next check: I send nothing. Blocked by your limit: the order would be 17.10 USDT" in (
        too_little
    )
    assert "I read your balance" in changed(account())


def test_the_same_again_is_told_as_no_change():
    assert changed(account(), changed=False).startswith("🟢 LIVE · Nothing changed")


@pytest.mark.parametrize(
    ("chosen", "warning"),
    [
        (Limits(order=D(1)), "Nothing can trade: your limit is 1.00 USDT."),
        (Limits(day=D("1.09")), "MEXC's smallest order for MNTL/USDT is 1.10 USDT."),
        (Limits(day=D(900)), "No order over 900.00 USDT can leave"),
        (Limits(move=D("0.04")), "MEXC fills orders up to 5% from the last price."),
    ],
)
def test_a_limit_that_is_in_its_own_way_is_said_at_once(chosen: Limits, warning: str):
    assert warning in changed(account(limits=chosen))


@pytest.mark.parametrize(
    "chosen", [Limits(), Limits(order=D("1.10")), Limits(day=D(1000)), Limits(move=D("0.05"))]
)
def test_a_limit_that_works_has_no_warning(chosen: Limits):
    assert "⚠️" not in changed(account(limits=chosen))


@pytest.mark.parametrize(
    ("kind", "words", "advice"),
    [
        (LimitKind.ORDER, "the order would be 9,960.00 USDT, you allow 1,000.00.", "order 9960"),
        (LimitKind.DAY, "80.00 USDT were traded in the last 24 h", "day 141"),
        (LimitKind.HOUR, "60 orders were sent in the last hour, you allow 60.", "hour"),
        (LimitKind.JUMP, "31% away from the one I saw last, you allow 20%", "price"),
        (LimitKind.SLIP, "150% away from the middle price, you allow 20%", "price"),
    ],
)
def test_each_limit_says_its_numbers_and_how_to_raise_it(kind: LimitKind, words: str, advice: str):
    reason = OVER[kind]

    assert words in reason_text(reason, symbol=MNTLUSDT)
    assert f"/limits {advice}" in reason_advice(reason, symbol=MNTLUSDT)


def test_one_order_is_no_plural():
    only = OverLimit(LimitKind.HOUR, asked=D(1), allowed=D(1), used=D(1))

    assert "1 order was sent in the last hour, you allow 1." in reason_text(only, symbol=MNTLUSDT)


@pytest.mark.parametrize("kind", LimitKind)
def test_a_limit_that_was_broken_is_told_by_the_alert_by_why_and_by_the_plan(kind: LimitKind):
    words = reason_text(OVER[kind], symbol=MNTLUSDT)
    look = CheckResult(
        at=START,
        trigger=Trigger.INTERVAL,
        target=D(40),
        band=settings().fixed_goal.band,
        verdict=NoTrade(OVER[kind]),
    )
    told = IncidentAlert(
        dry_run=False,
        kind=IncidentKind.BLOCKED,
        detail="OverLimit",
        count=1,
        since=START,
        at=START,
        symbol=MNTLUSDT,
        reason=OVER[kind],
    )
    plan = Plan(D("57.10"), reason=OVER[kind])

    assert words in check_message(alert_view(told))
    assert words in check_message(why_view(account=account(), now=START, look=look))
    assert words in check_message(
        plan_view(account=account(), plan=plan, rules=rules(), forecast=None, confirmation_id=None)
    )


@pytest.mark.parametrize(("detail", "worse"), [("0.3097", "31%"), ("", "far")])
def test_a_bad_fill_says_by_how_much_and_that_trading_is_paused(detail: str, worse: str):
    told = IncidentAlert(
        dry_run=False,
        kind=IncidentKind.BAD_FILL,
        detail=detail,
        count=1,
        since=START,
        at=START,
        symbol=MNTLUSDT,
        paused=True,
    )

    text = check_message(alert_view(told))

    assert f"was filled {worse} worse than the price I had seen" in text
    assert "Trading is paused for this chat." in text
    assert "To go on: /resume" in text


@pytest.mark.parametrize(
    ("changes", "mode"),
    [
        ({}, "🛑 HALTED"),
        ({"dry_run": True}, "🛑 HALTED (dry run)"),
        ({"paused": True}, "🛑 HALTED"),
    ],
)
def test_a_halt_is_the_mode_whatever_else_the_chat_is(changes: Any, mode: str):
    assert badge(account(halted=True, settings=settings(**changes))) == mode


def test_the_halt_says_what_it_stops_and_how_it_is_lifted():
    view = halted_view(halt=HALT, already=False, now=START)

    text = check_message(view)

    assert text.startswith("🛑 HALTED · Everything is halted\nNo order leaves from now on")
    assert "may still be filled" not in text
    assert buttons(view) == ["Lift the halt"]


def test_orders_that_left_before_the_halt_are_named():
    one = halted_view(halt=HALT, already=False, now=START, under_way=(intent(),))
    two = halted_view(halt=HALT, already=False, now=START, under_way=(intent(), intent()))

    assert (
        "One order of about 17.10 USDT was sent before and may still be filled."
        in check_message(one)
    )
    assert "2 orders were sent before and may still be filled." in check_message(two)


def test_a_second_halt_says_since_when():
    view = halted_view(halt=HALT, already=True, now=START + timedelta(minutes=5))

    assert "Halted already, 5m ago" in check_message(view)


def test_lifting_says_how_the_chat_stands_now():
    lifted = check_message(lifted_view(account=account(), was_halted=True))
    nothing = check_message(lifted_view(account=account(), was_halted=False))

    assert lifted.startswith("🟢 LIVE · The halt is lifted")
    assert "What was paused stays paused." in lifted
    assert nothing.startswith("🟢 LIVE · There is no halt\nNothing changed.")


def test_who_may_not_halt_is_pointed_to_the_pause():
    view = not_the_owner_view(account=account())

    assert "Only my owner can halt" in check_message(view)
    assert buttons(view) == ["Pause"]
    assert "/halt off" in check_message(halt_usage_view())


@pytest.mark.parametrize(
    ("paused", "words"),
    [(True, "Send /resume after the halt."), (False, "After the halt this chat trades again")],
)
def test_resuming_in_a_halt_changes_nothing_and_says_who_can(paused: bool, words: str):
    who = account(halted=True, settings=settings(paused=paused))

    text = check_message(no_resume_in_a_halt_view(account=who))

    assert text.startswith("🛑 HALTED · Nothing changed")
    assert "Only my owner can lift that" in text
    assert words in text


def test_a_pause_in_a_halt_offers_no_resume_that_would_not_work():
    view = paused_view(account=HALTED, already=False)

    assert "It stays paused when the halt is lifted, too." in check_message(view)
    assert buttons(view) == []


def test_status_plan_welcome_and_taps_say_that_all_is_halted():
    plan = Plan(D("57.10"), order=MarketBuy(D("17.10"), D(8142)))
    plan, comes_to = forecast_of(plan)
    shown = plan_view(
        account=HALTED, plan=plan, rules=rules(), forecast=comes_to, confirmation_id=None
    )
    status = check_message(status_view(account=HALTED, now=START))

    assert "Next     nothing while halted" in status
    assert "The owner halted all chats" in status
    assert "The owner halted all chats" in check_message(shown)
    assert buttons(shown) == []
    assert "No order was sent" in check_message(no_trade_in_a_halt_view(account=HALTED))
    assert "The owner halted all" in check_message(welcome_view(account=HALTED, just_let_in=False))


@pytest.mark.parametrize(
    ("alert", "words"),
    [
        (Halted(dry_run=False), "🛑 HALTED · My owner halted all chats"),
        (Halted(dry_run=True), "🛑 HALTED (dry run) · "),
        (
            Halted(dry_run=False, expected_quote=D("17.10")),
            "about 17.10 USDT was sent before and may still be",
        ),
        (
            HaltLifted(dry_run=False, paused=False),
            "🟢 LIVE · The halt is lifted\nTrading goes on in",
        ),
        (HaltLifted(dry_run=True, paused=False), "🧪 DRY RUN · The halt is lifted"),
        (HaltLifted(dry_run=False, paused=True), "⏸ PAUSED · The halt is lifted"),
        (HaltLifted(dry_run=True, paused=True), "⏸ PAUSED (dry run) · The halt is lifted"),
    ],
)
def test_the_other_chats_hear_of_the_halt_and_of_its_end(alert: Halted | HaltLifted, words: str):
    assert words in check_message(alert_view(alert))
