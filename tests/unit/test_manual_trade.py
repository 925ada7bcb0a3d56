"""A trade by hand: how much of what is asked for becomes an order, and what the target does to it."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.access.permissions import needed_for, only_looks
from bot.parsing.input_rules import InputRule
from bot.parsing.manual_trade import parse_trade
from bot.parsing.settings import Ambiguous, NotUnderstood, Topic
from engine.domain.accounts.members import Role
from engine.domain.accounts.settings import TradingMode
from engine.domain.market.decimals import CENT, EXACT_OR_LESS, ONE, ZERO
from engine.domain.market.pairs import USDT, Side, Symbol
from engine.domain.rebalancing.manual_trade import ManualRun, ManualTrade, is_undone, plan_manual
from engine.domain.rebalancing.planner import (
    FEE_RESERVE,
    EmptyBook,
    MarketBuy,
    MarketSell,
    NothingFree,
    UnderMinimum,
    smallest_order,
)
from tests.builders import MNTL, MNTLUSDT, book, holdings, rules, settings
from tests.unit.test_planner_properties import amounts, any_situations

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
TRADES = st.one_of(
    st.builds(ManualTrade, st.sampled_from(Side), quote_amount=amounts("0.01", "1e9", places=2)),
    st.builds(ManualTrade, st.sampled_from(Side), share=amounts("0.0001", "1", places=4)),
)


def planned(trade: ManualTrade, **held):
    return plan_manual(
        trade,
        holdings=holdings(**held),
        settings=settings(),
        rules=rules(taker_fee_rate=0),
        book=book(),
    )


@given(any_situations, TRADES)
def test_no_order_is_more_than_is_free_or_asked_or_less_than_the_minimum(situation, trade):
    limits = situation.rules
    balance = situation.holdings.of(USDT if trade.side is BUY else MNTL)

    order = plan_manual(
        trade,
        holdings=situation.holdings,
        settings=situation.settings,
        rules=limits,
        book=situation.book,
    ).order

    with localcontext(EXACT_OR_LESS):
        asked = None if trade.share is None else balance.free * trade.share
        if isinstance(order, MarketBuy):
            fee = max(limits.taker_fee_rate, FEE_RESERVE)
            assert order.quote_amount * (ONE + fee) <= balance.free
            assert smallest_order(limits) <= order.quote_amount <= limits.max_notional
            assert order.quote_amount <= (trade.quote_amount if asked is None else asked)
            assert order.quote_amount % max(limits.quote_step, CENT) == ZERO
        if isinstance(order, MarketSell):
            best = situation.book.bids[0].price
            assert limits.least_quantity <= order.base_quantity <= balance.free
            assert order.base_quantity * best >= smallest_order(limits)
            assert order.base_quantity % limits.quantity_step == ZERO
            assert asked is None or order.base_quantity <= asked
            if trade.quote_amount is not None:
                assert order.expected_quote <= trade.quote_amount


@pytest.mark.parametrize(
    ("trade", "order"),
    [
        (ManualTrade(BUY, quote_amount=D("20.009")), D("20.00")),
        (ManualTrade(BUY, quote_amount=D(500)), D("57.04")),
        (ManualTrade(BUY, share=D("0.5")), D("28.55")),
        (ManualTrade(BUY, share=D(1)), D("57.04")),
        (ManualTrade(SELL, share=D("0.5")), D(50_000)),
        (ManualTrade(SELL, share=D("0.33333")), D(33_333)),
        (ManualTrade(SELL, share=D(1)), D(100_000)),
    ],
)
def test_an_order_is_rounded_down_and_kept_within_what_is_free(trade: ManualTrade, order: D):
    decided = planned(trade, usdt="57.10").order

    assert order == (
        decided.quote_amount if isinstance(decided, MarketBuy) else decided.base_quantity
    )


@pytest.mark.parametrize(
    ("trade", "reason"),
    [
        (ManualTrade(BUY, quote_amount=D(1)), UnderMinimum(BUY, D(1), D("1.1"))),
        (ManualTrade(SELL, share=D("0.001")), UnderMinimum(SELL, D("0.2"), D("1.1"))),
        (ManualTrade(BUY, quote_amount=D(20)), NothingFree(BUY, D("0.5"), D(30))),
    ],
)
def test_too_little_is_no_order(trade: ManualTrade, reason: object):
    free = {"usdt": "0.5", "usdt_locked": 30}

    assert planned(trade, **free).reason == reason


@pytest.mark.parametrize("sizes", [{}, {"quote_amount": D(20), "share": D("0.5")}])
def test_a_trade_has_either_an_amount_or_a_share(sizes: dict[str, D]):
    with pytest.raises(ValueError, match="not both and not neither"):
        ManualTrade(BUY, **sizes)


@pytest.mark.parametrize("share", ["0", "-0.5", "1.01", "NaN", "Infinity"])
def test_a_share_is_more_than_nothing_and_at_most_all(share: str):
    with pytest.raises(ValueError, match="a share is"):
        ManualTrade(SELL, share=D(share))


@pytest.mark.parametrize("amount", ["0", "-20", "NaN", "Infinity"])
def test_an_amount_is_finite_and_above_zero(amount: str):
    with pytest.raises(ValueError, match="an amount is"):
        ManualTrade(BUY, quote_amount=D(amount))


def test_without_a_counterpart_there_is_no_order():
    decided = plan_manual(
        ManualTrade(SELL, share=D(1)),
        holdings=holdings(),
        settings=settings(),
        rules=rules(),
        book=book(bids=[]),
    )

    assert decided.reason == EmptyBook(SELL)


@pytest.mark.parametrize(
    ("side", "held_after", "undone"),
    [
        (SELL, "42.01", True),
        (SELL, "42", False),
        (SELL, "30", False),
        (BUY, "37.99", True),
        (BUY, "38", False),
        (BUY, "90", False),
    ],
)
def test_what_leaves_the_band_on_its_own_side_is_traded_back(side, held_after, undone):
    assert is_undone(side, D(held_after), settings()) is undone
    assert not is_undone(side, D(held_after), settings(paused=True))
    assert not is_undone(side, D(held_after), settings(autonomy=TradingMode.ASK))


@pytest.mark.parametrize(
    ("run", "holds"),
    [
        ({}, False),
        ({"pauses": True}, True),
        ({"target": D(100)}, True),
        ({"target": D(90)}, False),
        ({"target": D(120)}, False),
        ({"pauses": True, "version": 8}, False),
    ],
)
def test_a_confirmed_trade_holds_only_if_no_check_would_trade_it_back(run, holds):
    values = {"trade": ManualTrade(SELL, share=D("0.5")), "version": 7, "user_id": 1} | run

    assert ManualRun(**values).holds(settings(), version=7, held_after=D("100.20")) is holds


@pytest.mark.parametrize(
    ("text", "side", "trade"),
    [
        ("20", BUY, {"quote_amount": D(20)}),
        ("20 USDT of MNTL", BUY, {"quote_amount": D(20)}),
        ("$20.50 OF mntl/usdt", BUY, {"quote_amount": D("20.5")}),
        ("50%", BUY, {"share": D("0.5")}),
        ("500 usdt", SELL, {"quote_amount": D(500)}),
        ("12.5 % of MNTLUSDT", SELL, {"share": D("0.125")}),
        ("100%", SELL, {"share": D(1)}),
        ("ALL of MNTL", SELL, {"share": D(1)}),
    ],
)
def test_an_amount_is_read_exactly(text, side, trade):
    assert parse_trade(text, side=side, pair=MNTLUSDT) == ManualTrade(side, **trade)


@pytest.mark.parametrize(
    ("text", "side", "options"),
    [
        ("50", SELL, ("50%", "50 USDT")),
        ("500", SELL, ("500 USDT",)),
        ("1,000 of MNTL", BUY, ("1000 USDT", "1 USDT")),
        ("2,5%", SELL, ("2.5%",)),
    ],
)
def test_an_amount_that_may_mean_two_things_is_asked_about(text, side, options):
    topic = Topic.BUY if side is BUY else Topic.SELL

    assert parse_trade(text, side=side, pair=MNTLUSDT) == Ambiguous(topic, options)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("101%", InputRule.MOST_PERCENT),
        ("0%", InputRule.ABOVE_ZERO),
        ("0 USDT", InputRule.ABOVE_ZERO),
        ("20 MNTL", InputRule.IN_USDT),
        ("0.001 USDT", InputRule.TWO_DECIMALS),
        ("some", InputRule.NUMBER),
        ("all of USDT", InputRule.OTHER_THAN_USDT),
    ],
)
def test_a_refused_amount_names_its_rule(text, rule):
    with pytest.raises(NotUnderstood) as refused:
        parse_trade(text, side=SELL, pair=MNTLUSDT)

    assert (refused.value.topic, refused.value.rule) == (Topic.SELL, rule)


def test_another_token_is_named_and_not_traded():
    assert parse_trade("all of MX", side=SELL, pair=MNTLUSDT) == Symbol("MXUSDT")


@pytest.mark.parametrize("command", ["buy", "sell"])
def test_whoever_may_rebalance_may_buy_and_sell(command: str):
    assert needed_for(command, "20") is needed_for("rebalance", "") is Role.TRADER
    assert only_looks(command, "20")
