"""The rules of typed values: a refusal names the one that was broken."""

import re
from decimal import Decimal
from enum import Enum

from engine.domain.accounts.settings import MAX_TARGET
from engine.domain.market.decimals import ZERO

LONGEST = 40
_CENT_DECIMALS = 2
_MOST_PERCENT = 100
_MOST_DIGITS = 12

_BELOW_ZERO = re.compile(r"[$ ]*[-\u2212\u2013][$ ]*[0-9.,]+.*", re.ASCII)
_ABBREVIATED = re.compile(r"[$ ]*[0-9.,]+ ?(?:[eE][+-]?[0-9]+|[kKmM])\b.*", re.ASCII)
_WITH_A_UNIT = re.compile(r"[^\W\d_]{2,} ?[0-9.,]+|[0-9.,]+ ?[^\W\d_]{2,}|.*[€£¥₽₺].*")
_FRACTION = re.compile(r"[0-9][.,][0-9]", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)


class InputRule(Enum):
    """What a refused text breaks; `bot/views/components/input_rules.py` words it."""

    FORM = "form"  # no rule says more than the right form does
    LENGTH = "length"
    DIGITS = "digits"
    NUMBER = "number"
    IN_FULL = "in full"
    IN_USDT = "in USDT"
    NO_PERCENTAGE = "no percentage"
    ABOVE_ZERO = "above zero"
    MOST_USDT = "most USDT"
    TWO_DECIMALS = "two decimals"
    UNDER_100_PERCENT = "under 100 %"
    MOST_PERCENT = "most percent"
    TIME_SPAN = "time span"
    WHOLE_TIMES = "whole times"
    INTERVAL = "interval"
    AGAINST_USDT = "against USDT"
    OTHER_THAN_USDT = "other than USDT"
    ASSET_NAME = "asset name"
    HELD_OR_FREE = "held or free"
    ON_OR_OFF = "on or off"
    ROWS = "rows"
    LOG_LINES = "log lines"
    LIMIT_NAME = "limit name"
    LIMIT_VALUE = "limit value"
    ORDERS_PER_HOUR = "orders per hour"
    PRICE_MOVE = "price move"
    PERCENTAGE = "percentage"
    ALERT_PART = "alert part"
    ALERT_LEVEL = "alert level"
    YES_OR_NO = "yes or no"
    LIGHT_OR_DARK = "light or dark"
    TIME_OF_DAY = "time of day"
    WEEKDAY = "weekday"
    TWO_TIMES = "two times"
    TIMES_DIFFER = "times differ"
    MOST_SMALLEST = "most smallest"
    WARNING_AMOUNT = "warning amount"
    MOVE = "move"
    MOVE_MISSING = "move missing"
    DEPOSIT_CHOICE = "deposit choice"
    DEPOSIT_WAIT = "deposit wait"
    SPAN = "span"
    TARGET_LENGTH = "target length"
    SUM_OF_100 = "sum of 100"
    PARTS_AND_NAMES = "parts and names"
    NAMED_TWICE = "named twice"
    ONLY_USDT = "only USDT"
    MOST_TOKENS = "most tokens"
    USDT_ONCE = "USDT once"
    PART_SIZE = "part size"
    LOW_UNDER_HIGH = "low under high"
    CENTRE_INSIDE = "centre inside"
    POINTS_AND_PERCENT = "points and percent"
    BAND = "band"
    DESTINATION = "destination"
    COOLDOWN = "cooldown"
    SCHEDULE = "schedule"
    MOST_TIMES = "most times"
    CRASH_GUARD = "crash guard"
    TRADE_SPAN = "trade span"
    EXECUTION_MODE = "auto, market or maker"
    SLIPPAGE = "slippage"


def amount_rule(amount: Decimal) -> InputRule | None:
    """Return what an amount of USDT breaks. With whole cents, the echo equals the stored value."""
    if amount <= ZERO:
        return InputRule.ABOVE_ZERO
    if amount > MAX_TARGET:
        return InputRule.MOST_USDT
    return _decimals_rule(amount)


def percent_rule(number: Decimal) -> InputRule | None:
    """Return what a percentage above 0 and under 100 breaks."""
    if number <= ZERO:
        return InputRule.ABOVE_ZERO
    if number >= _MOST_PERCENT:
        return InputRule.UNDER_100_PERCENT
    return _decimals_rule(number)


def move_rule(number: Decimal) -> InputRule | None:
    """Return what an allowed price move, from 1 to 100 %, breaks."""
    if not 1 <= number <= _MOST_PERCENT:
        return InputRule.PRICE_MOVE
    return _decimals_rule(number)


def unreadable_rule(text: str, *, too_large: InputRule) -> InputRule:
    """Return what a text breaks that is no number; *too_large* if it only has too many digits."""
    if _BELOW_ZERO.fullmatch(text):
        return InputRule.ABOVE_ZERO
    if _ABBREVIATED.fullmatch(text):
        return InputRule.IN_FULL
    if any(len(digits) > _MOST_DIGITS for digits in _DIGITS.findall(text)):
        return too_large
    if _WITH_A_UNIT.fullmatch(text):
        return InputRule.IN_USDT
    return InputRule.NUMBER


def span_rule(text: str) -> InputRule:
    """Return what a text breaks that is no time between two checks."""
    if _BELOW_ZERO.fullmatch(text):
        return InputRule.INTERVAL
    return InputRule.WHOLE_TIMES if _FRACTION.search(text) else InputRule.TIME_SPAN


def _decimals_rule(number: Decimal) -> InputRule | None:
    is_exact = number == round(number, _CENT_DECIMALS)
    return None if is_exact else InputRule.TWO_DECIMALS
