"""Parses how orders are executed: `/execution auto`, `/slippage 1% strict`."""

import re
from decimal import Decimal

from bot.parsing.input_rules import InputRule
from bot.parsing.settings import NotUnderstood, Topic, normalized, one_of
from engine.domain.execution.bound import ExecutionMode, Slippage

_MODES = {mode.value: mode for mode in ExecutionMode}
_SLIPPAGE = re.compile(
    r"(?P<percent>[0-9]{1,2}(?:[.,][0-9]{1,2})?) ?%(?P<strict> ?strict)?", re.ASCII
)


def parse_execution(text: str) -> ExecutionMode:
    """Parse "auto", "market" or "maker"."""
    tidy = normalized(text, Topic.EXECUTION).lower()
    return one_of(_MODES, tidy, Topic.EXECUTION, InputRule.EXECUTION_MODE)


def parse_slippage(text: str) -> Slippage:
    """Parse a percentage from 0.01 % to 20 %, and whether it is "strict"."""
    found = _SLIPPAGE.fullmatch(normalized(text, Topic.SLIPPAGE).lower())
    if found is None:
        raise NotUnderstood(Topic.SLIPPAGE, InputRule.SLIPPAGE)
    fraction = Decimal(found["percent"].replace(",", ".")) / 100
    try:
        return Slippage(fraction, strict=found["strict"] is not None)
    except ValueError as e:
        raise NotUnderstood(Topic.SLIPPAGE, InputRule.SLIPPAGE) from e


def slippage_text(slippage: Slippage) -> str:
    """As it is typed."""
    percent = f"{slippage.fraction * 100:f}".rstrip("0").rstrip(".")
    return f"{percent}% strict" if slippage.strict else f"{percent}%"
