"""Bands that follow volatility and costs: an option, off by default. Pure.

They are computed once a day, never between a trigger and its trade, and stored with the decision.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from engine.domain.market.decimals import ONE, ZERO, floor_to_step, step_of
from engine.domain.market.pairs import USDT, Asset
from engine.domain.targets.bands import ShareBand
from engine.domain.targets.forecast import ESTIMATING
from engine.domain.targets.goals import TargetSettings, weights_of

_LEAST_CANDLES = 100
_HOURS_A_DAY = 24
_STEP = step_of(4)
# The candles of a day are there by then.
_SETTLES = timedelta(seconds=600)
_NARROWEST, _WIDEST = Decimal("0.5"), Decimal(3)


def width_factor(
    *,
    volatility: Decimal,
    usual_volatility: Decimal,
    cost: Decimal = ONE,
    usual_cost: Decimal = ONE,
) -> Decimal:
    """Returns by how much a band is wider that keeps the usual balance of drift and cost: it
    follows volatility by 2/3 and cost by 1/3, from half to three times.
    """
    with localcontext(ESTIMATING):
        ratio = (volatility / usual_volatility) ** 2 * (cost / usual_cost)
        if ratio <= ZERO:
            return _NARROWEST
        return min(_WIDEST, max(_NARROWEST, (ratio.ln() / 3).exp()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """*factors* of the bands that are in force *until* then. The *usual* volatility of a token is
    the first that was known since bands are scaled.
    """

    until: datetime
    usual: Mapping[Asset, Decimal] = field(default_factory=dict)
    factors: Mapping[Asset, Decimal] = field(default_factory=dict)

    def holds(self, tokens: Iterable[Asset], *, now: datetime) -> bool:
        """True if nothing is to be computed *now*."""
        return now < self.until and all(token in self.factors for token in tokens)


def next_widths(
    before: Widths | None, volatility: Mapping[Asset, Decimal | None], *, now: datetime
) -> Widths:
    """Returns the widths from *now* until ten minutes into the next day, in UTC. A token without a
    known *volatility* keeps its band as it was set.
    """
    begun = (now - _SETTLES).replace(hour=0, minute=0, second=0, microsecond=0)
    known = {token: one for token, one in volatility.items() if one}
    usual = {**known, **(before.usual if before is not None else {})}
    factors = {
        token: width_factor(volatility=one, usual_volatility=usual[token]) if one else ONE
        for token, one in volatility.items()
    }
    return Widths(
        until=begun + timedelta(days=1) + _SETTLES,
        usual=usual,
        factors={token: floor_to_step(factor, _STEP) for token, factor in factors.items()},
    )


def scaled_settings(settings: TargetSettings, factors: Mapping[Asset, Decimal]) -> TargetSettings:
    """Returns *settings* with the half-width of each token's band times its factor, and that of
    USDT times their mean by weight. A token without a factor keeps its band; so do amounts.
    """
    basket = settings.basket
    if basket is None or settings.threshold.quote_amount is not None:
        return settings
    with localcontext(ESTIMATING):
        weights = weights_of(basket)
        known = {token: factors.get(token, ONE) for token in basket.tokens}
        total = sum((weights[token] for token in known), ZERO)
        mean = sum((weights[token] * factor for token, factor in known.items()), ZERO) / total
        bands = {
            asset: _scaled(band, weights[asset], known.get(asset, mean))
            for asset, band in settings.share_bands.items()
            if weights[asset] or asset == USDT
        }
        return replace(settings, bands=bands)


def _scaled(band: ShareBand, weight: Decimal, factor: Decimal) -> ShareBand:
    low, high = (weight + (edge - weight) * factor for edge in (band.low, band.high))
    return ShareBand(max(ZERO, low), min(ONE, high))


def daily_volatility(closes: Sequence[Decimal]) -> Decimal | None:
    """Returns the standard deviation of a day from the prices of the last hours; None where fewer
    than 100 hours had a trade.
    """
    if len(closes) < _LEAST_CANDLES:
        return None
    with localcontext(ESTIMATING):
        logs = [price.ln() for price in closes]
        moves = [after - before for before, after in itertools.pairwise(logs)]
        mean = sum(moves, ZERO) / len(moves)
        variance = sum(((move - mean) ** 2 for move in moves), ZERO) / (len(moves) - 1)
        return (variance * _HOURS_A_DAY).sqrt()
