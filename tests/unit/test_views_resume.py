"""The question before a large first order: its amount, its part, and what holds it back."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.views.ask_resume import (
    ask_resume_view,
    resume_late_view,
    resume_overtaken_view,
    stays_paused_view,
)
from engine.domain.accounts.account import Account
from engine.domain.market.balances import Holdings
from engine.domain.market.pairs import Symbol
from engine.domain.orders.order import Trigger
from engine.domain.rebalancing.check_result import BalanceSnapshot, CheckResult, NoTrade
from engine.domain.rebalancing.planner import InsideBand, LimitKind, OverLimit, Reason, plan
from engine.rebalancing.preview import Foreseen
from tests.builders import account, book, forecast_of, holdings, rules, settings
from tests.fakes.clock import START
from tests.unit.phone import check_message

D = Decimal
PAUSED = account(settings=settings(paused=True))


def foreseen(
    one: Account, held: Holdings, *, reason: Reason | None = None, **pair: Any
) -> Foreseen:
    market = book()
    decided = plan(holdings=held, settings=one.settings, rules=rules(**pair), book=market)
    decided, comes_to = forecast_of(decided)
    seen = BalanceSnapshot.of(one.settings, held, market)
    look = CheckResult(
        at=START,
        trigger=Trigger.PERSON,
        target=one.settings.fixed_goal.target,
        band=one.settings.fixed_goal.band,
        verdict=NoTrade(InsideBand()),
        seen=seen,
    )
    return Foreseen(decided, reason, look, seen, rules(**pair), comes_to)


def shown(look: Foreseen | None, one: Account = PAUSED) -> str:
    text = check_message(ask_resume_view(account=one, foreseen=look, confirmation_id="q"))

    assert len([line for line in text.splitlines() if line]) <= 8
    assert "trading stays paused. Later: /resume" in text
    return text


def test_a_purchase_and_a_sale_have_sentences_of_their_own():
    rich = shown(foreseen(PAUSED, holdings(usdt="947.00")))
    poor = replace(PAUSED, settings=settings(paused=True, target=200))
    short = shown(foreseen(poor, holdings(usdt="57.10", mntl="100000")), poor)

    assert "The first order buys MNTL for about " in rich
    assert "% of your USDT." in rich
    assert "The first order sells " in short
    assert "% of your MNTL." in short


@pytest.mark.parametrize(("usdt", "what"), [("947", "buys MNTL for up to 907.00"), ("1", "sells")])
def test_what_only_waits_for_mexc_is_said_to_come(usdt: str, what: str):
    text = shown(foreseen(PAUSED, holdings(usdt=usdt, mntl="100000"), api_allowed=False))

    assert "MEXC takes no market orders" in text
    assert f"Once this has passed, the first order {what}" in text


def test_an_order_over_a_limit_is_said_to_be_held_back():
    over = OverLimit(LimitKind.ORDER, asked=D(1960), allowed=D(1000))

    assert "before your limits allow it: /limits" in shown(
        foreseen(PAUSED, holdings(usdt="2000"), reason=over)
    )


def test_every_answer_fits_a_phone_and_says_that_no_order_was_sent():
    long = account(settings=settings(paused=True, symbol=Symbol("1000000BABYDOGE1USDT")))
    for view in (
        stays_paused_view(account=long),
        resume_late_view(),
        resume_overtaken_view(account=long),
    ):
        assert "No order was sent." in check_message(view)

    assert "I do not know how large the first order is." in shown(None)
