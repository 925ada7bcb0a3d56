"""How amounts, durations and blocks look, whatever their size."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.views.components.amounts import (
    about_percent,
    balance,
    cents,
    drift,
    fee,
    percent,
    price,
    quantity,
    usdt,
)
from bot.views.components.layout import block, echoed, quoted, row, width, wrapped
from bot.views.components.times import ago, compact, exactly, roughly, stamp
from engine.domain.market.pairs import USDT, Asset
from tests.unit.phone import columns

amounts = st.decimals(min_value=0, max_value=10**24, places=18)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (usdt(Decimal("1234.5")), "1,234.50 USDT"),
        (usdt(Decimal("1E+12")), "1,000,000,000,000.00 USDT"),
        (cents(Decimal("-0.001")), "0.00"),
        (quantity(Decimal("8142.000")), "8,142"),
        (quantity(Decimal("1E+3")), "1,000"),
        (quantity(Decimal("0.00000010")), "0.0000001"),
        (price(Decimal("16.30") / 8142), "0.002002"),
        (price(Decimal("0.00000012346")), "0.0000001235"),
        (price(Decimal("97123.456")), "97,123.46"),
        (price(Decimal(0)), "0"),
        (percent(Decimal("0.05")), "5%"),
        (percent(Decimal("0.0125")), "1.25%"),
        (about_percent(Decimal("0.04678")), "4.7%"),
        (drift(Decimal("57.10"), target=Decimal(40)), "+42.8%"),
        (drift(Decimal("39.999"), target=Decimal(40)), "0%"),
        (drift(Decimal(0), target=Decimal(40)), "-100.0%"),
        (balance(Decimal("91858.429"), step=Decimal(1)), "91,858"),
        (balance(Decimal("91858.429999")), "91,858.42"),
        (balance(Decimal("0.123456789")), "0.12345678"),
        (fee(Decimal("0.00815"), USDT), "0.01 USDT"),
        (fee(Decimal("0.0001"), USDT), "under 0.01 USDT"),
        (fee(Decimal("0.0012"), Asset("MX")), "0.0012 MX"),
    ],
)
def test_amounts_read_like_money(shown: str, expected: str):
    assert shown == expected


@given(amounts)
def test_no_amount_ever_shows_an_exponent(amount: Decimal):
    for text in (usdt(amount), quantity(amount), price(amount), balance(amount), percent(amount)):
        assert "E" not in text.replace("USDT", "")


@given(amounts)
def test_a_balance_is_never_shown_larger_than_it_is(amount: Decimal):
    assert Decimal(balance(amount).replace(",", "")) <= amount


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (compact(timedelta(seconds=72)), "1m 12s"),
        (compact(timedelta(days=2, hours=3, minutes=4)), "2d 3h"),
        (compact(timedelta(seconds=-5)), "0s"),
        (ago(timedelta(minutes=3, seconds=20)), "3m ago"),
        (ago(timedelta()), "just now"),
        (exactly(timedelta(minutes=90)), "1 h 30 min"),
        (exactly(timedelta(days=1)), "1 day"),
        (exactly(timedelta()), "0 s"),
        (roughly(timedelta(minutes=14, seconds=50)), "14 min"),
        (roughly(timedelta(seconds=90)), "90 s"),
        (roughly(timedelta(days=3)), "3 days"),
        (roughly(timedelta()), "1 s"),
        (stamp(datetime(2026, 11, 2, 12, 3, tzinfo=UTC)), " 2 Nov 12:03"),
    ],
)
def test_durations_read_like_speech(shown: str, expected: str):
    assert shown == expected


@given(st.text(max_size=200), st.text(max_size=9))
def test_a_block_never_gets_wider_than_the_phone(text: str, label: str):
    for line in wrapped(text, 32):
        assert columns(line) <= 32
    for line in row(label, "9" * 100):
        assert width(line) <= 32


def test_a_label_as_long_as_the_indent_gets_its_own_line():
    assert row("LONGTOKENNAME", "12.5") == ["LONGTOKENNAME", "         12.5"]


def test_a_long_value_goes_on_under_itself():
    assert row("Last", "bought 1,000,000,000,000 MNTL for 5.00 USDT") == [
        "Last     bought",
        "         1,000,000,000,000 MNTL",
        "         for 5.00 USDT",
    ]


def test_marks_that_only_change_a_character_take_no_column():
    assert width("⚠️ LIVE") == 7


def test_a_row_that_is_too_wide_goes_on_as_far_to_the_right_as_it_began():
    assert block(["  for 1,234,567.89 USDT at 0.002002"]) == (
        "<pre>  for 1,234,567.89 USDT at\n  0.002002</pre>"
    )
    assert block([" " * 30 + "ab cd"]) == "<pre>ab cd</pre>"


def test_a_block_escapes_what_is_in_it():
    assert block(["<b> & more"]) == "<pre>&lt;b&gt; &amp; more</pre>"


def test_foreign_words_are_short_escaped_and_on_one_line():
    assert quoted("a\nb <i>") == "“a b &lt;i&gt;”"
    assert len(quoted("x" * 5000)) == 203


def test_what_may_be_a_key_is_not_echoed():
    assert echoed("forty") == "“forty”"
    assert echoed("mx0aBYs33eIilxBWC5") == "that"
