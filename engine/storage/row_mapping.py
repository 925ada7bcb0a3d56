"""Maps domain values to rows and back, by the names of their fields."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")
_NOTHING: Mapping[str, Any] = {}


def columns_of(value: Any, *but: str) -> dict[str, Any]:
    """Returns the value's fields as columns of the same names, *but* those."""
    kind: Any = type(value)
    return {name: getattr(value, name) for name in _names(kind) if name not in but}


def from_row(kind: Callable[..., T], row: Any, /, **others: Any) -> T:
    """Returns a *kind* of the row's columns with the names of its fields; *others* are given."""
    # What was read is in the row's own dictionary: SQLAlchemy's attributes find it more slowly.
    read = getattr(row, "__dict__", _NOTHING)
    for name in _names(kind):
        if name not in others:
            others[name] = read[name] if name in read else getattr(row, name)
    return kind(**others)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.init)
