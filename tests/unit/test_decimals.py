"""Amounts are exact, come from text, go out without an exponent, and round where it says."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.domain.market.decimals import (
    ceil_to_step,
    decimal_from_text,
    floor_to_step,
    is_positive,
    plain,
    step_of,
)

amounts = st.decimals("0", "1e20", places=18)
steps = st.one_of(
    st.integers(-18, 6).map(Decimal(1).scaleb), st.decimals("0.001", "1000", places=3)
)
signed = st.decimals("-1e23", "1e23", places=18)
exponents = st.builds(
    lambda digits, exponent: f"{digits}e{exponent}",
    st.integers(-999, 999),
    st.integers(-99, 99),
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("40", "40"),
        ("-0.5", "-0.5"),
        ("88.120131350620957006", "88.120131350620957006"),
        ("1e-7", "0.0000001"),
        ("1E+2", "100"),
        ("0E-18", "0"),
        ("0" * 23 + "7", "7"),
    ],
)
def test_plain_and_exponent_numbers_are_read_exactly(text, value):
    assert decimal_from_text(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1\n",
        "+1",
        ".5",
        "5.",
        "1,5",
        "1_000",
        "NaN",
        "sNaN",
        "Infinity",
        "-inf",
        "１２.５",
        "٣",
        "0x10",
        "1e",
        "1e100",
        "forty",
        "1" * 25,
        "0." + "1" * 37,
        "9" * 5000,
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="not a number"):
        decimal_from_text(text)


@pytest.mark.parametrize("text", ["1e99", "1e24", "1e-37", "1e-99", "1.5e-36", "-1e40"])
def test_an_exponent_does_not_smuggle_in_a_number_too_long_to_write_down(text):
    with pytest.raises(ValueError, match="not a number"):
        decimal_from_text(text)


@given(st.one_of(signed.map(str), exponents))
def test_whatever_is_read_can_be_written_down_and_read_again(text):
    try:
        amount = decimal_from_text(text)
    except ValueError:
        assume(False)

    assert decimal_from_text(plain(amount)) == amount


def test_a_refusal_quotes_only_the_beginning_of_a_long_text():
    with pytest.raises(ValueError, match="not a number") as refused:
        decimal_from_text("x" * 5000)

    assert len(str(refused.value)) < 100


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1E+3", "1000"),
        ("1E-7", "0.0000001"),
        ("12.340", "12.34"),
        ("15000", "15000"),
        ("15000.000", "15000"),
        ("0E-18", "0"),
        ("-0.00", "0"),
        ("-1.50", "-1.5"),
        ("1E+15", "1000000000000000"),
    ],
)
def test_the_wire_form_is_plain(amount, text):
    assert plain(Decimal(amount)) == text


@given(signed)
def test_the_wire_form_has_no_exponent_and_loses_nothing(amount):
    text = plain(amount)

    assert set(text) <= set("-0123456789.")
    assert Decimal(text) == amount


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_never_gets_a_wire_form(amount):
    with pytest.raises(ValueError, match="is no amount"):
        plain(Decimal(amount))


@pytest.mark.parametrize(
    ("amount", "positive"),
    [
        ("1e-9", True),
        ("0", False),
        ("-1", False),
        ("NaN", False),
        ("Infinity", False),
        ("-Infinity", False),
    ],
)
def test_positive_means_finite_and_above_zero(amount, positive):
    assert is_positive(Decimal(amount)) is positive


@given(amount=amounts, step=steps)
def test_rounding_down_gives_the_largest_multiple_that_fits(amount, step):
    floored = Fraction(floor_to_step(amount, step))

    assert floored <= amount < floored + Fraction(step)
    assert floored % Fraction(step) == 0


@given(amount=amounts, step=steps)
def test_rounding_up_gives_the_smallest_multiple_that_covers(amount, step):
    ceiled = Fraction(ceil_to_step(amount, step))

    assert ceiled - Fraction(step) < amount <= ceiled
    assert ceiled % Fraction(step) == 0


def test_a_multiple_is_its_own_rounding():
    assert floor_to_step(Decimal("17.10"), Decimal("0.01")) == Decimal("17.10")
    assert ceil_to_step(Decimal("17.10"), Decimal("0.01")) == Decimal("17.10")


def test_rounding_down_is_exact_where_an_ordinary_quotient_would_be_rounded_up():
    just_under = Decimal("2.99999999999999999999999999999999")

    assert floor_to_step(just_under, Decimal(1)) == 2


@pytest.mark.parametrize(
    ("amount", "step"),
    [
        ("1", "0"),
        ("0", "0"),
        ("1", "-1"),
        ("-1", "1"),
        ("NaN", "1"),
        ("1", "NaN"),
        ("Infinity", "1"),
        ("1e200", "1"),
    ],
)
def test_what_cannot_be_rounded_is_refused(amount, step):
    with pytest.raises(ValueError, match="cannot round"):
        floor_to_step(Decimal(amount), Decimal(step))


@pytest.mark.parametrize(("decimals", "step"), [(0, "1"), (2, "0.01"), (8, "0.00000001")])
def test_decimals_make_a_step(decimals, step):
    assert plain(step_of(decimals)) == step
