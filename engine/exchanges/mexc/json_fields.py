"""Strict reading of JSON from outside: whatever is not exactly as expected is BadData."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.market.decimals import ZERO, decimal_from_text
from engine.errors import BadData

Record = Mapping[str, object]


class Ambiguous(dict[str, object]):
    """An object that states a field more than once: which of the values holds is unknown."""

    def __init__(self, pairs: Sequence[tuple[str, object]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.doubled = frozenset(name for name in names if names.count(name) > 1)


_LONGEST_INTEGER = 20
_TOO_LARGE = Decimal(10) ** 24
_FINEST_EXPONENT = -36
_SHOWN = 40
# Names, ids, lists of permissions or addresses: all of them are far shorter.
_LONGEST_TEXT = 2000


def parsed(body: bytes) -> object:
    """Returns JSON with exact numbers. Raises BadData for invalid JSON and deep nesting.
    An invalid number (NaN, endless digits) becomes a value that every reader below refuses.
    """
    try:
        return json.loads(
            body,
            parse_float=_exact_number,
            parse_int=_bounded_integer,
            parse_constant=_NoNumber,
            object_pairs_hook=_object,
        )
    except (ValueError, RecursionError) as e:
        raise BadData(f"the answer is no usable JSON ({type(e).__name__})") from e


def record(value: object, *, what: str) -> Record:
    if not isinstance(value, dict):
        raise BadData(f"{what} is not an object")
    if isinstance(value, Ambiguous):
        raise BadData(f"{what} states {', '.join(sorted(value.doubled))} more than once"[:_SHOWN])
    return value


def rows(value: object, *, what: str) -> Sequence[object]:
    _present(value, what)
    if not isinstance(value, list):
        raise BadData(f"{what} is not a list")
    return value


def text(of: Record, name: str) -> str:
    """Returns text that is not blank and is safe for a database, an address and a chat."""
    value = _present(of.get(name), name)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise BadData(f"{name} is not a text")
    if len(value) > _LONGEST_TEXT:
        raise BadData(f"{name} is too long a text")
    return value


def words(value: object, *, most: int) -> str:
    """Returns the first *most* characters of a text for users, without invisible ones."""
    if not isinstance(value, str):
        return ""
    if value.isascii() and value.isalnum():
        return value[:most]  # nothing in it is invisible or a blank
    shown = "".join(c if c.isprintable() else " " for c in value[: 2 * most])
    return " ".join(shown.split())[:most]


def code(value: object) -> str:
    """A value that is stated as a number in one place and as a text in another; else blank."""
    return str(value) if isinstance(value, int | str) else ""


def flag(of: Record, name: str) -> bool:
    value = _present(of.get(name), name)
    if not isinstance(value, bool):
        raise BadData(f"{name} is neither true nor false")
    return value


def integer(of: Record, name: str, *, least: int, most: int) -> int:
    value = _present(of.get(name), name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadData(f"{name} is not a whole number from {least} to {most}")
    return value


def amount(of: Record, name: str) -> Decimal:
    """Not negative, finite and of sane size; MEXC sends numbers as text or as numbers."""
    return amount_from(of.get(name), what=name)


def amount_from(value: object, *, what: str) -> Decimal:
    exact = _exact(_present(value, what))
    if exact is None or exact < ZERO:
        raise BadData(f"{what} is not an amount: {_shown(value)}")
    if exact == ZERO:
        return ZERO
    exponent = exact.as_tuple().exponent
    if exact >= _TOO_LARGE or not isinstance(exponent, int) or exponent < _FINEST_EXPONENT:
        raise BadData(f"{what} is out of range: {_shown(value)}")
    return exact


def _present(value: object, name: str) -> object:
    if value is None:
        raise BadData(f"{name} is missing")
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    return read if len(read) == len(pairs) else Ambiguous(pairs)


def _exact(value: object) -> Decimal | None:
    if isinstance(value, str):
        value = _exact_number(value)
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        return None
    return Decimal(value)


def _exact_number(digits: str) -> "Decimal | _NoNumber":
    try:
        return decimal_from_text(digits)
    except ValueError:
        return _NoNumber(digits)


def _bounded_integer(digits: str) -> "int | _NoNumber":
    return int(digits) if len(digits) <= _LONGEST_INTEGER else _NoNumber(digits)


@dataclass(frozen=True, slots=True)
class _NoNumber:
    """Placeholder for a number that cannot be used."""

    stated: str


def _shown(value: object) -> str:
    """Lists and objects only by their kind: they may be too deep to be written out."""
    if isinstance(value, str | int | Decimal):
        return ascii(str(value)[:_SHOWN])
    return type(value).__name__
