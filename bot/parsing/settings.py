"""Parses typed values: exact, ambiguous, or not understood. Nothing is guessed."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

from engine.domain.accounts.risk_limits import MAX_ORDERS
from engine.domain.accounts.settings import (
    MAX_INTERVAL,
    MAX_TARGET,
    MIN_INTERVAL,
    Threshold,
    ThresholdUnit,
)
from engine.domain.market.balances import Counting
from engine.domain.market.decimals import ZERO, plain
from engine.domain.market.pairs import USDT, Symbol, is_asset_name

Choice = TypeVar("Choice")

_LONGEST = 40
_AUTOMATIC = "auto"
_SWITCH = {"on": True, "off": False}
_COUNTINGS = {"held": Counting.HELD, "free": Counting.FREE}
# The typed word, and the field's name in `RateLimits`.
_LIMITS = {"order": "order", "day": "day", "hour": "orders_per_hour", "price": "move"}
DEFAULT_HISTORY_ROWS = 5
MOST_HISTORY_ROWS = 20
DEFAULT_LOG_LINES = 20
MOST_LOG_LINES = 100
_MOST_PERCENT = 100
_GROUP = 3
_CENT_DECIMALS = 2

_ONE_SEPARATOR = re.compile(r"([0-9]{1,12})([.,])([0-9]{1,8})", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,12}", re.ASCII)
_COMMA_GROUPS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3}){1,3}(?:\.[0-9]{1,8})?", re.ASCII)
_DOT_GROUPS = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3}){1,3}(?:,[0-9]{1,8})?", re.ASCII)
_MONEY = re.compile(
    r"(?P<dollar>\$ ?)?(?P<number>[0-9.,]+)(?P<unit> ?(?:USDT|USD|\$))?",
    re.ASCII | re.IGNORECASE,
)
_PERCENT = re.compile(r"(?P<number>[0-9.,]+) ?%", re.ASCII)
_SPAN = re.compile(
    r"(?:(?P<hours>[0-9]{1,5}) ?(?:h|hrs?|hours?))? ?"
    r"(?:(?P<minutes>[0-9]{1,5}) ?(?:m|mins?|minutes?))? ?"
    r"(?:(?P<seconds>[0-9]{1,5}) ?(?:s|secs?|seconds?)?)?",
    re.ASCII | re.IGNORECASE,
)
_BETWEEN_ASSETS = re.compile(r"[/_-]")


class Topic(Enum):
    """The setting that a value is for; the enum's value is the command's name."""

    TARGET = "settarget"
    THRESHOLD = "setthreshold"
    INTERVAL = "setinterval"
    PAIR = "setpair"
    COUNTING = "count"
    DRY_RUN = "dryrun"
    HISTORY = "history"
    WHY = "why"
    LOGS = "logs"
    LIMITS = "limits"
    ALERTS = "alerts"
    WARN = "warn"


class NotUnderstood(Exception):
    """Raised if the text is no value for *topic*; `bot/views/settings.py` shows the right form."""

    def __init__(self, topic: Topic) -> None:
        super().__init__(topic.value)
        self.topic = topic


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Raised if the text may mean any of *options*; the same parser accepts each of them."""

    topic: Topic
    options: tuple[str, ...]


def parse_target(text: str) -> Decimal | Ambiguous:
    """Parse USDT to hold: "40", "40.5", "40 USDT", "$40". "40,5" and "1,000" are ambiguous."""
    money = _MONEY.fullmatch(normalized(text, Topic.TARGET))
    if money is None:
        raise NotUnderstood(Topic.TARGET)
    readings = numbers_in(money["number"])
    targets = [amount for amount in readings if _is_amount(amount)]
    if not targets:
        raise NotUnderstood(Topic.TARGET)
    if len(readings) == 1:
        return targets[0]
    return Ambiguous(Topic.TARGET, tuple(_as_usdt(amount) for amount in targets))


def parse_threshold(text: str) -> Threshold | Ambiguous:
    """Parse the allowed drift: "5%" of the target or "2 USDT". A bare number is ambiguous."""
    tidy = normalized(text, Topic.THRESHOLD)
    if percent := _PERCENT.fullmatch(tidy):
        readings = numbers_in(percent["number"])
        options = [_as_percent(number) for number in readings if _is_percent(number)]
        certain = len(readings) == 1
    elif money := _MONEY.fullmatch(tidy):
        readings = numbers_in(money["number"])
        in_usdt = [_as_usdt(number) for number in readings if _is_amount(number)]
        has_unit = bool(money["dollar"] or money["unit"])
        options = in_usdt if has_unit else [*_bare_percents(readings), *in_usdt]
        certain = has_unit and len(readings) == 1
    else:
        raise NotUnderstood(Topic.THRESHOLD)
    if not options:
        raise NotUnderstood(Topic.THRESHOLD)
    return _threshold(options[0]) if certain else Ambiguous(Topic.THRESHOLD, tuple(options))


def parse_interval(text: str) -> timedelta:
    """Parse the time between two checks: "120" (seconds), "120s", "2m", "1h 30m"; 1 s to 1 day."""
    span = _SPAN.fullmatch(normalized(text, Topic.INTERVAL))
    if span is None:
        raise NotUnderstood(Topic.INTERVAL)
    interval = timedelta(
        **{unit: int(count) for unit, count in span.groupdict(default="0").items()}
    )
    if not MIN_INTERVAL <= interval <= MAX_INTERVAL:
        raise NotUnderstood(Topic.INTERVAL)
    return interval


def parse_symbol(text: str) -> Symbol:
    """Parse a pair against USDT: "MNTLUSDT", "MNTL", "mntl/usdt". MEXC decides if it exists.
    Only names in ASCII are upper-cased: MEXC lists those so, and others as they are.
    """
    tidy = normalized(text, Topic.PAIR).replace(" ", "")
    plain_letters = unicodedata.normalize("NFKC", tidy)  # of full-width ones, for example
    tidy = plain_letters if plain_letters.isascii() else unicodedata.normalize("NFC", tidy)
    base, *quotes = _BETWEEN_ASSETS.split(tidy)
    base = base.upper() if base.isascii() else base
    if not quotes:
        if base.upper().endswith(USDT):
            base = base[: -len(USDT)]
        if len(base) > len("USDC") and base.endswith("USDC"):
            raise NotUnderstood(Topic.PAIR)  # of another quote, and we only trade against USDT
    elif [quote.upper() for quote in quotes] != [USDT]:
        raise NotUnderstood(Topic.PAIR)
    if base == USDT or not is_asset_name(base):
        raise NotUnderstood(Topic.PAIR)
    return Symbol(base + USDT)


def parse_switch(text: str) -> bool:
    return one_of(_SWITCH, normalized(text, Topic.DRY_RUN), Topic.DRY_RUN)


def parse_counting(text: str) -> Counting:
    return one_of(_COUNTINGS, normalized(text, Topic.COUNTING), Topic.COUNTING)


def parse_limits(text: str) -> Mapping[str, Decimal | int | None] | Ambiguous:
    """Parse limits by their name in `RateLimits`: "order 500", "hour 20", "price 15%".
    None for "order auto", and all four None for "auto".
    """
    name, _, value = normalized(text, Topic.LIMITS).lower().partition(" ")
    if name == _AUTOMATIC and not value:
        return dict.fromkeys(_LIMITS.values())
    if name not in _LIMITS:
        raise NotUnderstood(Topic.LIMITS)
    if value == _AUTOMATIC:
        return {_LIMITS[name]: None}
    if name == "hour":
        if not _WHOLE.fullmatch(value) or not 1 <= int(value) <= MAX_ORDERS:
            raise NotUnderstood(Topic.LIMITS)
        return {_LIMITS[name]: int(value)}
    options, certain = _moves(value) if name == "price" else _limit_amounts(value)
    if not options:
        raise NotUnderstood(Topic.LIMITS)
    if not certain:
        return Ambiguous(Topic.LIMITS, tuple(f"{name} {option}" for option in options))
    return {_LIMITS[name]: _value(options[0])}


PARSERS: Mapping[Topic, Callable[[str], Any]] = {
    Topic.TARGET: parse_target,
    Topic.THRESHOLD: parse_threshold,
    Topic.INTERVAL: parse_interval,
    Topic.PAIR: parse_symbol,
    Topic.COUNTING: parse_counting,
    Topic.LIMITS: parse_limits,
    Topic.DRY_RUN: parse_switch,
}
"""Of each setting that a chat has, as a command or in the panel."""


def parse_history_rows(text: str) -> int:
    """Parse the number of trades per page; without an argument the default."""
    return _parse_size(text, Topic.HISTORY, default=DEFAULT_HISTORY_ROWS, most=MOST_HISTORY_ROWS)


def parse_why_rows(text: str) -> int:
    return _parse_size(text, Topic.WHY, default=DEFAULT_HISTORY_ROWS, most=MOST_HISTORY_ROWS)


def parse_log_lines(text: str) -> int:
    return _parse_size(text, Topic.LOGS, default=DEFAULT_LOG_LINES, most=MOST_LOG_LINES)


def _parse_size(text: str, topic: Topic, *, default: int, most: int) -> int:
    if not text.strip():
        return default
    tidy = normalized(text, topic)
    if not _WHOLE.fullmatch(tidy) or not 1 <= int(tidy) <= most:
        raise NotUnderstood(topic)
    return int(tidy)


def normalized(text: str, topic: Topic) -> str:
    """On one line, with single spaces. Raises NotUnderstood for an empty or a long text."""
    tidy = " ".join(text.split())
    if not tidy or len(tidy) > _LONGEST:
        raise NotUnderstood(topic)
    return tidy


def one_of(words: Mapping[str, Choice], text: str, topic: Topic) -> Choice:
    """Return what *text* stands for in any case. Raises NotUnderstood for other words."""
    try:
        return words[text.lower()]
    except KeyError:
        raise NotUnderstood(topic) from None


def numbers_in(number: str) -> tuple[Decimal, ...]:
    """List every number that *number* may mean: many countries write 1.000,50 for 1,000.50."""
    if _WHOLE.fullmatch(number):
        return (Decimal(number),)
    if separated := _ONE_SEPARATOR.fullmatch(number):
        whole, separator, rest = separated.groups()
        with_fraction = Decimal(f"{whole}.{rest}")
        # 1.500 may be German for 1,500; 40.125 is only a number with too many decimals.
        may_be_grouped = len(whole) <= _GROUP and len(rest) == _GROUP and rest.endswith("0")
        if whole.startswith("0") or (separator == "." and not may_be_grouped):
            return (with_fraction,)
        return (Decimal(whole + rest), with_fraction)
    if _COMMA_GROUPS.fullmatch(number):
        return (Decimal(number.replace(",", "")),)
    if _DOT_GROUPS.fullmatch(number):
        return (Decimal(number.replace(".", "").replace(",", ".")),)
    return ()


def _is_amount(amount: Decimal) -> bool:
    """True for whole cents: the echo, with two decimals, then equals the stored value."""
    return ZERO < amount <= MAX_TARGET and amount == round(amount, _CENT_DECIMALS)


def _is_percent(number: Decimal) -> bool:
    return ZERO < number < _MOST_PERCENT and number == round(number, _CENT_DECIMALS)


def _bare_percents(readings: tuple[Decimal, ...]) -> list[str]:
    """Without a sign, 5 may be 5 %, and 0.05 may be the same written as a fraction."""
    percents = (number if number >= 1 else number.scaleb(2) for number in readings)
    return [_as_percent(number) for number in percents if _is_percent(number)]


def _moves(text: str) -> tuple[list[str], bool]:
    """Return the allowed price moves in percent, and whether the text is unambiguous."""
    percent = _PERCENT.fullmatch(text)
    readings = numbers_in(percent["number"] if percent else text)
    options = [_as_percent(n) for n in readings] if percent else _bare_percents(readings)
    fitting = [option for option in options if _is_move(option)]
    return fitting, percent is not None and len(readings) == 1


def _is_move(percent: str) -> bool:
    number = Decimal(percent.removesuffix("%"))
    return 1 <= number <= _MOST_PERCENT and number == round(number, _CENT_DECIMALS)


def _limit_amounts(text: str) -> tuple[list[str], bool]:
    money = _MONEY.fullmatch(text)
    readings = numbers_in(money["number"]) if money else ()
    return [_as_usdt(amount) for amount in readings if _is_amount(amount)], len(readings) == 1


def _as_usdt(amount: Decimal) -> str:
    return f"{plain(amount)} USDT"


def _as_percent(number: Decimal) -> str:
    return f"{plain(number)}%"


def _threshold(option: str) -> Threshold:
    unit = ThresholdUnit.FRACTION if option.endswith("%") else ThresholdUnit.QUOTE
    return Threshold(_value(option), unit)


def _value(option: str) -> Decimal:
    """Parse "15%" or "500 USDT"."""
    if option.endswith("%"):
        return Decimal(option.removesuffix("%")).scaleb(-2)
    return Decimal(option.removesuffix(" USDT"))
