"""Trades over time: how they are split, when each slice is due, and when they end."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.parsing.input_rules import InputRule
from bot.parsing.settings import Ambiguous, NotUnderstood, Topic
from bot.parsing.slices import TradeOverTime, parse_trade_over_time
from engine.domain.execution.slices import (
    LEAST_SPAN,
    MOST_SPAN,
    SLICES_APART,
    DueSlice,
    NextSlice,
    SlicedTrade,
    SlicesEnd,
    SlicesOver,
    next_slice,
    sliced,
    split,
)
from engine.domain.market.pairs import Side, Symbol
from engine.domain.rebalancing.manual_trade import ManualTrade
from tests.builders import MNTLUSDT
from tests.fakes.clock import START
from tests.unit.test_bounded_order import VECTORS

D = Decimal
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LEAST = D("1.1")


def _trade(total: str = "500", *, span: timedelta = HOUR) -> SlicedTrade:
    return sliced(Side.SELL, D(total), span=span, started_at=START, minimum=LEAST)


def _next(
    trade: SlicedTrade,
    after: timedelta,
    *,
    last: int = 0,
    traded: str = "0",
    stop: SlicesEnd | None = None,
) -> DueSlice | NextSlice | SlicesOver:
    return next_slice(
        trade, last=last, traded=D(traded), minimum=LEAST, now=START + after, stop=stop
    )


@pytest.mark.parametrize("name", ["B12", "B13"])
def test_a_total_is_split_as_the_vector_says(name: str):
    given_, expected = VECTORS[name]["given"], VECTORS[name]["expect"]
    found = split(D(given_["total"]), part=D(given_["part"]), minimum=D(given_["minimum"]))

    assert list(found) == [D(amount) for amount in expected["slices"]]


@st.composite
def totals_and_parts(draw: st.DrawFn) -> tuple[Decimal, Decimal]:
    """Not millions of slices: they take seconds and show nothing more."""
    total = draw(st.integers(1, 10_000_000))
    part = draw(st.integers(max(1, total // 2_000), 100_000))
    return D(total) / 100, D(part) / 100


@given(totals_and_parts(), st.integers(1, 1000).map(lambda cents: D(cents) / 100))
def test_slices_add_up_are_equal_and_none_is_under_the_minimum(
    total_and_part: tuple[Decimal, Decimal], minimum: Decimal
):
    total, part = total_and_part
    slices = split(total, part=part, minimum=minimum)

    assert sum(slices) == total
    assert len({*slices[:-1]}) <= 1
    assert len(slices) == 1 or (min(slices) >= minimum and slices[-1] == max(slices))


def test_a_slice_of_whole_steps_is_not_rounded_under_the_minimum():
    found = split(D("2.5"), part=D("1.1"), minimum=D("1.1"), step=D("0.5"))

    assert list(found) == [D("2.5")]


def test_an_hour_has_twelve_slices_the_first_at_once():
    trade = _trade()

    assert (len(trade.amounts), trade.amounts[0], trade.amounts[-1]) == (
        12,
        D("41.66"),
        D("41.74"),
    )
    assert [trade.due_at(number) - START for number in (1, 2, 12)] == [
        0 * MINUTE,
        5 * MINUTE,
        55 * MINUTE,
    ]
    assert trade.total == 500


def test_a_small_total_has_fewer_slices_further_apart():
    trade = _trade("3.5")

    assert trade.amounts == (D("1.16"), D("1.16"), D("1.18"))
    assert trade.due_at(2) == START + 20 * MINUTE


def test_a_quantity_is_split_in_whole_steps():
    trade = sliced(
        Side.SELL,
        D(10_000),
        span=LEAST_SPAN,
        started_at=START,
        minimum=D(600),
        step=D(1),
        in_base=True,
    )

    assert (trade.amounts, trade.in_base) == ((D(5000), D(5000)), True)


def test_a_slice_is_due_once():
    trade = _trade()

    assert _next(trade, -MINUTE) == NextSlice(START)
    assert _next(trade, 0 * MINUTE) == DueSlice(1, D("41.66"))
    assert _next(trade, MINUTE, last=1) == NextSlice(START + 5 * MINUTE)
    assert _next(trade, 5 * MINUTE, last=1, traded="41") == DueSlice(2, D("41.66"))


def test_what_was_missed_is_not_made_up_for():
    assert _next(_trade(), 23 * MINUTE, last=1, traded="41.66") == DueSlice(5, D("41.66"))


def test_a_slice_is_never_more_than_is_left():
    assert _next(_trade(), 55 * MINUTE, last=11, traded="490") == DueSlice(12, D(10))


def test_it_ends_when_all_is_traded_at_the_deadline_or_when_it_is_stopped():
    trade = _trade()

    assert _next(trade, 30 * MINUTE, last=6, traded="499") == SlicesOver(SlicesEnd.DONE, D(1))
    assert _next(trade, 30 * MINUTE, traded="501") == SlicesOver(SlicesEnd.DONE, D(0))
    assert _next(trade, 56 * MINUTE, last=12, traded="400") == NextSlice(START + HOUR)
    assert _next(trade, HOUR, last=12, traded="400") == SlicesOver(SlicesEnd.DEADLINE, D(100))
    assert _next(trade, MINUTE, traded="90", stop=SlicesEnd.PAUSED) == SlicesOver(
        SlicesEnd.PAUSED, D(410)
    )


@given(
    st.integers(110, 10_000_000).map(lambda cents: D(cents) / 100),
    st.integers(10, 24 * 60),
    st.lists(st.tuples(st.integers(0, 600), st.integers(0, 100)), max_size=40),
)
def test_it_trades_each_slice_once_in_order_and_never_more_than_the_total(
    total: Decimal, minutes: int, story: list[tuple[int, int]]
):
    trade = _trade(str(total), span=minutes * MINUTE)
    last, traded, after = 0, D(0), timedelta()
    for seconds, percent in story:
        after += timedelta(seconds=seconds)
        match _next(trade, after, last=last, traded=str(traded)):
            case DueSlice(number, amount):
                assert last < number <= len(trade.amounts)
                assert START + after >= trade.due_at(number)
                last, traded = number, traded + amount * percent / 100
            case NextSlice(at):
                assert at > START + after
            case SlicesOver(end, left):
                assert left == total - traded
                assert end in (SlicesEnd.DONE, SlicesEnd.DEADLINE)
    assert traded <= total


@pytest.mark.parametrize("span", [LEAST_SPAN - MINUTE, MOST_SPAN + MINUTE])
def test_slices_take_ten_minutes_to_a_day(span: timedelta):
    with pytest.raises(ValueError, match="minutes"):
        _trade(span=span)


def test_slices_are_above_zero_and_apart():
    with pytest.raises(ValueError, match="above zero"):
        SlicedTrade(side=Side.BUY, amounts=(), started_at=START, span=HOUR)
    day = _trade("100000", span=MOST_SPAN)
    assert day.due_at(2) - day.due_at(1) == SLICES_APART


def _parsed(text: str, *, side: Side = Side.SELL):
    return parse_trade_over_time(text, side=side, pair=MNTLUSDT)


@pytest.mark.parametrize(
    ("text", "trade", "span"),
    [
        ("500 USDT of MNTL over 1h", {"quote_amount": D(500)}, HOUR),
        ("$500  OVER 1h 30m", {"quote_amount": D(500)}, 90 * MINUTE),
        ("50% of MNTL over 1 day", {"share": D("0.5")}, MOST_SPAN),
        ("all over 10m", {"share": D(1)}, LEAST_SPAN),
    ],
)
def test_a_trade_may_say_how_long_it_takes(text, trade, span):
    assert _parsed(text) == TradeOverTime(ManualTrade(Side.SELL, **trade), span)


def test_without_a_time_it_is_the_trade_that_it_was():
    assert _parsed("500 USDT of MNTL") == ManualTrade(Side.SELL, quote_amount=D(500))
    assert _parsed("20 of BTC over 1h", side=Side.BUY) == Symbol("BTCUSDT")


def test_what_is_asked_about_keeps_its_time():
    found = _parsed("50 over 1h")

    assert isinstance(found, Ambiguous)
    assert found.options == ("50% over 1h", "50 USDT over 1h")
    assert all(isinstance(_parsed(option), TradeOverTime) for option in found.options)


@pytest.mark.parametrize(
    "text", ["500 over", "500 over 9m", "500 over 25h", "500 over lunch", "500 over 1h over 2h"]
)
def test_another_time_is_refused_with_its_rule(text: str):
    with pytest.raises(NotUnderstood) as refused:
        _parsed(text)

    assert (refused.value.topic, refused.value.rule) == (Topic.SELL, InputRule.TRADE_SPAN)
