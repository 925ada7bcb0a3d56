"""Parses what `/buy` and `/sell` are asked to trade. Nothing is guessed."""

import re
from decimal import Decimal

from bot.parsing.input_rules import InputRule, percent_rule
from bot.parsing.settings import (
    Ambiguous,
    NotUnderstood,
    Topic,
    amounts_in,
    as_percent,
    normalized,
    numbers_in,
    parse_symbol,
    percents_in,
    value_of,
)
from engine.domain.market.pairs import Side, Symbol
from engine.domain.rebalancing.manual_trade import ManualTrade

_EVERYTHING = Decimal(100)
_OF = re.compile(r" of ", re.IGNORECASE)
_PERCENT = re.compile(r"([0-9.,]+) ?%", re.ASCII)
_BARE = re.compile(r"[0-9.,]+", re.ASCII)


def parse_trade(text: str, *, side: Side, pair: Symbol) -> ManualTrade | Symbol | Ambiguous:
    """Parse "20", "20 USDT", "50%" or "all", with "of MNTL" or without. A bare number is USDT to
    buy for, and asked about where it is to sell. Returns the symbol where it is not *pair*.
    """
    topic = Topic.BUY if side is Side.BUY else Topic.SELL
    amount, *tokens = _OF.split(normalized(text, topic), maxsplit=1)
    for token in tokens:
        try:
            symbol = parse_symbol(token)
        except NotUnderstood as e:
            raise NotUnderstood(topic, e.rule) from e
        if symbol.upper() != pair.upper():
            return symbol
    options, certain = _options(amount, topic)
    if not certain:
        return Ambiguous(topic, tuple(options))
    if options[0].endswith("%"):
        return ManualTrade(side, share=value_of(options[0]))
    return ManualTrade(side, quote_amount=value_of(options[0]))


def _options(amount: str, topic: Topic) -> tuple[list[str], bool]:
    """Return what may be meant, one at least, and whether it is certain."""
    if amount.lower() == "all":
        return [as_percent(_EVERYTHING)], True
    if percent := _PERCENT.fullmatch(amount):
        return percents_in(percent[1], topic, rule=_share_rule, too_large=InputRule.NUMBER)
    amounts, certain = amounts_in(amount, topic)
    if topic is Topic.BUY or not _BARE.fullmatch(amount):
        return amounts, certain
    shares = [number for number in numbers_in(amount) if _share_rule(number) is None]
    return [*map(as_percent, shares), *amounts], False


def _share_rule(number: Decimal) -> InputRule | None:
    """Return what a share of what is free breaks."""
    if number > _EVERYTHING:
        return InputRule.MOST_PERCENT
    return None if number == _EVERYTHING else percent_rule(number)
