"""What a picture shows over time, and how a long line becomes one that a phone can show."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import attrgetter

from bot.views.charts.scales import TimeScale
from engine.domain.market.pairs import Side

# A line through more places than this on a phone becomes a carpet.
_COLUMNS = 90


@dataclass(frozen=True, slots=True)
class Sample:
    at: datetime
    value: Decimal


@dataclass(frozen=True, slots=True)
class Trade:
    at: datetime
    side: Side


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money that came, or left (negative), in USDT."""

    at: datetime
    amount: Decimal


Run = Sequence[Sample]


def runs(samples: Sequence[Sample], *, gap: timedelta) -> Sequence[Run]:
    """Split where nothing is known for longer than *gap*."""
    split: list[list[Sample]] = []
    for sample in samples:
        if not split or sample.at - split[-1][-1].at > gap:
            split.append([])
        split[-1].append(sample)
    return split


def decimated(run: Run, scale: TimeScale) -> Run:
    """Of each column the first, the smallest, the largest and the last: spikes survive."""
    width = max((scale.until - scale.since) / _COLUMNS, timedelta(microseconds=1))
    columns = groupby(run, key=lambda sample: (sample.at - scale.since) // width)
    return [sample for _, column in columns for sample in _outline(list(column))]


def value_at(moment: datetime, samples: Sequence[Sample]) -> Decimal:
    """On the line through *samples*, of which there is one at least; its ends beyond them."""
    later = bisect_left(samples, moment, key=lambda sample: sample.at)
    if later == len(samples):
        return samples[-1].value
    after = samples[later]
    if later == 0 or after.at == moment:
        return after.value
    before = samples[later - 1]
    part = Decimal((moment - before.at) / (after.at - before.at))
    return before.value + (after.value - before.value) * part


def _outline(column: list[Sample]) -> Iterable[Sample]:
    smallest = min(column, key=attrgetter("value"))
    largest = max(column, key=attrgetter("value"))
    inner = sorted((smallest, largest), key=attrgetter("at"))
    return [sample for sample, _ in groupby((column[0], *inner, column[-1]))]
