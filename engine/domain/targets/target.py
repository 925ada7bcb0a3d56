"""The kinds of targets a user can set. Values only: what they mean in money is in `goals`.

Shares are integer parts, so that three thirds are 1:1:1 and never 99.99 %.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Self, assert_never

from engine.domain.market.decimals import ZERO, is_positive
from engine.domain.market.pairs import USDT, Asset

MOST_TOKENS = 20
# A part is a weight of at most four digits and two decimals.
MOST_PARTS = 1_000_000
PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True)
class FixedUsdt:
    """Hold *quote_amount* USDT, whatever the token is worth."""

    quote_amount: Decimal

    def __post_init__(self) -> None:
        if not is_positive(self.quote_amount):
            raise ValueError(f"a target must be above zero, was {self.quote_amount}")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsdtRange:
    """Hold from *low* to *high* USDT: a band, or with one of them a floor or a ceiling.
    *centre* is where trades to the centre lead; without it, halfway between the two.
    """

    low: Decimal | None = None
    high: Decimal | None = None
    centre: Decimal | None = None

    def __post_init__(self) -> None:
        low, high = self.low, self.high
        if low is None and high is None:
            raise ValueError("a range has an edge at least")
        if not all(is_positive(edge) for edge in (low, high) if edge is not None):
            raise ValueError(f"an edge must be above zero: {low}, {high}")
        if low is not None and high is not None and low >= high:
            raise ValueError(f"the low edge must be under the high one: {low}, {high}")
        if self.centre is None:
            return
        if low is None or high is None or not low <= self.centre <= high:
            raise ValueError(f"a centre must be between two edges, was {self.centre}")


@dataclass(frozen=True, slots=True)
class UsdtShare:
    """Hold *percent* of the account in USDT, the rest in the pair's token."""

    percent: Decimal

    def __post_init__(self) -> None:
        if not (self.percent.is_finite() and ZERO < self.percent < PERCENT):
            raise ValueError(f"a share is above 0 % and under 100 %, was {self.percent}")

    def basket_with(self, token: Asset) -> "Basket":
        """Returns the same target, with the token named."""
        scale = max(0, -int(self.percent.normalize().as_tuple().exponent))
        usdt, whole = int(self.percent.scaleb(scale)), 100 * 10**scale
        return Basket.of([(token, whole - usdt), (USDT, usdt)])


@dataclass(frozen=True, slots=True)
class TokenWorth:
    """Hold *asset* worth *quote_amount* USDT, the rest in USDT."""

    asset: Asset
    quote_amount: Decimal

    def __post_init__(self) -> None:
        if self.asset == USDT:
            raise ValueError("USDT is worth itself: that is a fixed target")
        if not is_positive(self.quote_amount):
            raise ValueError(f"a target must be above zero, was {self.quote_amount}")


@dataclass(frozen=True, slots=True)
class Basket:
    """Hold assets by *parts* of the account, without a common divisor.
    With *fixed_quote*, that much USDT first, and the parts of the rest: then USDT has none.
    """

    parts: tuple[tuple[Asset, int], ...]
    fixed_quote: Decimal | None = None

    def __post_init__(self) -> None:
        assets = [asset for asset, _ in self.parts]
        counts = [count for _, count in self.parts]
        if len(set(assets)) < len(assets) or set(assets) <= {USDT}:
            raise ValueError("a basket names a token at least, and each asset once")
        if len(self.tokens) > MOST_TOKENS:
            raise ValueError(f"a basket has at most {MOST_TOKENS} tokens")
        if min(counts) < 0 or max(counts) > MOST_PARTS or _common_divisor(counts) != 1:
            raise ValueError(f"parts have no common divisor and are not below zero: {counts}")
        if self.fixed_quote is None:
            return
        if USDT in assets or not is_positive(self.fixed_quote):
            raise ValueError("USDT is either fixed, above zero, or has a part")

    @classmethod
    def of(cls, parts: Iterable[tuple[Asset, int]], *, fixed_quote: Decimal | None = None) -> Self:
        """Returns a basket with the parts reduced. Raises ValueError if all of them are zero."""
        listed = tuple(parts)
        divisor = _common_divisor([count for _, count in listed]) or 1
        reduced = tuple((asset, count // divisor) for asset, count in listed)
        return cls(reduced, fixed_quote)

    @property
    def tokens(self) -> tuple[Asset, ...]:
        """All assets but USDT, in the order in which they were named."""
        return tuple(asset for asset, _ in self.parts if asset != USDT)

    @property
    def total(self) -> int:
        return sum(count for _, count in self.parts)

    @property
    def sold_out(self) -> tuple[Asset, ...]:
        """Tokens without a part: all of them is sold, which a user confirms first."""
        return tuple(asset for asset, count in self.parts if count == 0 and asset != USDT)


Target = FixedUsdt | UsdtRange | UsdtShare | TokenWorth | Basket


def amounts_of(target: Target) -> tuple[Decimal, ...]:
    """Returns the amounts of USDT that a target names; none where it is of shares alone."""
    match target:
        case FixedUsdt(amount) | TokenWorth(_, amount):
            return (amount,)
        case UsdtRange(low=low, high=high):
            return tuple(edge for edge in (low, high) if edge is not None)
        case Basket(fixed_quote=amount):
            return () if amount is None else (amount,)
        case UsdtShare():
            return ()
        case _:
            assert_never(target)


def _common_divisor(counts: Iterable[int]) -> int:
    divisor = 0
    for count in counts:
        while count:
            divisor, count = count, divisor % count  # noqa: PLW2901 - Euclid's algorithm
    return divisor
