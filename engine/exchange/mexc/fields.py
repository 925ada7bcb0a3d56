"""Strict reading of JSON from outside: whatever is not exactly as expected is BadData."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NoReturn

from engine.domain.money import ZERO, decimal_from_text
from engine.errors import BadData

Record = Mapping[str, object]

_LONGEST_INTEGER = 20
_TOO_LARGE = Decimal(10) ** 24
_FINEST_EXPONENT = -36
_SHOWN = 40


def parsed(body: bytes) -> object:
    """JSON with exact numbers. Raises BadData for all else: NaN, endless digits, deep nesting."""
    try:
        return json.loads(
            body,
            parse_float=decimal_from_text,
            parse_int=_bounded_integer,
            parse_constant=_refused_constant,
        )
    except (ValueError, RecursionError) as e:
        raise BadData(f"the answer is no usable JSON ({type(e).__name__})") from e


def record(value: object, *, what: str) -> Record:
    if not isinstance(value, dict):
        raise BadData(f"{what} is not an object")
    return value


def rows(value: object, *, what: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise BadData(f"{what} is not a list")
    return value


def text(of: Record, name: str) -> str:
    value = of.get(name)
    if not isinstance(value, str) or not value:
        raise BadData(f"{name} is not a text")
    return value


def flag(of: Record, name: str) -> bool:
    value = of.get(name)
    if not isinstance(value, bool):
        raise BadData(f"{name} is neither true nor false")
    return value


def integer(of: Record, name: str, *, least: int, most: int) -> int:
    value = of.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadData(f"{name} is not a whole number from {least} to {most}")
    return value


def amount(of: Record, name: str) -> Decimal:
    """Not negative, finite and of sane size; MEXC sends numbers as text or as numbers."""
    return amount_from(of.get(name), what=name)


def amount_from(value: object, *, what: str) -> Decimal:
    exact = _exact(value)
    if exact is None or exact < ZERO:
        raise BadData(f"{what} is not an amount: {str(value)[:_SHOWN]}")
    if exact == ZERO:
        return ZERO
    exponent = exact.as_tuple().exponent
    if exact >= _TOO_LARGE or not isinstance(exponent, int) or exponent < _FINEST_EXPONENT:
        raise BadData(f"{what} is out of range: {str(value)[:_SHOWN]}")
    return exact


def _exact(value: object) -> Decimal | None:
    match value:
        case bool():
            return None
        case Decimal():
            return value
        case int():
            return Decimal(value)
        case str():
            try:
                return decimal_from_text(value)
            except ValueError:
                return None
        case _:
            return None


def _bounded_integer(digits: str) -> int:
    if len(digits) > _LONGEST_INTEGER:
        raise ValueError("an endless number")
    return int(digits)


def _refused_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
