"""How typed limits are understood: exactly, as a question, or not at all."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.parsing.settings import Ambiguous, NotUnderstood, Topic, parse_limits
from engine.domain.accounts.risk_limits import Limits

D = Decimal


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        ("order 500", {"order": D(500)}),
        ("order 500 USDT", {"order": D(500)}),
        ("ORDER  $500.50", {"order": D("500.50")}),
        ("day 2000", {"day": D(2000)}),
        ("day 1,234,567", {"day": D(1_234_567)}),
        ("hour 20", {"orders_per_hour": 20}),
        ("hour 3600", {"orders_per_hour": 3600}),
        ("price 15%", {"move": D("0.15")}),
        ("price 1 %", {"move": D("0.01")}),
        ("price 100%", {"move": D(1)}),
        ("price 12.34%", {"move": D("0.1234")}),
        ("order auto", {"order": None}),
        ("hour Auto", {"orders_per_hour": None}),
        ("auto", {"order": None, "day": None, "orders_per_hour": None, "move": None}),
    ],
)
def test_a_limit_is_read_by_its_name(text: str, wishes: dict[str, Any]):
    assert parse_limits(text) == wishes


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("order 1,000", ("order 1000 USDT", "order 1 USDT")),
        ("day 1.500", ("day 1500 USDT", "day 1.5 USDT")),
        ("price 15", ("price 15%",)),
        ("price 0.15", ("price 15%",)),
        ("price 2,5%", ("price 2.5%",)),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked_about(text: str, options: tuple[str, ...]):
    question = parse_limits(text)

    assert question == Ambiguous(Topic.LIMITS, options)
    assert all(not isinstance(parse_limits(option), Ambiguous) for option in options)


@pytest.mark.parametrize(
    "text",
    [
        *("", "order", "order ", "orders 5", "auto auto", "order 500 auto", "500", "all 5"),
        *("order 0", "order -5", "order 0.001", "order NaN", "order 1e9", "order ５００"),
        *("order 5%", "order 1000000000.01", "day none"),
        *("hour 0", "hour 3601", "hour 1.5", "hour 20 orders", "hour -1"),
        *("price 0.5%", "price 100.01%", "price 15.001%", "price 5 USDT", "price %", "price 0"),
    ],
)
def test_what_is_no_limit_is_not_understood(text: str):
    with pytest.raises(NotUnderstood):
        parse_limits(text)


@given(
    st.sampled_from(["order", "day", "hour", "price", "auto", ""]),
    st.text(max_size=45) | st.from_regex(r"[0-9.,$% ]{1,12}(?:USDT|auto)?", fullmatch=True),
)
def test_whatever_is_typed_gives_limits_that_may_exist_or_none(name: str, value: str):
    try:
        wishes = parse_limits(f"{name} {value}")
    except NotUnderstood:
        return
    if isinstance(wishes, Ambiguous):
        assert 1 <= len(wishes.options) <= 4
        return
    chosen: dict[str, Any] = dict(wishes)
    limits = Limits(**chosen)

    assert {name: getattr(limits, name) for name in chosen} == chosen
