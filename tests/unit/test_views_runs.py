"""One message for a run of several trades, however many there were."""

from decimal import Decimal
from typing import Any

import pytest

from bot.views.alerts.alerts import alert_view
from bot.views.components.no_trade_reasons import reason_advice, reason_text
from engine.domain.alerts.run_alerts import RunSettled, RunTrade
from engine.domain.market.pairs import USDT, Asset, Side, Symbol
from engine.domain.orders.order import Trigger
from engine.domain.portfolio.plan import (
    MissingPrices,
    NoLegs,
    NothingManaged,
    OldPrices,
    WithinSpread,
)
from engine.domain.portfolio.position import LegReason
from engine.domain.portfolio.run import RunEnd
from engine.domain.rebalancing.planner import EmptyBook, Reason
from engine.domain.runs.stored_run import LeftOutside
from engine.domain.targets.outside import Beyond
from tests.builders import MNTLUSDT
from tests.fakes.clock import START
from tests.unit.phone import check_message

D = Decimal
ETH, BTC = Asset("ETH"), Asset("BTC")


def traded(symbol: str, side: Side, base: str, quote: str) -> RunTrade:
    return RunTrade(symbol=Symbol(symbol), side=side, base_quantity=D(base), quote_amount=D(quote))


SOLD = traded("BTCUSDT", Side.SELL, "0.0012", "60")
BOUGHT = traded("ETHUSDT", Side.BUY, "0.018", "58.20")


def said(**changes: Any) -> list[str]:
    facts: dict[str, Any] = {
        "dry_run": False,
        "trigger": Trigger.INTERVAL,
        "end": RunEnd.INSIDE,
        "trades": (SOLD, BOUGHT),
        "fees": {USDT: D("0.06")},
        "fees_complete": True,
        "cost": D("0.21"),
    }
    return check_message(alert_view(RunSettled(**(facts | changes)))).splitlines()


def test_a_run_is_told_once_with_its_trades_their_sum_and_their_cost():
    assert said() == [
        "🟢 LIVE · 2 trades, 118.20 USDT in all",
        "Sold 0.0012 BTC for 60.00 USDT",
        "Bought 0.018 ETH for 58.20 USDT",
        "Cost 0.21 USDT: fees, and how far from the middle price I traded.",
    ]


def test_of_many_trades_two_are_named_and_the_others_summed_up():
    assert said(trades=(SOLD, BOUGHT, BOUGHT, BOUGHT))[1:4] == [
        "Sold 0.0012 BTC for 60.00 USDT",
        "Bought 0.018 ETH for 58.20 USDT",
        "And 2 more for 116.40 USDT: /history",
    ]


def test_what_is_still_outside_is_named_with_the_reason_of_the_first():
    small = LeftOutside(asset=ETH, edge=Beyond.LOW, why=LegReason.UNDER_MINIMUM)
    nobody = LeftOutside(asset=BTC, edge=Beyond.HIGH, obstacle=EmptyBook(Side.SELL))

    assert said(end=RunEnd.NO_LEG, left=(small, nobody))[-2:] == [
        "Still outside: ETH, BTC",
        "ETH: the trade is smaller than MEXC takes.",
    ]
    assert said(end=RunEnd.NO_LEG, left=(nobody,))[-1] == (
        "No buyer of BTC within 5% of the last price."
    )


@pytest.mark.parametrize(
    ("fees", "complete", "says"),
    [
        ({Asset("MX"): D("0.02")}, True, "Fees 0.02 MX"),
        ({USDT: D("0.06")}, False, "Fees at least 0.06 USDT"),
        ({}, False, "Fees not known yet"),
    ],
)
def test_without_a_cost_the_fees_are_said(fees: dict[Asset, Decimal], complete: bool, says: str):
    assert said(fees=fees, fees_complete=complete, cost=None)[-1] == says


@pytest.mark.parametrize("end", list(RunEnd))
def test_a_run_is_told_in_eight_lines_however_it_ended(end: RunEnd):
    left = tuple(
        LeftOutside(asset=Asset(f"TOKEN{n}"), edge=Beyond.LOW, why=LegReason.NOT_REACHABLE)
        for n in range(5)
    )

    told = said(dry_run=True, end=end, left=left, trades=(SOLD,) * 22)

    assert len(told) <= 8


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (MissingPrices((ETH, BTC)), "MEXC shows no price for ETH, BTC."),
        (OldPrices(START), "MEXC's prices are old"),
        (NothingManaged(), "There is nothing to trade"),
        (WithinSpread((ETH,)), "Buyers and sellers are too far apart"),
        (NoLegs({ETH: LegReason.SIDE_CLOSED}), "ETH: MEXC takes no such order now."),
    ],
)
def test_a_plan_that_is_not_made_says_why(reason: Reason, says: str):
    assert reason_text(reason, symbol=MNTLUSDT).startswith(says)
    assert reason_advice(reason, symbol=MNTLUSDT)
