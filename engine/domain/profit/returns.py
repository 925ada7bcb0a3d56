"""Measures of return: time-weighted, money-weighted, modified Dietz, and drawdown. Pure.

A yearly figure is never made of less than a year.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

from engine.domain.market.decimals import ONE, ZERO

# Products of amounts stay exact, and a year of hourly factors loses nothing that is shown.
WIDE = Context(prec=60)
_SOLVING = Context(prec=34)
YEAR_DAYS = 365
# The yearly rates that are searched: -99.99 % to +1,000,000 %, closer than any two that are told
# apart.
_LOWEST, _HIGHEST, _STEPS = Decimal("0.0001"), Decimal(10_001), 800
_HALVINGS = 90


@dataclass(frozen=True, slots=True)
class Valuation:
    """What was there just before *flow* came in (or, below zero, went out)."""

    before: Decimal
    flow: Decimal = ZERO


class Index:
    """The time-weighted index of valuations, from 1 on; its *value* is None from where value came
    out of nothing. A span without money is left out: its factor is 1. Used within WIDE.
    """

    def __init__(self) -> None:
        self.value: Decimal | None = None
        self.fall = Fall()
        self._after: Decimal | None = None

    def add(self, before: Decimal, flow: Decimal) -> None:
        if self._after is None:
            self.value = ONE
        elif self.value is not None:
            if self._after > ZERO:
                self.value *= before / self._after
            elif before > ZERO:
                self.value = None
        if self.value is not None:
            self.fall.add(self.value)
        self._after = before + flow

    @property
    def returned(self) -> Decimal | None:
        return None if self.value is None else self.value - ONE

    @property
    def drawdown(self) -> Decimal | None:
        return None if self.value is None else self.fall.worst


class Fall:
    """The largest fall of values from a peak as a fraction; the first peak is 1 at least."""

    def __init__(self) -> None:
        self.worst = ZERO
        self._peak = self._lowest = ONE

    def add(self, value: Decimal) -> None:
        if value >= self._peak:
            self._peak = self._lowest = value
        elif value < self._lowest:
            self._lowest = value
            self.worst = max(self.worst, ONE - value / self._peak)


def time_weighted(valuations: Iterable[Valuation]) -> Decimal | None:
    """Returns the return of the money that was there at the time, as a fraction."""
    index = Index()
    with localcontext(WIDE):
        for valuation in valuations:
            index.add(valuation.before, valuation.flow)
        return index.returned


def drawdown(index: Iterable[Decimal]) -> Decimal:
    """Returns the largest fall from a peak as a fraction."""
    fall = Fall()
    for value in index:
        fall.add(value)
    return fall.worst


def money_weighted(
    flows: Sequence[tuple[int, Decimal]], *, per_days: int = YEAR_DAYS
) -> Decimal | None:
    """Returns the yearly rate at which *flows* (day, amount) come to nothing, as XIRR does, or the
    rate of as many days. Deposits are below zero, what is there in the end counts as paid out. None
    where no rate fits, or more than one.
    """
    backwards = sorted(flows, reverse=True)
    with localcontext(_SOLVING):
        low = _LOWEST.ln()
        step = (_HIGHEST.ln() - low) / _STEPS
        rates = [low + step * n for n in range(_STEPS + 1)]
        signs = [(rate, _present(backwards, rate / per_days)) for rate in rates]
        roots = [
            (one, other)
            for (one, at_one), (other, at_other) in itertools.pairwise(signs)
            if (at_one > ZERO) != (at_other > ZERO)
        ]
        if len(roots) != 1 or not any(amount for _, amount in flows):
            return None
        left, right = roots[0]
        is_above = _present(backwards, left / per_days) > ZERO
        for _ in range(_HALVINGS):
            middle = (left + right) / 2
            if (_present(backwards, middle / per_days) > ZERO) == is_above:
                left = middle
            else:
                right = middle
        return left.exp() - ONE


def _present(backwards: Sequence[tuple[int, Decimal]], daily_log_rate: Decimal) -> Decimal:
    """The worth of the flows, newest first, on day 0: one multiplication for each."""
    daily, powers = (-daily_log_rate).exp(), dict[int, Decimal]()
    worth, days = ZERO, [day for day, _ in backwards]
    for (day, amount), before in zip(backwards, [*days[1:], 0], strict=True):
        gap = day - before
        if gap not in powers:
            powers[gap] = daily**gap
        worth = (worth + amount) * powers[gap]
    return worth


def of_period(yearly: Decimal, *, days: int) -> Decimal:
    """Returns what a *yearly* rate comes to in *days*: shown for less than a year."""
    with localcontext(_SOLVING):
        return (ONE + yearly) ** (Decimal(days) / YEAR_DAYS) - ONE


def dietz(
    start: Decimal, end: Decimal, flows: Sequence[tuple[int, Decimal]], *, days: int
) -> Decimal | None:
    """Returns the modified Dietz return, a cross-check; None where nothing was invested."""
    with localcontext(_SOLVING):
        base = start + sum((amount * (days - day) / days for day, amount in flows), ZERO)
        gain = end - start - sum((amount for _, amount in flows), ZERO)
        return gain / base if base > ZERO else None


def target_once(
    puts: Sequence[tuple[Decimal, Decimal]], *, quote_share: Decimal, price: Decimal
) -> Decimal:
    """Returns what each amount of USDT, put in at its price of the token, had come to at *price*:
    split by the target once, never traded again, without costs.
    """
    with localcontext(WIDE):
        return sum(
            (amount * (quote_share + (ONE - quote_share) * price / then) for amount, then in puts),
            ZERO,
        )
