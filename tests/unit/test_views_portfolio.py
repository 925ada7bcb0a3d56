"""A target of several tokens in words: what is outside, the rows of the card, the next check, why."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.views.alerts.alerts import alert_view
from bot.views.components.portfolio_words import (
    first_trades,
    outside_line,
    planned_step,
    portfolio_rows,
)
from bot.views.portfolio_plan import portfolio_plan_view
from bot.views.why import why_view
from docs.basket_samples import BTC, ETH, HELD, MX, planned
from docs.story import NOON, SYMBOL
from engine.domain.accounts.settings import TradingMode
from engine.domain.alerts.plan_alerts import PortfolioNoticed
from engine.domain.execution.slices import SlicesRun
from engine.domain.market.pairs import USDT, Asset, Side
from engine.domain.orders.order import Trigger
from engine.domain.portfolio.plan import MissingPrices, NoLegs, WithinSpread
from engine.domain.portfolio.position import LegReason
from engine.domain.rebalancing.check_result import (
    AwaitingApproval,
    CheckResult,
    Decision,
    NoTrade,
    PortfolioSnapshot,
)
from engine.domain.rebalancing.planner import InsideBand, LimitKind, OverLimit
from engine.domain.targets.pacing import BuyingStopped, SecondLook
from engine.domain.targets.target import Basket
from tests.unit.phone import check_message

D = Decimal
LEGS = "sell BTC for 86.45 USDT, buy ETH for 52.61 USDT"


def _why(verdict: Decision, **changes: Any) -> str:
    look = CheckResult(
        at=NOON,
        trigger=Trigger.INTERVAL,
        target=None,
        band=None,
        verdict=verdict,
        portfolio=planned().snapshot,
    )
    account = replace(HELD, settings=replace(HELD.settings, **changes))
    now = NOON + timedelta(minutes=1)
    return check_message(why_view(account=account, now=now, look=look, planned=planned()))


def test_what_is_outside_is_counted_and_usdt_is_no_token():
    assert outside_line([BTC, MX], of=6) == "2 of 5 tokens are outside their bands: BTC, MX."
    assert outside_line([USDT, BTC], of=6) == "2 of 6 assets are outside their bands: BTC, USDT."
    assert outside_line([ETH], of=6) == "1 of 5 tokens is outside its band: ETH."
    assert outside_line([], of=6) == "Everything is inside its band."
    many = [Asset(f"T{n}") for n in range(9)]
    assert outside_line(many, of=20).endswith("are outside their bands: T0, T1, T2, T3….")


def test_the_card_has_a_row_for_each_asset_and_one_for_the_rest():
    tokens = [Asset(f"T{number}") for number in range(20)]
    seen = PortfolioSnapshot(
        held={**dict.fromkeys(tokens, D(10)), USDT: D(50)}, prices=dict.fromkeys(tokens, D(2))
    )

    rows = portfolio_rows(seen)

    assert len(rows) == 7
    assert rows[5:] == ["16 more  350.00", "Total    450.00 USDT"]
    assert portfolio_rows(planned().snapshot)[0] == "BTC      572.00  59.9% of 50%"


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (NoTrade(InsideBand()), "No order: everything is inside its band."),
        (NoTrade(WithinSpread((BTC,))), "too far apart to say whether BTC left the band."),
        (
            NoTrade(SecondLook((BTC,))),
            "I trade once two checks in a row find BTC out of the band.",
        ),
        (NoTrade(MissingPrices((MX,))), "MEXC shows no price for MX."),
        (
            NoTrade(NoLegs({MX: LegReason.UNDER_MINIMUM})),
            "MX: the trade is smaller than MEXC takes.",
        ),
        (
            NoTrade(OverLimit(LimitKind.DAY, asked=D(139), allowed=D(100))),
            "the order needs 139.00, you allow 100.00.",
        ),
        (AwaitingApproval(Side.SELL, D(139), TradingMode.ASK), f"It would trade: {LEGS}."),
    ],
)
def test_why_tells_of_a_basket_in_eight_lines(verdict: Decision, said: str):
    text = _why(verdict)

    assert said in text
    assert "3 of 4 assets are outside their bands: BTC, ETH, USDT." in text
    assert "BTC is worth 572.00 USDT, above 501.06." in text
    assert "changed since" not in text
    assert sum(bool(line) for line in text.splitlines()) <= 8


def test_why_says_that_the_target_is_another_one_by_now():
    text = _why(NoTrade(InsideBand()), target=Basket.of([(BTC, 1), (ETH, 1), (MX, 1), (USDT, 1)]))

    assert "The target changed since: BTC 25%, ETH 25%, MX 25%, USDT 25%." in text


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (TradingMode.AUTO, f"I {LEGS}."),
        (TradingMode.ASK, f"I ask you first, then I {LEGS}."),
        (TradingMode.NOTIFY, f"I only tell you what could be traded: {LEGS}."),
    ],
)
def test_the_next_check_of_a_basket_is_said_in_each_mode(mode: TradingMode, said: str):
    assert planned_step(planned(), mode=mode, symbol=SYMBOL) == said


def test_a_plan_over_a_limit_is_shown_without_a_button():
    over = replace(planned(to_centre=True), limits=replace(HELD.limits_in_force, day=D(10)))

    plan = portfolio_plan_view(account=HELD, planned=over, confirmation_id=None)

    assert "Blocked by your limit" in check_message(plan)
    assert plan.keyboard is None


def test_a_chat_that_is_only_told_hears_of_all_trades_at_once():
    told = alert_view(PortfolioNoticed.of(planned().plan, dry_run=False))

    text = check_message(told)
    assert f"Trades: {LEGS}." in text
    assert "I sent nothing: you chose to be told only." in text


def test_why_says_once_that_all_is_inside_and_what_it_saw():
    inside = planned()
    inside = replace(inside, plan=replace(inside.plan, outside={}, legs=(), reasons={}))
    look = CheckResult(
        at=NOON,
        trigger=Trigger.INTERVAL,
        target=None,
        band=None,
        verdict=NoTrade(InsideBand()),
        portfolio=replace(inside.snapshot, plan=inside.plan),
    )
    now = NOON + timedelta(minutes=1)

    text = check_message(why_view(account=HELD, now=now, look=look, planned=inside))

    assert text.lower().count("inside its band") == 1
    assert "It saw 954.40 USDT in all: BTC 59.9%, " in text
    assert text.endswith("The next check looks again.")


def test_why_names_a_trade_over_time_once():
    until = NOON + timedelta(minutes=30)
    look = CheckResult(
        at=NOON,
        trigger=Trigger.INTERVAL,
        target=None,
        band=None,
        verdict=NoTrade(SlicesRun(until)),
        portfolio=planned().snapshot,
    )

    text = check_message(
        why_view(
            account=replace(HELD, slicing_until=until), now=NOON, look=look, planned=planned()
        )
    )

    assert text.count("trade over time") == 1
    assert "has a button to stop the rest" in text


def test_what_a_change_would_trade_is_said_also_where_a_second_look_is_due():
    when = ("It trades:", "It trades nothing.")
    seen_once = replace(planned(), waits=SecondLook((BTC,)))
    stopped = replace(planned(), waits=BuyingStopped(planned().at))

    assert first_trades(seen_once, when=when, symbol=SYMBOL).startswith("It trades:")
    assert "/limits" not in first_trades(stopped, when=when, symbol=SYMBOL)
