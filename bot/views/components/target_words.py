"""A target in words: one line for cards and lists, and sentences that say what is held."""

from collections.abc import Sequence
from decimal import Decimal
from typing import assert_never

from bot.views.components.amounts import cents, count, quantity, usdt
from bot.views.components.layout import escape, listed
from engine.domain.accounts.account import Account
from engine.domain.accounts.settings import Settings
from engine.domain.market.decimals import ONE
from engine.domain.market.pairs import USDT, Asset
from engine.domain.targets.destination import Destination
from engine.domain.targets.target import (
    PERCENT,
    Basket,
    FixedUsdt,
    Target,
    TokenWorth,
    UsdtRange,
    UsdtShare,
)

_PERCENT_DECIMALS = 2
_MOST_PARTS = 4
_MOST_WIDTHS = 3


def target_line(target: Target, *, most: int = _MOST_PARTS) -> str:
    """One line, not escaped; of a basket at most *most* parts are named."""
    match target:
        case FixedUsdt(amount):
            return usdt(amount)
        case UsdtRange():
            return _range_line(target)
        case UsdtShare(percent):
            return f"{quantity(percent)}% in USDT"
        case TokenWorth(asset, amount):
            return f"{asset} worth {usdt(amount)}"
        case Basket():
            return _basket_line(target, most=most)
        case _:
            assert_never(target)


def target_sentences(target: Target, *, token: Asset) -> Sequence[str]:
    """What it holds, a sentence a line. *token* is of the pair."""
    base = escape(token)
    match target:
        case FixedUsdt(amount):
            return [f"I hold {usdt(amount)}. The rest is {base}."]
        case UsdtRange():
            return _range_sentences(target, base=base)
        case UsdtShare(percent):
            return [f"I hold {quantity(percent)}% of the account in USDT. The rest is {base}."]
        case TokenWorth(asset, amount):
            return [f"I hold {escape(asset)} worth {usdt(amount)}. The rest is USDT."]
        case Basket():
            return _basket_sentences(target)
        case _:
            assert_never(target)


def traded_name(settings: Settings) -> str:
    """The pair, or how many tokens are traded; not escaped."""
    tokens = settings.targeting.tokens
    if len(tokens) == 1:
        return f"{tokens[0]}/USDT"
    return f"{len(tokens)} tokens"


def part_texts(basket: Basket) -> Sequence[tuple[Asset, str]]:
    """Each asset with its part: a percentage, or a count where that would be rounded."""
    total = basket.total
    percents = [Decimal(part) * PERCENT / total for _, part in basket.parts]
    exact = all(percent == round(percent, _PERCENT_DECIMALS) for percent in percents)
    return [
        (asset, f"{quantity(percent.normalize())}%" if exact else str(part))
        for (asset, part), percent in zip(basket.parts, percents, strict=True)
    ]


DESTINATIONS = {
    Destination.CENTRE: "A trade leads to the target itself.",
    Destination.HALF: "A trade leads half way from the band's edge to the target.",
    Destination.EDGE: "A trade leads just inside the band.",
}


def destination_sentence(settings: Settings) -> str:
    """Where a trade leads; a floor or a ceiling has only its edge."""
    target = settings.target
    if isinstance(target, UsdtRange) and None in {target.low, target.high}:
        return "A trade leads just inside of that."
    return DESTINATIONS[settings.leads_to]


def destination_name(settings: Settings) -> str:
    """What was chosen; of the usual one also what that is."""
    if settings.destination is None:
        return f"usual ({settings.leads_to.value})"
    return settings.destination.value


def _range_line(target: UsdtRange) -> str:
    low, high = target.low, target.high
    if low is None:
        return f"at most {usdt(high or Decimal())}"
    if high is None:
        return f"at least {usdt(low)}"
    both = f"{cents(low)} – {usdt(high)}"
    return both if target.centre is None else f"{cents(target.centre)} in {both}"


def _range_sentences(target: UsdtRange, *, base: str) -> Sequence[str]:
    low, high, centre = target.low, target.high, target.centre
    if low is None:
        return [f"I hold at most {usdt(high or Decimal())}. The rest is {base}, which I only buy."]
    if high is None:
        return [f"I hold at least {usdt(low)}. The rest is {base}, which I only sell."]
    aim = (low + high) / 2 if centre is None else centre
    return [
        f"I hold from {cents(low)} to {usdt(high)}. The rest is {base}.",
        f"The centre of that is {usdt(aim)}.",
    ]


def _basket_line(target: Basket, *, most: int) -> str:
    if target.fixed_quote is not None and len(target.parts) == 1:
        return f"{usdt(target.fixed_quote)}, the rest {target.parts[0][0]}"
    parts = part_texts(target)
    left = len(parts) - most
    named = parts if left <= 1 else parts[:most]
    line = listed(f"{asset} {part}" for asset, part in named)
    if left > 1:
        line = count(left, "{line} and {n} more", "{line} and {n} more", line=line)
    return (
        line if target.fixed_quote is None else f"{usdt(target.fixed_quote)}, of the rest {line}"
    )


def _basket_sentences(target: Basket) -> Sequence[str]:
    has_cash = any(asset == USDT for asset, _ in target.parts)
    if target.fixed_quote is not None:
        first = f"I hold {usdt(target.fixed_quote)} first."
        return [first, "The rest is in these parts, whatever the prices do."]
    parts = "I hold these parts of the account, whatever the prices do."
    return [parts] if has_cash else [parts, "A little USDT stays for fees."]


def widths_line(account: Account) -> str | None:
    """How wide bands that follow volatility are today."""
    basket = account.settings.targeting.basket
    if not account.settings.scaled or basket is None:
        return None
    widths = account.widths
    if account.settings.threshold.quote_amount is not None:
        return "A threshold in USDT does not follow volatility. (/bands)"
    if widths is None:
        return "The next check learns how wide bands are today. (/bands)"
    known = {token: f"{widths.factors.get(token, ONE):.1f}" for token in basket.tokens}
    if len(set(known.values())) == 1:
        return f"Bands are {next(iter(known.values()))} times as wide today. (/bands)"
    (first, factor), *others = list(known.items())[:_MOST_WIDTHS]
    rest = "".join(f", {times} for {escape(token)}" for token, times in others)
    return f"Bands are {factor} times as wide today for {escape(first)}{rest}. (/bands)"
