"""Exact amounts: conversion between text and Decimal, and rounding."""

import re
from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation

ZERO = Decimal(0)
ONE = Decimal(1)

# Wide enough that no sum, product or whole quotient of bounded amounts is ever rounded; what
# cannot be exact (an ordinary quotient) comes out too small rather than too large.
EXACT_OR_LESS = Context(prec=120, rounding=ROUND_DOWN)
# ASCII only: Decimal() itself would take full-width digits, "1_000" and "NaN".
_NUMBER = re.compile(
    r"-?[0-9]{1,24}(?:\.[0-9]{1,36})?(?P<exponent>[eE][+-]?[0-9]{1,2})?", re.ASCII
)


def decimal_from_text(text: str) -> Decimal:
    """The exact value of a plain or exponent number of bounded size.

    Whatever it accepts it also reads back from `plain`. Raises ValueError for anything else:
    words, NaN, infinities, underscores, non-ASCII digits, thousands of digits.
    """
    if not (found := _NUMBER.fullmatch(text)):
        raise ValueError(f"not a number: {text[:40]!r}")
    number = Decimal(text)
    # Fast path: bounded text without an exponent needs no check; an account has forty of them.
    if found["exponent"] and not _NUMBER.fullmatch(plain(number)):
        raise ValueError(f"not a number: {text[:40]!r}")
    return number


def plain(amount: Decimal) -> str:
    """The wire form: never an exponent, no trailing zeros after the point, no minus zero.

    Raises ValueError for what is no number: it must never get as far as the wire.
    """
    if not amount.is_finite():
        raise ValueError(f"{amount} is no amount")
    text = format(amount or ZERO, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_positive(amount: Decimal) -> bool:
    return amount.is_finite() and amount > ZERO


def floor_to_step(quantity: Decimal, step: Decimal) -> Decimal:
    """Largest multiple of *step* not above *quantity*; ValueError if either is no real amount.

    Whole division, because an ordinary quotient is rounded to the context's precision and may
    come out one step too high.
    """
    if not quantity.is_finite() or quantity < ZERO or not is_positive(step):
        raise ValueError(f"cannot round {quantity} to steps of {step}")
    try:
        steps = EXACT_OR_LESS.divide_int(quantity, step)
    except InvalidOperation as e:
        raise ValueError(f"cannot round {quantity} to steps of {step}") from e
    return EXACT_OR_LESS.multiply(steps, step)


def ceil_to_step(quantity: Decimal, step: Decimal) -> Decimal:
    """Smallest multiple of *step* not below *quantity*."""
    floored = floor_to_step(quantity, step)
    return floored if floored == quantity else EXACT_OR_LESS.add(floored, step)


def step_of(decimals: int) -> Decimal:
    """The step that *decimals* digits after the point allow: 2 -> 0.01, 0 -> 1."""
    return ONE.scaleb(-decimals)


# Users think in cents: a buy is never asked in finer steps, whatever the pair allows.
CENT = Decimal("0.01")
