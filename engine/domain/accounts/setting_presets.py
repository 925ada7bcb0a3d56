"""Values to offer around a setting's present one; all of them are valid."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from engine.domain.accounts.settings import MAX_TARGET, Settings
from engine.domain.market.decimals import EXACT_OR_LESS, ONE, ZERO, step_of
from engine.domain.targets.bands import Threshold

_STEPS = (Decimal(10), Decimal(25))
_LEAST_FOR_WHOLE_STEPS = Decimal(30)
_EITHER_SIDE = 2
_PERCENTS = tuple(Decimal(n).scaleb(-2) for n in (1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50))
_SLIPPAGES = tuple(Decimal(n).scaleb(-3) for n in (1, 2, 5, 10, 20, 30, 50))
_OF_SHARES = (
    *(Threshold(relative=Decimal(part)) for part in ("0.05", "0.10", "0.20")),
    Threshold(points=Decimal("0.05")),
)
_INTERVALS = (
    *(timedelta(seconds=n) for n in (10, 30)),
    *(timedelta(minutes=n) for n in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=n) for n in (1, 2, 4, 8, 12)),
    timedelta(days=1),
)
# 1, 2, 5, 10, 20, 50 and so on.
_AMOUNTS = tuple(Decimal(n).scaleb(power) for power in range(-1, 9) for n in (1, 2, 5))


T = TypeVar("T", Decimal, timedelta)


def targets(target: Decimal) -> Sequence[Decimal]:
    """Returns 10 and 25 USDT less and more, or as many times a power of ten as fit *target*."""
    # From 30 on it is 10 and 25, from 300 on 100 and 250, from 3 on 1 and 2.5.
    size = ONE.scaleb(EXACT_OR_LESS.divide(target, _LEAST_FOR_WHOLE_STEPS).adjusted())
    size = max(step_of(1), size)
    steps = [EXACT_OR_LESS.multiply(step, size) for step in _STEPS]
    nearby = [target - steps[1], target - steps[0], target + steps[0], target + steps[1]]
    return [value for value in nearby if ZERO < value <= MAX_TARGET]


def thresholds(settings: Settings, *, smallest: Decimal | None) -> Sequence[Threshold]:
    """Returns values in the present unit; of each share, where the target is planned as a portfolio.
    Those whose band is narrower than the *smallest* order could never trade at its edge, and are
    left out where any remain.
    """
    now, fixed = settings.threshold, settings.fixed
    if fixed is None:
        return [v for v in _OF_SHARES if v != now]
    if now.quote_amount is not None:
        present, offered = now.quote_amount, {v: Threshold(quote_amount=v) for v in _AMOUNTS}
    else:
        present, offered = now.relative or ZERO, {v: Threshold(relative=v) for v in _PERCENTS}
    reaches = {value: one.in_quote(fixed.target) for value, one in offered.items()}
    fitting = [value for value, reach in reaches.items() if ZERO < reach < fixed.target]
    working = [value for value in fitting if smallest is None or reaches[value] >= smallest]
    return [offered[value] for value in _around(working or fitting, present)]


def intervals(interval: timedelta) -> Sequence[timedelta]:
    return _around(_INTERVALS, interval)


def order_limits(limit: Decimal) -> Sequence[Decimal]:
    """Returns limits to offer for the worth of one order."""
    return _around([amount for amount in _AMOUNTS if amount >= 1], limit)


def slippages(fraction: Decimal) -> Sequence[Decimal]:
    return _around(_SLIPPAGES, fraction)


def _around(ladder: Sequence[T], value: T) -> Sequence[T]:
    """The next two below *value* and the next two above it."""
    below: list[T] = [step for step in ladder if step < value]
    above: list[T] = [step for step in ladder if value < step]
    return below[-_EITHER_SIDE:] + above[:_EITHER_SIDE]
