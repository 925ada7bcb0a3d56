"""Parses typed values: exact, ambiguous, or not understood. Nothing is guessed."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

from bot.parsing.input_rules import (
    LONGEST,
    InputRule,
    amount_rule,
    move_rule,
    percent_rule,
    span_rule,
    unreadable_rule,
)
from engine.domain.accounts.deposits import DepositChoice, DepositRule
from engine.domain.accounts.risk_limits import MAX_ORDERS
from engine.domain.accounts.settings import MAX_INTERVAL, MIN_INTERVAL
from engine.domain.market.balances import Counting
from engine.domain.market.decimals import plain
from engine.domain.market.pairs import USDT, Symbol, is_asset_name
from engine.domain.targets.bands import Threshold

Choice = TypeVar("Choice")
BrokenRule = Callable[[Decimal], InputRule | None]

_AUTOMATIC = "auto"
_SWITCH = {"on": True, "off": False}
_COUNTINGS = {"held": Counting.HELD, "free": Counting.FREE}
# The typed word, and the field's name in `RateLimits`.
_LIMITS = {"order": "order", "day": "day", "hour": "orders_per_hour", "price": "move"}
DEFAULT_HISTORY_ROWS = 5
MOST_HISTORY_ROWS = 20
DEFAULT_LOG_LINES = 20
MOST_LOG_LINES = 100
_GROUP = 3

_ONE_SEPARATOR = re.compile(r"([0-9]{1,12})([.,])([0-9]{1,8})", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[1-9][0-9]*,[0-9]+", re.ASCII)
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
_JOINED = re.compile(r"([a-z]+)([0-9].*)", re.ASCII)
_BETWEEN_ASSETS = re.compile(r"[/_-]")


class Topic(Enum):
    """The setting that a value is for; the enum's value is the command's name."""

    TARGET = "settarget"
    GOAL = "target"
    BANDS = "bands"
    DESTINATION = "destination"
    PROTECT = "protect"
    COOLDOWN = "cooldown"
    SCHEDULE = "schedule"
    CRASH_GUARD = "crashguard"
    THRESHOLD = "setthreshold"
    INTERVAL = "setinterval"
    PAIR = "setpair"
    COUNTING = "count"
    DRY_RUN = "dryrun"
    HISTORY = "history"
    WHY = "why"
    PROFIT = "profit"
    LOGS = "logs"
    LIMITS = "limits"
    ALERTS = "alerts"
    WARN = "warn"
    PRICE_ALERT = "pricealert"
    DEPOSITS = "deposits"
    EXECUTION = "execution"
    SLIPPAGE = "slippage"
    BUY = "buy"
    SELL = "sell"


class NotUnderstood(Exception):
    """Raised if the text is no value for *topic*; *rule* is what it breaks.
    `bot/views/settings.py` shows both, and the right form.
    """

    def __init__(self, topic: Topic, rule: InputRule = InputRule.FORM) -> None:
        super().__init__(f"{topic.value}: {rule.value}")
        self.topic = topic
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Raised if the text may mean any of *options*; the same parser accepts each of them."""

    topic: Topic
    options: tuple[str, ...]


def beginning_of(topic: Topic, text: str) -> str:
    """Return the command to which another value is a rest: *text* was none, but may name a part."""
    part, _, value = text.strip().lower().partition(" ")
    parts = {Topic.LIMITS: {*_LIMITS}, Topic.ALERTS: {"smallest", "quiet", "zone", "digest"}}
    is_named = bool(value) and part in parts.get(topic, ())
    return f"{topic.value} {part}" if is_named else topic.value


def parse_target(text: str) -> Decimal | Ambiguous:
    """Parse USDT to hold: "40", "40.5", "40 USDT", "$40". "40,5" and "1,000" are asked about."""
    options, certain = amounts_in(normalized(text, Topic.TARGET), Topic.TARGET)
    return value_of(options[0]) if certain else Ambiguous(Topic.TARGET, tuple(options))


def parse_threshold(text: str) -> Threshold | Ambiguous:
    """Parse the allowed drift: "5%" of the target or "2 USDT". A bare number is ambiguous."""
    tidy = normalized(text, Topic.THRESHOLD)
    money = _MONEY.fullmatch(tidy)
    is_bare = money is not None and not (money["dollar"] or money["unit"])
    if percent := _PERCENT.fullmatch(tidy):
        most = InputRule.UNDER_100_PERCENT
        options, certain = percents_in(
            percent["number"], Topic.THRESHOLD, rule=percent_rule, too_large=most
        )
    elif is_bare and (percents := _bare_percents(numbers_in(tidy))):
        in_usdt = [_as_usdt(n) for n in numbers_in(tidy) if amount_rule(n) is None]
        options, certain = [*percents, *in_usdt], False
    else:
        options, certain = amounts_in(tidy, Topic.THRESHOLD)
        certain = certain and not is_bare
    return _threshold(options[0]) if certain else Ambiguous(Topic.THRESHOLD, tuple(options))


def parse_interval(text: str) -> timedelta:
    """Parse the time between two checks: "120" (seconds), "120s", "2m", "1h 30m"; 1 s to 1 day."""
    tidy = normalized(text, Topic.INTERVAL)
    span = _SPAN.fullmatch(tidy)
    if span is None:
        raise NotUnderstood(Topic.INTERVAL, span_rule(tidy))
    interval = timedelta(
        **{unit: int(count) for unit, count in span.groupdict(default="0").items()}
    )
    if not MIN_INTERVAL <= interval <= MAX_INTERVAL:
        raise NotUnderstood(Topic.INTERVAL, InputRule.INTERVAL)
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
            raise NotUnderstood(Topic.PAIR, InputRule.AGAINST_USDT)
    elif [quote.upper() for quote in quotes] != [USDT]:
        raise NotUnderstood(Topic.PAIR, InputRule.AGAINST_USDT)
    if base == USDT or (not base and not quotes):
        raise NotUnderstood(Topic.PAIR, InputRule.OTHER_THAN_USDT)
    if not is_asset_name(base):
        raise NotUnderstood(Topic.PAIR, InputRule.ASSET_NAME)
    return Symbol(base + USDT)


def parse_switch(text: str) -> bool:
    tidy = normalized(text, Topic.DRY_RUN)
    return one_of(_SWITCH, tidy, Topic.DRY_RUN, InputRule.ON_OR_OFF)


def parse_counting(text: str) -> Counting:
    tidy = normalized(text, Topic.COUNTING)
    return one_of(_COUNTINGS, tidy, Topic.COUNTING, InputRule.HELD_OR_FREE)


def parse_deposits(text: str) -> DepositRule:
    """Parse what happens to deposits: "now", "wait" (15 min), "wait 1h", "ask", "keep"."""
    tidy = normalized(text, Topic.DEPOSITS).lower()
    if not tidy.startswith(DepositChoice.WAIT.value):
        choices = {choice.value: choice for choice in DepositChoice}
        return DepositRule(one_of(choices, tidy, Topic.DEPOSITS, InputRule.DEPOSIT_CHOICE))
    duration = tidy.removeprefix(DepositChoice.WAIT.value).strip()
    if not duration:
        return DepositRule(DepositChoice.WAIT)
    try:
        return DepositRule(DepositChoice.WAIT, parse_interval(duration))
    except (NotUnderstood, ValueError) as e:
        raise NotUnderstood(Topic.DEPOSITS, InputRule.DEPOSIT_WAIT) from e


def parse_limits(text: str) -> Mapping[str, Decimal | int | None] | Ambiguous:
    """Parse limits by their name in `RateLimits`: "order 500", "hour 20", "price 15%", "day2000".
    None for "order auto", and all four None for "auto".
    """
    tidy = normalized(text, Topic.LIMITS).lower()
    joined = _JOINED.fullmatch(tidy)
    name, _, value = (f"{joined[1]} {joined[2]}" if joined else tidy).partition(" ")
    if name == _AUTOMATIC and not value:
        return dict.fromkeys(_LIMITS.values())
    if name not in _LIMITS:
        raise NotUnderstood(Topic.LIMITS, InputRule.LIMIT_NAME)
    if not value:
        raise NotUnderstood(Topic.LIMITS, InputRule.LIMIT_VALUE)
    if value == _AUTOMATIC:
        return {_LIMITS[name]: None}
    if name == "hour":
        if not _WHOLE.fullmatch(value) or not 1 <= int(value) <= MAX_ORDERS:
            raise NotUnderstood(Topic.LIMITS, InputRule.ORDERS_PER_HOUR)
        return {_LIMITS[name]: int(value)}
    options, certain = _moves(value) if name == "price" else amounts_in(value, Topic.LIMITS)
    if not certain:
        return Ambiguous(Topic.LIMITS, tuple(f"{name} {option}" for option in options))
    return {_LIMITS[name]: value_of(options[0])}


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
        rule = InputRule.LOG_LINES if topic is Topic.LOGS else InputRule.ROWS
        raise NotUnderstood(topic, rule)
    return int(tidy)


def normalized(text: str, topic: Topic) -> str:
    """On one line, with single spaces. Raises NotUnderstood for an empty or a long text."""
    tidy = " ".join(text.split())
    if not tidy or len(tidy) > LONGEST:
        raise NotUnderstood(topic, InputRule.LENGTH if tidy else InputRule.FORM)
    return tidy


def one_of(words: Mapping[str, Choice], text: str, topic: Topic, rule: InputRule) -> Choice:
    """Return what *text* stands for in any case. Raises NotUnderstood for other words."""
    try:
        return words[text.lower()]
    except KeyError:
        raise NotUnderstood(topic, rule) from None


def numbers_in(number: str) -> tuple[Decimal, ...]:
    """List every number that *number* may mean: many countries write 1.000,50 for 1,000.50."""
    if _WHOLE.fullmatch(number):
        return (Decimal(number),)
    if separated := _ONE_SEPARATOR.fullmatch(number):
        whole, separator, rest = separated.groups()
        with_fraction = Decimal(f"{whole}.{rest}")
        # 1.500 may be German for 1,500; 40.125 is only a number with too many decimals, and
        # 40,5 is no way to write 405.
        may_be_grouped = len(whole) <= _GROUP and len(rest) == _GROUP
        if separator == "." and not rest.endswith("0"):
            may_be_grouped = False
        if whole.startswith("0") or not may_be_grouped:
            return (with_fraction,)
        return (Decimal(whole + rest), with_fraction)
    if _COMMA_GROUPS.fullmatch(number):
        return (Decimal(number.replace(",", "")),)
    if _DOT_GROUPS.fullmatch(number):
        return (Decimal(number.replace(".", "").replace(",", ".")),)
    return ()


def is_certain(number: str) -> bool:
    """False if *number* must be asked about: 1,000 and, to be sure, 40,5."""
    return len(numbers_in(number)) == 1 and not _DECIMAL_COMMA.fullmatch(number)


def _readings(number: str, topic: Topic, *, too_large: InputRule) -> tuple[Decimal, ...]:
    readings = numbers_in(number)
    if not readings:
        raise NotUnderstood(topic, unreadable_rule(number, too_large=too_large))
    return readings


def _fitting(readings: tuple[Decimal, ...], broken: BrokenRule, topic: Topic) -> list[Decimal]:
    """Return those that break no rule, one at least; otherwise raise what the first one breaks."""
    fitting = [number for number in readings if broken(number) is None]
    if not fitting:
        raise NotUnderstood(topic, broken(readings[0]) or InputRule.FORM)
    return fitting


def amounts_in(text: str, topic: Topic) -> tuple[list[str], bool]:
    """Return the amounts of USDT that are meant, one at least, and whether it is certain."""
    money = _MONEY.fullmatch(text)
    if money is None and _PERCENT.fullmatch(text):
        raise NotUnderstood(topic, InputRule.NO_PERCENTAGE)
    number = money["number"] if money else text
    readings = _readings(number, topic, too_large=InputRule.MOST_USDT)
    fitting = _fitting(readings, amount_rule, topic)
    return [_as_usdt(amount) for amount in fitting], is_certain(number)


def percents_in(
    number: str, topic: Topic, *, rule: BrokenRule, too_large: InputRule
) -> tuple[list[str], bool]:
    """Return the percentages that are meant, one at least, and whether it is certain."""
    fitting = _fitting(_readings(number, topic, too_large=too_large), rule, topic)
    return [as_percent(percentage) for percentage in fitting], is_certain(number)


def _bare_percents(readings: tuple[Decimal, ...]) -> list[str]:
    """Without a sign, 5 may be 5 %, and 0.05 may be the same written as a fraction."""
    percents = [number if number >= 1 else number.scaleb(2) for number in readings]
    return [as_percent(number) for number in percents if percent_rule(number) is None]


def _moves(text: str) -> tuple[list[str], bool]:
    """Return the allowed price moves in percent, one at least, and whether it is certain."""
    percent, money = _PERCENT.fullmatch(text), _MONEY.fullmatch(text)
    if money and (money["dollar"] or money["unit"]):
        raise NotUnderstood(Topic.LIMITS, InputRule.PERCENTAGE)
    number = percent["number"] if percent else text
    readings = _readings(number, Topic.LIMITS, too_large=InputRule.PRICE_MOVE)
    if percent is None:
        readings = tuple(n if n >= 1 else n.scaleb(2) for n in readings)
    fitting = _fitting(readings, move_rule, Topic.LIMITS)
    return [as_percent(n) for n in fitting], percent is not None and is_certain(number)


def _as_usdt(amount: Decimal) -> str:
    return f"{plain(amount)} USDT"


def as_percent(number: Decimal) -> str:
    return f"{plain(number)}%"


def _threshold(option: str) -> Threshold:
    if option.endswith("%"):
        return Threshold(relative=value_of(option))
    return Threshold(quote_amount=value_of(option))


def value_of(option: str) -> Decimal:
    """Parse "15%" or "500 USDT"."""
    if option.endswith("%"):
        return Decimal(option.removesuffix("%")).scaleb(-2)
    return Decimal(option.removesuffix(" USDT"))
