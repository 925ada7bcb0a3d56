"""What a setting will do and cost, before any trade: formulas, no simulation. Pure.

Near its goal a share is a random walk. It trades where it is *half_width* off, and leads to where
it is *left* off: zero for the centre, half of the half-width for half way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from typing import assert_never

from engine.domain.market.decimals import ONE, ZERO
from engine.domain.market.pairs import Asset
from engine.domain.targets.goals import DUST, Goals, TargetSettings, weights_of
from engine.domain.targets.target import (
    Basket,
    FixedUsdt,
    TokenWorth,
    UsdtRange,
    UsdtShare,
)

# Roots and quotients of estimates: more digits than anybody reads.
ESTIMATING = Context(prec=34)
_MONTH_DAYS = 30
# A check comes after the edge: on average it finds the share this much further, in standard
# deviations of an interval.
_OVERSHOOT = Decimal("0.58")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """*turnover* and *cost* are in the unit of the account's worth, *drift* is the root mean
    square distance from the goal. *trades* are not known where every check may trade.
    """

    trades_a_day: Decimal | None
    turnover_a_day: Decimal
    cost_a_month: Decimal
    drift: Decimal


def share_deviation(weight: Decimal, daily_volatility: Decimal) -> Decimal:
    """Returns how far a share moves in a day, one standard deviation."""
    return weight * (ONE - weight) * daily_volatility


def expected(
    *,
    daily_deviation: Decimal,
    half_width: Decimal,
    left: Decimal,
    cost_rate: Decimal,
    worth: Decimal = ONE,
    interval_days: Decimal = ZERO,
) -> Expected:
    """Returns what a band comes to. *daily_deviation*, *half_width* and *left* are shares of
    *worth*; *interval_days*, the time between two checks, corrects for what a check overshoots.
    """
    with localcontext(ESTIMATING):
        width = half_width + _OVERSHOOT * daily_deviation * interval_days.sqrt()
        variance = daily_deviation * daily_deviation
        room = width * width - left * left
        turnover = worth * variance / (width + left)
        return Expected(
            trades_a_day=variance / room if room > ZERO else None,
            turnover_a_day=turnover,
            cost_a_month=turnover * _MONTH_DAYS * cost_rate,
            drift=((width * width + left * left) / 6).sqrt(),
        )


def likely_cost(
    settings: TargetSettings,
    *,
    whole: Decimal,
    way: Decimal,
    daily_volatility: Mapping[Asset, Decimal],
    cost_rate: Mapping[Asset, Decimal],
) -> Decimal:
    """Returns what all tokens together are likely to cost in 30 days, in USDT. Zero for amounts of
    USDT: they do not drift with the price.
    """
    with localcontext(ESTIMATING):
        return sum(
            (
                expected(
                    daily_deviation=walk.deviation * daily_volatility[asset],
                    half_width=walk.half_width,
                    left=(ONE - way) * walk.half_width,
                    cost_rate=cost_rate[asset],
                ).cost_a_month
                for asset, walk in _walks(settings, whole).items()
            ),
            ZERO,
        )


@dataclass(frozen=True, slots=True)
class _Walk:
    """In USDT: the *deviation* is for a volatility of 1."""

    deviation: Decimal
    half_width: Decimal


def _walks(settings: TargetSettings, whole: Decimal) -> Mapping[Asset, _Walk]:
    target = settings.target
    match target:
        case FixedUsdt() | UsdtRange():
            return {}
        case TokenWorth(asset, amount):
            threshold = settings.threshold
            width = threshold.quote_amount or amount * (threshold.relative or ZERO)
            return {asset: _Walk(amount, width or whole * (threshold.points or ZERO))}
        case UsdtShare() | Basket():
            return _walks_of_shares(settings, whole)
        case _:
            assert_never(target)


def _walks_of_shares(settings: TargetSettings, whole: Decimal) -> Mapping[Asset, _Walk]:
    basket = settings.basket
    rest = whole - ((basket.fixed_quote if basket else None) or ZERO)
    if basket is None or rest <= ZERO:
        return {}
    weights, widths = weights_of(basket), half_widths(settings, rest)
    found = {}
    for token in basket.tokens:
        width = widths[token]
        if len(basket.tokens) == 1:  # the two shares are one
            width = min(widths.values())
        if weights[token] and width:
            deviation = share_deviation(weights[token], ONE)
            found[token] = _Walk(rest * deviation, rest * width)
    return found


def half_widths(settings: TargetSettings, whole: Decimal) -> Mapping[Asset, Decimal]:
    """Returns each share's distance from its weight to the nearer edge that it can leave by.
    *whole* is what the shares are of. Empty for a target that has none.
    """
    basket = settings.basket
    if basket is None:
        return {}
    amount, bands = settings.threshold.quote_amount, settings.share_bands
    found = {}
    for asset, weight in weights_of(basket).items():
        if amount is not None and asset not in settings.bands:
            found[asset] = amount / whole
            continue
        band = bands[asset]
        ends = [weight - band.low] if band.low else []
        ends += [band.high - weight] if band.high < ONE else []
        found[asset] = min(ends, default=ZERO)
    return found


def least_account(
    settings: TargetSettings, *, way: Decimal, least: Mapping[Asset, Decimal] | None = None
) -> Decimal | None:
    """Returns the least worth at which every share's trade, from the edge on, is an order: worth
    1.10 USDT, or what *least* says for its asset. To an edge, a trade leads inside by that much.
    None where there are no shares, or their edges are amounts of USDT.
    """
    basket = settings.basket
    if basket is None or settings.threshold.quote_amount is not None:
        return None
    with localcontext(ESTIMATING):
        weights = weights_of(basket)
        needed = [
            max(DUST, (least or {}).get(asset, DUST)) / (width * (way or ONE))
            for asset, width in half_widths(settings, ONE).items()
            if weights[asset] and width
        ]
        return max(needed) + (basket.fixed_quote or ZERO) if needed else None


@dataclass(frozen=True, slots=True)
class TradePrices:
    """A trade comes *below* the one price and *above* the other; None where no price does it."""

    below: Decimal | None
    above: Decimal | None


def trade_prices(
    goals: Goals, quantity: Decimal, values: Mapping[Asset, Decimal], *, asset: Asset
) -> TradePrices:
    """Returns the prices of *asset* at which something is outside, where *quantity* of it is managed
    and the others have *values*.
    """
    with localcontext(ESTIMATING):
        if quantity == ZERO:
            return TradePrices(None, None)
        others = sum((values[other] for other in goals.by_asset if other != asset), ZERO)
        below: list[Decimal] = []
        above: list[Decimal] = []
        for other, goal in goals.by_asset.items():
            held = None if other == asset else values[other]
            for line, sign in ((goal.low, 1), (goal.high, -1)):
                # sign x (amount held - line at the whole) >= 0 is inside; both follow the price.
                slope = sign * ((ONE if held is None else ZERO) - line.share) * quantity
                start = sign * ((held or ZERO) - line.fixed - line.share * others)
                if slope:
                    (below if slope > ZERO else above).append(-start / slope)
        lowest = [price for price in below if price > ZERO]
        highest = [price for price in above if price > ZERO]
        return TradePrices(max(lowest, default=None), min(highest, default=None))
