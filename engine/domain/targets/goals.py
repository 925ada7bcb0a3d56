"""What a target means in USDT for each asset, as a function of what the whole is worth. Pure.

The whole changes with prices and, by the costs, with the trades themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import assert_never

from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import USDT, Asset
from engine.domain.targets.bands import BandSums, ShareBand, Threshold, sums_of
from engine.domain.targets.destination import Edges
from engine.domain.targets.target import (
    Basket,
    FixedUsdt,
    Target,
    TokenWorth,
    UsdtRange,
    UsdtShare,
)

# What is worth less cannot be sold for sure, so that it is no reason to trade.
DUST = Decimal("1.10")


@dataclass(frozen=True, slots=True)
class Line:
    """An amount that follows the whole: *fixed* USDT and *share* of it."""

    fixed: Decimal = ZERO
    share: Decimal = ZERO

    def at(self, whole: Decimal) -> Decimal:
        """Never below zero and never above the whole."""
        return min(whole, max(ZERO, self.fixed + self.share * whole))


_NOTHING, _EVERYTHING = Line(), Line(share=ONE)


@dataclass(frozen=True, slots=True)
class Goal:
    """One asset's edges and centre; a floor or a ceiling has no centre."""

    low: Line
    centre: Line | None
    high: Line

    def at(self, whole: Decimal) -> Edges:
        centre = None if self.centre is None else self.centre.at(whole)
        return Edges(self.low.at(whole), centre, self.high.at(whole))


@dataclass(frozen=True, slots=True)
class Goals:
    """The goal of every asset of a target, USDT included. Others are not the bot's business."""

    by_asset: Mapping[Asset, Goal]

    def of(self, asset: Asset) -> Goal:
        return self.by_asset[asset]

    @property
    def tokens(self) -> tuple[Asset, ...]:
        return tuple(asset for asset in self.by_asset if asset != USDT)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSettings:
    """A target with what is set around it. *bands* replace the threshold for the assets named.
    *token* is of the pair that is traded where the target names none.
    """

    target: Target
    threshold: Threshold
    token: Asset
    bands: Mapping[Asset, ShareBand] = field(default_factory=dict)

    @property
    def basket(self) -> Basket | None:
        """The target as a basket; None where it is an amount."""
        if isinstance(self.target, UsdtShare):
            return self.target.basket_with(self.token)
        return self.target if isinstance(self.target, Basket) else None

    @property
    def tokens(self) -> tuple[Asset, ...]:
        """The tokens that it trades."""
        if (basket := self.basket) is not None:
            return basket.tokens
        target = self.target
        return (target.asset,) if isinstance(target, TokenWorth) else (self.token,)

    @property
    def share_bands(self) -> Mapping[Asset, ShareBand]:
        """The band of each asset that has a part, as fractions; where the threshold is in USDT, of
        those alone that have a band of their own. With a fixed amount of USDT they are fractions
        of the rest.
        """
        basket = self.basket
        if basket is None or self.threshold.quote_amount is not None:
            return self.bands if basket else {}
        weights = weights_of(basket)
        return {
            asset: self.bands.get(asset) or _band(weight, self.threshold, weights)
            for asset, weight in weights.items()
        }

    @property
    def sums(self) -> BandSums | None:
        """The sums that a refusal shows; None where edges are amounts."""
        if self.basket is None or self.threshold.quote_amount is not None:
            return None
        return sums_of(self.share_bands.values())

    @property
    def goals(self) -> Goals:
        target, threshold = self.target, self.threshold
        match target:
            case FixedUsdt(amount):
                return _cash_first(_around(amount, threshold), self.token)
            case UsdtRange():
                return _cash_first(_range(target), self.token)
            case TokenWorth(asset, amount):
                rest = Goal(_NOTHING, Line(-amount, ONE), _EVERYTHING)
                return Goals({asset: _around(amount, threshold), USDT: rest})
            case UsdtShare() | Basket():
                return self._shares(target)
            case _:
                assert_never(target)

    def _shares(self, target: UsdtShare | Basket) -> Goals:
        basket = target.basket_with(self.token) if isinstance(target, UsdtShare) else target
        fixed = basket.fixed_quote or ZERO
        weights, bands = weights_of(basket), self.share_bands
        goals = {
            asset: _share(weight, bands.get(asset), self.threshold, fixed)
            for asset, weight in weights.items()
        }
        goals |= {asset: _SOLD_OUT for asset in basket.sold_out if asset not in self.bands}
        if basket.fixed_quote is not None:
            goals[USDT] = _around(basket.fixed_quote, self.threshold)
        return Goals(goals)


def weights_of(basket: Basket) -> Mapping[Asset, Decimal]:
    """Returns the weights of a basket, USDT included unless it is fixed; they are of the rest
    then. A quotient of parts is rounded; nothing but the rest of it stays in USDT.
    """
    total = basket.total
    weights = {asset: Decimal(count) / total for asset, count in basket.parts}
    if basket.fixed_quote is None:
        weights.setdefault(USDT, ZERO)
    return weights


def goal_amounts(basket: Basket, whole: Decimal) -> Mapping[Asset, Decimal]:
    """Returns the goal of each asset at *whole*, USDT included: floored to whole cents, and what
    that leaves over is USDT.
    """
    rest = max(ZERO, whole - (basket.fixed_quote or ZERO))
    total = basket.total
    amounts = {
        asset: _cents(rest * count, total) for asset, count in basket.parts if asset != USDT
    }
    return {**amounts, USDT: whole - sum(amounts.values(), ZERO)}


def missing_fixed(target: Target, whole: Decimal) -> Decimal:
    """Returns what *whole* lacks for the amount that the target fixes: everything is USDT then."""
    match target:
        case FixedUsdt(amount) | TokenWorth(_, amount):
            fixed = amount
        case UsdtRange(low=low):
            fixed = low or ZERO
        case Basket(fixed_quote=amount):
            fixed = amount or ZERO
        case UsdtShare():
            fixed = ZERO
        case _:
            assert_never(target)
    return max(ZERO, fixed - whole)


# All of it is sold; a rest that cannot be is no reason to trade.
_SOLD_OUT = Goal(_NOTHING, _NOTHING, Line(DUST))


def _cents(amount: Decimal, divisor: int) -> Decimal:
    return (amount * 100 // divisor) / 100


def _cash_first(cash: Goal, token: Asset) -> Goals:
    """Only USDT has edges; the token is the rest."""
    centre = None if cash.centre is None else Line(-cash.centre.fixed, ONE)
    return Goals({token: Goal(_NOTHING, centre, _EVERYTHING), USDT: cash})


def _range(target: UsdtRange) -> Goal:
    low, high, centre = target.low, target.high, target.centre
    if low is not None and high is not None:
        centre = centre or (low + high) / 2
    return Goal(
        _NOTHING if low is None else Line(low),
        None if centre is None else Line(centre),
        _EVERYTHING if high is None else Line(high),
    )


def _around(amount: Decimal, threshold: Threshold) -> Goal:
    if threshold.relative is None and threshold.points is not None:
        reach = Line(share=threshold.points)
    else:
        reach = Line(threshold.quote_amount or amount * (threshold.relative or ZERO))
    low, high = Line(amount - reach.fixed, -reach.share), Line(amount + reach.fixed, reach.share)
    return Goal(low, Line(amount), high)


def _band(weight: Decimal, threshold: Threshold, weights: Mapping[Asset, Decimal]) -> ShareBand:
    """USDT without a part drifts as far as the largest part may: it is where fees and fills end."""
    reach = threshold.reach(weight or max(weights.values()))
    return ShareBand(max(ZERO, weight - reach), min(ONE, weight + reach))


def _share(weight: Decimal, band: ShareBand | None, threshold: Threshold, fixed: Decimal) -> Goal:
    def of_rest(share: Decimal, aside: Decimal = ZERO) -> Line:
        return Line(aside - share * fixed, share)

    centre = of_rest(weight)
    if band is not None:
        # All of the rest is no edge: where less than the fixed amount is there, the rest is more.
        high = _EVERYTHING if band.high == ONE else of_rest(band.high)
        return Goal(of_rest(band.low), centre, high)
    reach = threshold.quote_amount or ZERO
    return Goal(of_rest(weight, -reach), centre, of_rest(weight, reach))
