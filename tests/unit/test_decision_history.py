"""What is worth remembering of the checks, and how it is told later, a line each."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.interaction.message import Message
from bot.views.check_history import earlier_view, with_earlier
from engine.domain.accounts.incidents import IncidentKind
from engine.domain.market.order_book import OrderBook
from engine.domain.market.pairs import Side
from engine.domain.orders.order import ClientOrderId, Trigger
from engine.domain.rebalancing.check_result import (
    AwaitingSettlement,
    BalanceSnapshot,
    CheckFailed,
    CheckResult,
    Decision,
    NoTrade,
    OrderPending,
    OrderPlaced,
    PlanChanged,
)
from engine.domain.rebalancing.decision_history import is_news
from engine.domain.rebalancing.planner import EmptyBook, InsideBand, UnderMinimum
from tests.builders import account, book, holdings, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

D = Decimal
ORDERED = OrderPlaced(ClientOrderId("bl-1"), Side.BUY, D("17.1"))


def small(amount: str) -> NoTrade:
    return NoTrade(UnderMinimum(side=Side.BUY, quote_amount=D(amount), minimum=D(5)))


def look(verdict: Decision, **changes: Any) -> CheckResult:
    seen_book: OrderBook = book()
    values: dict[str, Any] = {
        "at": START,
        "trigger": Trigger.INTERVAL,
        "target": D(40),
        "band": settings().fixed_goal.band,
        "verdict": verdict,
        "seen": BalanceSnapshot.of(settings(), holdings(), seen_book),
    } | changes
    return CheckResult(**values)


def test_the_first_decision_is_news():
    assert is_news(look(small("1")), before=None)


def test_the_same_reason_with_other_amounts_is_not_news():
    later = look(small("2"), at=START + timedelta(minutes=2))

    assert not is_news(later, before=look(small("1")))


@pytest.mark.parametrize(
    "later",
    [
        look(ORDERED),
        look(NoTrade(EmptyBook(Side.BUY))),
        look(PlanChanged(Side.BUY, D(3))),
        look(small("1"), trigger=Trigger.PERSON),
        look(small("1"), target=D(50)),
        look(small("1"), at=START + timedelta(hours=6)),
    ],
    ids=["an order", "another reason", "moved away", "a person asked", "target", "hours later"],
)
def test_another_decision_is_news(later: CheckResult):
    assert is_news(later, before=look(small("1")))


def test_each_order_is_news():
    assert is_news(look(ORDERED), before=look(ORDERED))


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (ORDERED, "Sent an order to buy MNTL for about 17.10 USDT. Held 40.00 USDT"),
        (small("2"), "No order: Buying MNTL for 2.00 USDT is too small"),
        (NoTrade(InsideBand()), "No order: "),
        (PlanChanged(Side.SELL, D(3)), "No order: the tap no longer fitted"),
        (OrderPending(ClientOrderId("bl-1")), "No order: an earlier one"),
        (AwaitingSettlement(), "No order: MEXC's balance did not show the last trade"),
        (AwaitingSettlement(told=True), "No order: MEXC's balance did not show a change"),
        (CheckFailed(IncidentKind.UNREACHABLE, ""), "No order was sent. I could not reach MEXC."),
    ],
    ids=["ordered", "declined", "inside", "moved", "waiting", "unsettled", "behind", "failed"],
)
def test_each_decision_is_told_on_one_line_with_its_time(verdict: Decision, words: str):
    view = earlier_view(
        account=account(), decisions=[look(verdict)], page=1, size=5, has_more=False
    )

    [line] = [row for row in check_message(view).splitlines() if "12:00" in row]
    assert line.startswith(f"22 Nov 12:00 · {words}")


def test_what_a_person_asked_for_says_so():
    asked = look(small("2"), trigger=Trigger.PERSON)
    view = earlier_view(account=account(), decisions=[asked], page=1, size=5, has_more=True)

    assert "After a tap. No order: Buying" in check_message(view)


def test_others_hear_nothing_of_what_mexc_said_of_the_key_and_all_else():
    refused = look(CheckFailed(IncidentKind.KEY_REFUSED, "IP [203.0.113.7] not in the white list"))
    away = look(CheckFailed(IncidentKind.UNREACHABLE, "504"))

    assert refused.for_others() == look(CheckFailed(IncidentKind.KEY_REFUSED, ""))
    assert away.for_others() == away
    assert look(small("1")).for_others() == look(small("1"))


def test_without_a_past_the_last_decision_stands_alone():
    latest = Message("the latest")

    shown = with_earlier(latest, account=account(), look=None, before=[], size=5, has_more=False)

    assert shown == latest


def test_twenty_decisions_fit_one_message():
    check_message(
        with_earlier(
            Message("the latest"),
            account=account(),
            look=look(ORDERED),
            before=[look(ORDERED)] * 20,
            size=20,
            has_more=True,
        )
    )
