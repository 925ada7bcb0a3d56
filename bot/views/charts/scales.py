"""From moments and amounts to places in a picture, and the round values that are written there."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from bot.views.components.times import day_and_month, wall_time
from engine.domain.market.decimals import ZERO

_MOST_VALUES, _MOST_DATES = 3, 4
_ROUND = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_MARGIN = Decimal("0.06")
_LEAST_PART = Decimal("0.04")
_NEAR_ZERO = Decimal("0.15")
_THOUSANDS = ((Decimal(10**9), "B"), (Decimal(10**6), "M"), (Decimal(1000), "k"))
_LONG = Decimal(100_000)
_DAY = timedelta(days=1)
_MONTHS_FROM, _MONDAYS_FROM, _DAYS_FROM = 45 * _DAY, 10 * _DAY, 2 * _DAY
_HOURS = (1, 2, 3, 6, 12)
_YEAR = 12


@dataclass(frozen=True, slots=True)
class TimeScale:
    since: datetime
    until: datetime
    left: float
    right: float

    def x(self, moment: datetime) -> float:
        """Within the picture; a span of no length lies at its right."""
        span = (self.until - self.since) / timedelta(seconds=1)
        part = (moment - self.since) / timedelta(seconds=1) / span if span > 0 else 1.0
        return self.left + (self.right - self.left) * min(max(part, 0.0), 1.0)

    def ticks(self) -> list[tuple[datetime, str]]:
        """At most four moments with their names: hours, days, Mondays or firsts of a month; the
        last moment where there is none of them.
        """
        there = wall_time(self.until)
        return self._round_moments() or [(self.until, f"{there:%H:%M}")]

    def _round_moments(self) -> list[tuple[datetime, str]]:
        span = self.until - self.since
        if span >= _MONTHS_FROM:
            return _thinned(list(self._days(lambda day: day.day == 1)), _by_month)
        if span >= _MONDAYS_FROM:
            return _thinned(list(self._days(lambda day: day.weekday() == 0)), _every)
        if span >= _DAYS_FROM:
            return _thinned(list(self._days(lambda _: True)), _every)
        return self._hours()

    def _days(self, wanted: Callable[[datetime], bool]) -> Iterator[tuple[datetime, str]]:
        day = wall_time(self.since).replace(hour=0, minute=0, second=0, microsecond=0)
        while day <= self.until:
            if wanted(day) and day >= self.since:
                yield day, day_and_month(day)
            day += _DAY

    def _hours(self) -> list[tuple[datetime, str]]:
        hour = wall_time(self.since).replace(minute=0, second=0, microsecond=0)
        hours = []
        while hour <= self.until:
            if hour >= self.since:
                hours.append((hour, f"{hour:%H:%M}"))
            hour += timedelta(hours=1)
        for step in _HOURS:
            if len(some := [tick for tick in hours if tick[0].hour % step == 0]) <= _MOST_DATES:
                return some
        return hours[:: _HOURS[-1]][:_MOST_DATES]


@dataclass(frozen=True, slots=True)
class ValueScale:
    low: Decimal
    high: Decimal
    top: float
    bottom: float

    @classmethod
    def over(
        cls,
        values: Iterable[Decimal],
        *,
        top: float,
        bottom: float,
        least_part: Decimal = _LEAST_PART,
    ) -> "ValueScale":
        """Holds all *values*, with some air; amounts that are not negative do not get below 0,
        and begin there where they come near it. Its height is *least_part* of the largest at least: a move of next to nothing looks like one.
        Raises ValueError if there is none.
        """
        low, high = min(known := list(values)), max(known)
        least = (max(abs(low), abs(high)) * least_part - (high - low)) / 2
        margin = max((high - low) * _MARGIN, least) or Decimal(1)
        bottom_value = low - margin
        if low >= ZERO and bottom_value < high * _NEAR_ZERO:
            bottom_value = ZERO
        return cls(bottom_value, high + margin, top, bottom)

    def y(self, value: Decimal) -> float:
        part = float((value - self.low) / (self.high - self.low))
        return self.bottom - (self.bottom - self.top) * part

    def ticks(self) -> list[tuple[Decimal, str]]:
        """At most three round values."""
        step = _step((self.high - self.low) / _MOST_VALUES)
        while True:
            first = (self.low / step).to_integral_value(ROUND_CEILING)
            count = int((self.high / step - first).to_integral_value(ROUND_CEILING))
            values = [(first + place) * step for place in range(count + 1)]
            values = [value for value in values if self.low <= value <= self.high]
            if len(values) <= _MOST_VALUES:
                return [(value, axis_label(value, step)) for value in values]
            step = _step(step * Decimal("1.01"))


def axis_label(value: Decimal, step: Decimal) -> str:
    """*value* with no more digits than neighbours that are *step* apart need: 1,250 or 1.25M."""
    for size, letter in _THOUSANDS:
        if abs(value) >= max(size, _LONG):
            return f"{_digits(value / size, step / size)}{letter}"
    return _digits(value, step)


def _digits(value: Decimal, step: Decimal) -> str:
    decimals = max(0, -int(step.normalize().as_tuple().exponent))
    return f"{value:,.{decimals}f}" if value else "0"


def _step(least: Decimal) -> Decimal:
    """The next round number from *least* on."""
    size = Decimal(1).scaleb(least.adjusted())
    return next(factor * size for factor in _ROUND if factor * size >= least)


def _every(place: int, step: int, _: datetime) -> bool:
    return place % step == 0


def _by_month(_: int, step: int, day: datetime) -> bool:
    """January is always among them; from a year on, only Januaries are."""
    months = (day.year * _YEAR + day.month - 1) if step > _YEAR else day.month - 1
    return months % step == 0


def _thinned(
    ticks: list[tuple[datetime, str]], kept: Callable[[int, int, datetime], bool]
) -> list[tuple[datetime, str]]:
    for step in (1, 2, 3, 4, 6, 12, 24, 60, 120, 240):
        some = [tick for place, tick in enumerate(ticks) if kept(place, step, tick[0])]
        if len(some) <= _MOST_DATES:
            break
    else:
        some = ticks[:: len(ticks) // _MOST_DATES + 1]
    if kept is _by_month and len({day.year for day, _ in some}) == len(some) > 1:
        return [(day, str(day.year)) for day, _ in some]
    return some
