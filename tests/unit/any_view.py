"""Calls views with arguments made up from their types: every optional line comes up."""

import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from random import Random
from typing import Any

import bot.views
from bot.interaction.message import Message
from engine.domain.market.pairs import Asset, Symbol
from engine.errors import EngineError
from tests.fakes.clock import START

_PLAIN: Mapping[Any, Sequence[Any]] = {
    bool: (False, True),
    str: ("x", "settarget"),
    int: (0, 1, 3, 7),
    float: (1.0, 90.0),
    Decimal: [Decimal(text) for text in ("0", "0.002", "0.5", "12.5", "40", "950")],
    datetime: [START + timedelta(hours=hours) for hours in (-30, -1, 0, 1, 30)],
    timedelta: [timedelta(minutes=minutes) for minutes in (1, 15, 600)],
    Symbol: (Symbol("MNTLUSDT"), Symbol("ABCUSDT")),
    Asset: (Asset("MNTL"), Asset("USDT")),
    Message: (Message("x"),),
}
_TRIES = 30
_hints = cache(typing.get_type_hints)


def all_views() -> Iterator[tuple[str, Callable[..., Message]]]:
    """Every function of `bot/views` that returns a message, with the module that it is in."""
    for module in pkgutil.walk_packages(bot.views.__path__, "bot.views."):
        for name, view in vars(importlib.import_module(module.name)).items():
            is_own = inspect.isfunction(view) and view.__module__ == module.name
            if is_own and not name.startswith("_") and _hints(view).get("return") is Message:
                yield name, view


def said_by(view: Callable[..., Message], random: Random, **kinds: type) -> Message | None:
    """What *view* says to arguments made up, of its types or of *kinds*; None where they do not go
    together.
    """
    hints = {name: kind for name, kind in _hints(view).items() if name != "return"} | kinds
    try:
        return view(**{name: made(kind, random) for name, kind in hints.items()})
    except (ArithmeticError, EngineError, KeyError, ValueError):
        return None


def made(kind: Any, random: Random) -> Any:  # noqa: C901, PLR0911 - one return a kind of type
    """A value of the type; what may be missing mostly is there."""
    if kind in _PLAIN:
        return random.choice(_PLAIN[kind])
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        some = [one for one in arguments if one is not types.NoneType]
        is_missing = len(some) < len(arguments) and random.random() < 0.25
        return None if is_missing else made(random.choice(some), random)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return tuple(made(one, random) for one in arguments)
    if origin is tuple:
        return tuple(made(arguments[0], random) for _ in range(random.choice((1, 2))))
    if origin is not None and issubclass(origin, Mapping):
        return {made(arguments[0], random): made(arguments[1], random) for _ in range(2)}
    if origin is frozenset:
        return frozenset(made(arguments[0], random) for _ in range(2))
    if origin is not None:
        return [made(arguments[0], random) for _ in range(random.choice((0, 1, 2, 9)))]
    if not isinstance(kind, type):
        return made(kind.__supertype__, random)
    if issubclass(kind, Enum):
        return random.choice(list(kind))
    if is_dataclass(kind):
        return _dataclass(kind, random)
    if issubclass(kind, tuple):
        return kind(**{name: made(hint, random) for name, hint in _hints(kind).items()})
    return _error(kind, random)


def _dataclass(kind: type, random: Random) -> Any:
    """Tried again where the values contradict each other."""
    hints = _hints(kind)
    for _ in range(_TRIES):
        try:
            given = [one.name for one in fields(kind) if one.init]
            return kind(**{name: made(hints[name], random) for name in given})
        except (ArithmeticError, EngineError, ValueError):
            continue
    raise ValueError(f"no {kind} was made")


def _error(kind: type, random: Random) -> Any:
    kinds: list[Any] = [kind]
    for one in kinds:
        kinds += one.__subclasses__()
    chosen = random.choice(kinds)
    hints = {name: hint for name, hint in _hints(chosen.__init__).items() if name != "return"}
    if set(hints) & {"args", "kwargs"} or not hints:
        return chosen("IP [203.0.113.7]")
    return chosen(**{name: made(hint, random) for name, hint in hints.items()})
