"""Domain values as JSON text, for the columns that keep facts for later: alerts, looks, plans.

Amounts and times are text and lose nothing. Where a field may hold one of several dataclasses,
the value carries a tag. Tags are in a table, so that a class may be renamed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin

from cattrs import BaseConverter
from cattrs.preconf.json import JsonConverter, make_converter

from engine.domain.alerts.alerts import Alert
from engine.domain.execution.bounded_order import BoundedOrder
from engine.domain.market.decimals import decimal_from_text, plain
from engine.domain.rebalancing.check_result import (
    REASON_TAGS,
    AwaitingApproval,
    AwaitingSettlement,
    CheckFailed,
    NoTrade,
    OrderPending,
    OrderPlaced,
    PlanChanged,
)
from engine.domain.rebalancing.planner import MarketBuy, MarketSell
from engine.domain.targets.bands import Threshold
from engine.domain.targets.target import (
    Basket,
    FixedUsdt,
    TokenWorth,
    UsdtRange,
    UsdtShare,
)

# By what the database calls them.
ALERTS: Mapping[str, type[Alert]] = {alert.stored_as: alert for alert in get_args(Alert)}
# What the database calls each dataclass of a choice. Rows outlive versions: a tag, once
# used, keeps its meaning.
TAGS: Mapping[type[Any], str] = {
    **REASON_TAGS,
    OrderPlaced: "Ordered",
    NoTrade: "Declined",
    AwaitingApproval: "LeftToPerson",
    PlanChanged: "MovedAway",
    OrderPending: "Waiting",
    AwaitingSettlement: "Unsettled",
    CheckFailed: "Failed",
    MarketBuy: "MarketBuy",
    MarketSell: "MarketSell",
    BoundedOrder: "BoundedOrder",
    UsdtRange: "UsdtRange",
    UsdtShare: "UsdtShare",
    TokenWorth: "TokenWorth",
    Basket: "Basket",
}
_TAG = "_type"

# What reading strange JSON raises: wrong kinds, endless numbers, missing fields, deep nesting.
_UNREADABLE = (
    ArithmeticError,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
    RecursionError,
)

T = TypeVar("T")


class Unreadable(ValueError):
    """What is stored is damaged, or another version's."""


def to_json(value: Any) -> str:
    """The text of a dataclass, on one line."""
    return json.dumps(_CONVERTER.unstructure(value), separators=(",", ":"))


def to_short_json(value: Any) -> str:
    """As `to_json`, without the fields that have their defaults: `from_json` puts them back."""
    return json.dumps(_SHORT.unstructure(value), separators=(",", ":"))


def from_json(text: str, kind: type[T]) -> T:
    """The value `to_json` was given. Fields the text lacks take their defaults, others are left
    out, so that two versions can read each other's rows. Raises Unreadable if it cannot be read.
    """
    try:
        value: T = _CONVERTER.structure(json.loads(text), kind)
    except _UNREADABLE as e:
        raise Unreadable(f"this is no {kind.__name__}") from e
    return value


def readable(text: str | None, kind: type[T]) -> T | None:
    """As `from_json`; None for None, and for what only another version can read."""
    try:
        return None if text is None else from_json(text, kind)
    except Unreadable:
        return None


def alert_from_json(kind: str, text: str) -> Alert:
    """Raises Unreadable if the kind is unknown or the text is no such alert."""
    if kind not in ALERTS:
        raise Unreadable(f"{kind!r} is no alert")
    return from_json(text, ALERTS[kind])


def _is_choice(kind: Any) -> bool:
    """Whether *kind* is a union of several dataclasses, with or without None."""
    if get_origin(kind) is not UnionType:
        return False
    members = [member for member in get_args(kind) if member is not NoneType]
    return len(members) > 1 and all(is_dataclass(member) for member in members)


def _choice_writer(_: Any, converter: BaseConverter) -> Callable[[Any], Any]:
    def write(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, FixedUsdt):  # as versions write it that know no other target
            return plain(value.quote_amount)
        return {_TAG: TAGS[type(value)], **converter.unstructure(value)}

    return write


def _choice_reader(kind: Any, converter: BaseConverter) -> Callable[[Any, Any], Any]:
    choices = get_args(kind)
    members = {TAGS[choice]: choice for choice in choices if choice in TAGS}

    def read(value: Any, _: Any) -> Any:
        if value is None and NoneType in choices:
            return None
        if FixedUsdt in choices and isinstance(value, str):
            return FixedUsdt(decimal_from_text(value))
        return converter.structure(value, members[value[_TAG]])

    return read


def _exact(value: Any, _: Any) -> Decimal:
    # A JSON number would already have been through a binary fraction.
    return decimal_from_text(value)


def _aware(value: Any, _: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


def _threshold_written(threshold: Threshold) -> Mapping[str, str]:
    """One value and its unit, as older versions write and read it; several as they are called."""
    amount, points, relative = threshold.quote_amount, threshold.points, threshold.relative
    if amount is not None:
        return {"value": plain(amount), "unit": "quote"}
    if points is None and relative is not None:
        return {"value": plain(relative), "unit": "fraction"}
    both = {"points": points, "relative": relative}
    return {name: plain(value) for name, value in both.items() if value is not None}


def _awaiting_written(verdict: AwaitingSettlement) -> Mapping[str, bool]:
    """As versions write it that know of no streams, where none told anything."""
    return {"told": True} if verdict.told else {}


def _threshold_read(value: Mapping[str, Any], _: Any) -> Threshold:
    if "value" not in value:
        return Threshold(**{name: decimal_from_text(value[name]) for name in value})
    name = "quote_amount" if value.get("unit") == "quote" else "relative"
    return Threshold(**{name: decimal_from_text(value["value"])})


def _converter(*, omit_if_default: bool = False) -> JsonConverter:
    converter = make_converter(detailed_validation=False, omit_if_default=omit_if_default)
    converter.register_unstructure_hook(Decimal, plain)
    converter.register_structure_hook(Decimal, _exact)
    converter.register_structure_hook(datetime, _aware)
    converter.register_unstructure_hook(timedelta, lambda span: span // timedelta(seconds=1))
    converter.register_structure_hook(timedelta, lambda seconds, _: timedelta(seconds=seconds))
    converter.register_unstructure_hook(Threshold, _threshold_written)
    converter.register_unstructure_hook(AwaitingSettlement, _awaiting_written)
    converter.register_structure_hook(Threshold, _threshold_read)
    converter.register_unstructure_hook_factory(_is_choice, _choice_writer)
    converter.register_structure_hook_factory(_is_choice, _choice_reader)
    return converter


_CONVERTER, _SHORT = _converter(), _converter(omit_if_default=True)
