"""Bands around a weight: how far a share may drift before it is traded. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from engine.domain.market.decimals import ONE, ZERO, is_positive
from engine.domain.market.pairs import Asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """How far anything may drift from its goal: *relative* to the goal (0.05 = 5 % of it), by
    *points* of the whole (0.05 = 5 points), the narrower where both are given, or by
    *quote_amount* USDT.
    """

    relative: Decimal | None = None
    points: Decimal | None = None
    quote_amount: Decimal | None = None

    def __post_init__(self) -> None:
        fractions = [part for part in (self.relative, self.points) if part is not None]
        if (self.quote_amount is None) == (not fractions):
            raise ValueError("a threshold is either a fraction or an amount")
        if not all(is_positive(part) and part < ONE for part in fractions):
            raise ValueError(f"a threshold is above 0 and under 100 %, was {fractions}")
        if self.quote_amount is not None and not is_positive(self.quote_amount):
            raise ValueError(f"a threshold must be above zero, was {self.quote_amount}")

    def in_quote(self, target: Decimal) -> Decimal:
        """Returns the half-width around *target* USDT. Raises ValueError for points, which are of
        the whole.
        """
        if self.quote_amount is not None:
            return self.quote_amount
        if self.relative is None or self.points is not None:
            raise ValueError("points are of what an account is worth")
        return target * self.relative

    def reach(self, weight: Decimal) -> Decimal:
        """Returns the half-width around *weight*, a share; zero for a threshold in USDT."""
        reaches = [self.points] if self.points is not None else []
        if self.relative is not None:
            reaches.append(weight * self.relative)
        return min(reaches, default=ZERO)


@dataclass(frozen=True, slots=True)
class ShareBand:
    """At or between *low* and *high*, fractions of the whole, nothing is traded."""

    low: Decimal
    high: Decimal

    def __post_init__(self) -> None:
        if not (self.low.is_finite() and self.high.is_finite()):
            raise ValueError(f"a band cannot be {self.low}..{self.high}")
        if not ZERO <= self.low <= self.high <= ONE:
            raise ValueError(f"a band lies within 0 and 1, was {self.low}..{self.high}")

    @classmethod
    def around(cls, weight: Decimal, threshold: Threshold) -> Self:
        """Returns the band of a threshold that is no amount, cut to what a share can be."""
        reach = threshold.reach(weight)
        return cls(max(ZERO, weight - reach), min(ONE, weight + reach))

    def holds(self, share: Decimal) -> bool:
        return self.low <= share <= self.high


@dataclass(frozen=True, slots=True)
class BandSums:
    """The sums of all low and of all high edges. Only around 1 can an account be inside."""

    low: Decimal
    high: Decimal

    @property
    def is_satisfiable(self) -> bool:
        return self.low <= ONE <= self.high


def sums_of(bands: Iterable[ShareBand]) -> BandSums:
    listed = tuple(bands)
    return BandSums(
        sum((band.low for band in listed), ZERO), sum((band.high for band in listed), ZERO)
    )


def off_centre(
    bands: Mapping[Asset, ShareBand], weights: Mapping[Asset, Decimal]
) -> tuple[Asset, ...]:
    """Returns the assets whose weight is outside their own band, or that have no weight at all."""
    return tuple(
        asset
        for asset, band in bands.items()
        if asset not in weights or not band.holds(weights[asset])
    )
