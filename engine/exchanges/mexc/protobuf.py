"""Reads messages in the protobuf wire format, by tables of their fields.

By hand, because there are a few small messages and no library is as small; Google's is its judge
in the tests. Unknown fields are skipped, and what no encoder writes is refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_MOST_VARINT_BYTES = 10
_TAG_BITS = 32


class BadFrame(ValueError):
    """The bytes are no message."""


@dataclass(frozen=True, slots=True)
class Field:
    """*read* makes the value of what is on the wire: an int of 64 bits, or bytes."""

    name: str
    wire_type: int
    read: Callable[[Any], Any]
    repeated: bool = False


class Message(dict[int, Field]):
    """The fields of a message by their numbers. *one_of* names those of which the last counts."""

    def __init__(
        self, fields: Mapping[int, Field], *, one_of: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(fields)
        self.one_of = one_of


def string(name: str) -> Field:
    return Field(name, _BYTES, _text)


def int32(name: str) -> Field:
    return Field(name, _VARINT, lambda value: _signed(value, 32))


def int64(name: str) -> Field:
    return Field(name, _VARINT, lambda value: _signed(value, 64))


def boolean(name: str) -> Field:
    return Field(name, _VARINT, bool)


def message(name: str, fields: Message, *, repeated: bool = False) -> Field:
    return Field(name, _BYTES, lambda data: read(data, fields), repeated)


def skipped(name: str) -> Field:
    """A message that is known to be one, and not parsed."""
    return Field(name, _BYTES, bytes)


def read(data: bytes, fields: Message) -> dict[str, Any]:
    """Returns the fields that are on the wire, by name; a field that is not has its default.

    A known field of another wire type is unknown, the last scalar counts, and a message that comes
    twice is merged. Raises BadFrame.
    """
    found: dict[str, Any] = {}
    place, end = 0, len(data)
    while place < end:
        tag, place = _varint(data, place)
        number, wire_type = tag >> 3, tag & 7
        if number == 0 or tag >> _TAG_BITS:
            raise BadFrame(f"field {number}")
        raw, place = _value(data, place, wire_type)
        field = fields.get(number)
        if field is not None and field.wire_type == wire_type:
            _take(found, field, field.read(raw), fields.one_of)
    return found


def _take(found: dict[str, Any], field: Field, value: Any, one_of: frozenset[str]) -> None:
    name = field.name
    if field.repeated:
        found.setdefault(name, []).append(value)
        return
    if name in one_of:
        for other in one_of - {name}:
            found.pop(other, None)
    before = found.get(name)
    found[name] = _merged(before, value) if isinstance(before, dict) else value


def _merged(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    both = before | after
    for name, value in after.items():
        if isinstance(value, list) and name in before:
            both[name] = before[name] + value
    return both


def _value(data: bytes, place: int, wire_type: int) -> tuple[int | bytes, int]:
    if wire_type == _VARINT:
        return _varint(data, place)
    if wire_type == _BYTES:
        length, place = _varint(data, place)
    elif wire_type in {_FIXED_32, _FIXED_64}:
        length = 4 if wire_type == _FIXED_32 else 8
    else:
        raise BadFrame(f"wire type {wire_type}")
    if length > len(data) - place:
        raise BadFrame("a field ends beyond the frame")
    return data[place : place + length], place + length


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Returns an unsigned number of 64 bits, and where it ends."""
    value = shift = 0
    for byte in data[place : place + _MOST_VARINT_BYTES]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more comes
            return value & (1 << 64) - 1, place + shift // 7
    raise BadFrame("a number does not end")


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as e:
        raise BadFrame("a text that is not UTF-8") from e
