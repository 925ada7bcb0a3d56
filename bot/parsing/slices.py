"""Parses a trade over time: "500 USDT of MNTL over 1h". Without the time it is a trade at once."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.parsing.input_rules import InputRule
from bot.parsing.manual_trade import parse_trade
from bot.parsing.plain_words import time_span
from bot.parsing.settings import Ambiguous, NotUnderstood, Topic
from engine.domain.execution.slices import LEAST_SPAN, MOST_SPAN
from engine.domain.market.pairs import Side, Symbol
from engine.domain.rebalancing.manual_trade import ManualTrade

_OVER = re.compile(r"(?P<trade>.*?) over(?: (?P<span>.*))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TradeOverTime:
    """Trade *trade* in slices over *span*."""

    trade: ManualTrade
    span: timedelta


def parse_trade_over_time(
    text: str, *, side: Side, pair: Symbol
) -> TradeOverTime | ManualTrade | Symbol | Ambiguous:
    """Parse what `parse_trade` parses, and how long it may take after "over": 10 minutes to a day."""
    found = _OVER.fullmatch(" ".join(text.split()))
    if found is None:
        return parse_trade(text, side=side, pair=pair)
    span = time_span(found["span"] or "")
    if span is None or not LEAST_SPAN <= span <= MOST_SPAN:
        topic = Topic.BUY if side is Side.BUY else Topic.SELL
        raise NotUnderstood(topic, InputRule.TRADE_SPAN)
    trade = parse_trade(found["trade"], side=side, pair=pair)
    if isinstance(trade, Ambiguous):
        over = f" over {found['span']}"
        return replace(trade, options=tuple(option + over for option in trade.options))
    return TradeOverTime(trade, span) if isinstance(trade, ManualTrade) else trade
