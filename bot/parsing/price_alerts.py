"""Parses the argument of `/pricealert`."""

from dataclasses import dataclass
from decimal import Decimal

from bot.parsing.input_rules import InputRule, move_rule
from bot.parsing.settings import (
    Ambiguous,
    NotUnderstood,
    Topic,
    normalized,
    parse_symbol,
    percents_in,
    value_of,
)
from engine.domain.market.pairs import Symbol, base_of


@dataclass(frozen=True, slots=True)
class PriceAlertWish:
    """`/pricealert MNTL 10%`; *fraction* None is "off"."""

    symbol: Symbol
    fraction: Decimal | None


def parse_price_alert(text: str) -> PriceAlertWish | Ambiguous:
    """Parse "MNTL 10%", "MNTL 10" or "MNTL off"; "MNTL 7,5%" is ambiguous. The name may stand there
    twice: it was asked for the percentage.
    """
    name, _, value = normalized(text, Topic.PRICE_ALERT).partition(" ")
    if name.lower() == "off" and not value:
        raise NotUnderstood(Topic.PRICE_ALERT, InputRule.ASSET_NAME)
    try:
        symbol = parse_symbol(name)
    except NotUnderstood as e:
        raise NotUnderstood(Topic.PRICE_ALERT, e.rule) from e
    if value.upper().startswith(f"{name.upper()} "):
        value = value[len(name) :].strip()
    if value.lower() == "off":
        return PriceAlertWish(symbol, None)
    if not value:
        raise NotUnderstood(Topic.PRICE_ALERT, InputRule.MOVE_MISSING)
    options, certain = percents_in(
        value.removesuffix("%").strip(),
        Topic.PRICE_ALERT,
        rule=_broken,
        too_large=InputRule.MOVE,
    )
    if not certain:
        asset = base_of(symbol)
        return Ambiguous(Topic.PRICE_ALERT, tuple(f"{asset} {option}" for option in options))
    return PriceAlertWish(symbol, value_of(options[0]))


def _broken(number: Decimal) -> InputRule | None:
    broken = move_rule(number)
    return InputRule.MOVE if broken is InputRule.PRICE_MOVE else broken
